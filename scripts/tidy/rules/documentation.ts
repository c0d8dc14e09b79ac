import {
  isClassDeclaration,
  isFunctionDeclaration,
  isIdentifier,
  isInterfaceDeclaration,
  isTypeAliasDeclaration,
  isVariableStatement,
  SyntaxKind,
  type Node,
} from 'typescript/unstable/ast';
import type { Finding, Rule } from '../finding.ts';
import { isShipped, moduleOf } from '../layers.ts';
import { lineOf, type ParsedFile } from '../project.ts';

const README_LINES = { least: 10, most: 60 } as const;

/** Every exported symbol says in a sentence what it is. */
export const docstrings: Rule = {
  name: 'docstring',
  wayOut: 'add /** one or two sentences: meaning, units, limits, errors, source of a constant */',
  check: (project) => project.files.filter((file) => isShipped(file.path)).flatMap(undocumented),
};

/** Every module has a README that tells its purpose, invariants and what it must not know. */
export const moduleReadmes: Rule = {
  name: 'module-readme',
  wayOut: 'write 20 to 40 lines: purpose, invariants, what it must not know',
  check: (project) => {
    const modules = new Set(project.files.map((file) => moduleOf(file.path)));
    modules.delete(null);
    return [...modules].flatMap((name) => {
      const file = `src/${name}/README.md`;
      const readme = project.texts.find((text) => text.path === file);
      if (readme === undefined) return [{ file, line: 1, message: 'is missing' }];
      const size = readme.text.trimEnd().split('\n').length;
      const isFine = size >= README_LINES.least && size <= README_LINES.most;
      const message = `has ${size} lines; ${README_LINES.least} to ${README_LINES.most} are useful`;
      return isFine ? [] : [{ file, line: 1, message }];
    });
  },
};

function undocumented(file: ParsedFile): Finding[] {
  const exportedLater = namesExportedInLists(file);
  const findings: Finding[] = [];
  const seen = new Set<string>();
  for (const statement of file.root.statements) {
    const names = declaredNames(statement);
    const isExported = hasExport(statement) || names.some((name) => exportedLater.has(name));
    // Overloads: the first signature carries the comment.
    const isRepeat = names.every((name) => seen.has(name));
    for (const name of names) seen.add(name);
    if (!isExported || isRepeat || (statement.jsDoc?.length ?? 0) > 0) continue;
    const line = lineOf(file, statement);
    findings.push({
      file: file.path,
      line,
      message: `export ${names.join(', ')} has no docstring`,
    });
  }
  return findings;
}

function declaredNames(statement: Node): string[] {
  if (isVariableStatement(statement)) {
    return statement.declarationList.declarations.map(({ name }) =>
      isIdentifier(name) ? name.text : 'pattern',
    );
  }
  const isNamed =
    isFunctionDeclaration(statement) ||
    isClassDeclaration(statement) ||
    isInterfaceDeclaration(statement) ||
    isTypeAliasDeclaration(statement);
  return isNamed && statement.name !== undefined ? [statement.name.text] : [];
}

function hasExport(statement: Node): boolean {
  const modifiers =
    'modifiers' in statement ? (statement.modifiers as readonly Node[] | undefined) : [];
  return modifiers?.some((modifier) => modifier.kind === SyntaxKind.ExportKeyword) ?? false;
}

/** Names in `export { a, b }` without `from`. */
function namesExportedInLists(file: ParsedFile): ReadonlySet<string> {
  const names = new Set<string>();
  for (const match of file.text.matchAll(/^export (?:type )?\{([^}]*)\};?$/gm)) {
    for (const item of (match[1] ?? '').split(',')) {
      const name = item
        .trim()
        .replace(/^type /, '')
        .split(/\s+as\s+/)[0];
      if (name) names.add(name);
    }
  }
  return names;
}
