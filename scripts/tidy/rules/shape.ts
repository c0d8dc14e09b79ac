import {
  isCallExpression,
  isExportAssignment,
  isExportDeclaration,
  isIdentifier,
  isNewExpression,
  isNonNullExpression,
  isPropertyDeclaration,
  isVariableDeclaration,
  SyntaxKind,
  type Node,
} from 'typescript/unstable/ast';
import type { Finding, Rule } from '../finding.ts';
import { isShipped, isTestFile, moduleOf, PACKAGE_ENTRIES } from '../layers.ts';
import { lineOf, visit, type ParsedFile } from '../project.ts';

const VAGUE_NAMES: ReadonlySet<string> = new Set([
  'utils',
  'util',
  'helpers',
  'helper',
  'misc',
  'common',
  'shared',
]);

/** No file that only passes on what other files export. */
export const barrels: Rule = {
  name: 'barrel',
  wayOut: 'import the file that defines the thing',
  check: (project) =>
    project.files
      .filter((file) => file.path.startsWith('src/') && isBarrel(file))
      .filter((file) => !PACKAGE_ENTRIES.includes(file.path))
      .map((file) => ({ file: file.path, line: 1, message: 'is a barrel' })),
};

/** Every export has a name. */
export const defaultExports: Rule = {
  name: 'default-export',
  wayOut: 'export it by name',
  check: (project) =>
    project.files.flatMap((file) =>
      file.root.statements
        .filter((statement) => isExportAssignment(statement) || hasDefaultModifier(statement))
        .map((node) => ({ file: file.path, line: lineOf(file, node), message: 'default export' })),
    ),
};

/** Files and folders are named for the one concept they hold. */
export const vagueNames: Rule = {
  name: 'name',
  wayOut: 'name it for what it does',
  check: (project) =>
    project.files.flatMap((file) => {
      const vague = file.path
        .split('/')
        .map((part) => part.replace(/(\.test)?\.ts$/, ''))
        .find((part) => part.split('-').some((word) => VAGUE_NAMES.has(word)));
      const message = `${vague} says nothing about the content`;
      return vague === undefined ? [] : [{ file: file.path, line: 1, message }];
    }),
};

/** Below cli every thrown error has a code of the table, or is an assertion. */
export const bareErrors: Rule = {
  name: 'bare-error',
  wayOut: 'return a value, throw a PenstockError with its code, or use assert',
  check: (project) =>
    project.files
      .filter((file) => isShipped(file.path) && moduleOf(file.path) !== 'cli')
      .flatMap((file) => findNodes(file, bareError)),
};

/** `!` hides the case that the type system found. */
export const nonNull: Rule = {
  name: 'non-null',
  wayOut: 'handle the missing case, or use must() from core/assert.ts',
  check: (project) =>
    project.files
      .filter((file) => !isTestFile(file.path))
      .flatMap((file) => findNodes(file, nonNullUse)),
};

function isBarrel(file: ParsedFile): boolean {
  if (/(^|\/)index\.ts$/.test(file.path)) return true;
  const { statements } = file.root;
  return (
    statements.length > 0 &&
    statements.every((node) => isExportDeclaration(node) && node.moduleSpecifier !== undefined)
  );
}

function hasDefaultModifier(node: Node): boolean {
  const modifiers = 'modifiers' in node ? (node.modifiers as readonly Node[] | undefined) : [];
  return modifiers?.some((modifier) => modifier.kind === SyntaxKind.DefaultKeyword) ?? false;
}

function bareError(node: Node): string | null {
  if (!isNewExpression(node) && !isCallExpression(node)) return null;
  if (!isIdentifier(node.expression)) return null;
  const name = node.expression.text;
  return /^(Error|TypeError|RangeError)$/.test(name) ? `${name} has no code` : null;
}

function nonNullUse(node: Node): string | null {
  const isDefinite =
    (isVariableDeclaration(node) && node.exclamationToken !== undefined) ||
    (isPropertyDeclaration(node) && node.postfixToken?.kind === SyntaxKind.ExclamationToken);
  return isNonNullExpression(node) || isDefinite ? 'non-null assertion' : null;
}

function findNodes(file: ParsedFile, judge: (node: Node) => string | null): Finding[] {
  const findings: Finding[] = [];
  visit(file.root, (node) => {
    const message = judge(node);
    if (message !== null) findings.push({ file: file.path, line: lineOf(file, node), message });
  });
  return findings;
}
