import {
  isBindingElement,
  isCallExpression,
  isEnumMember,
  isGetAccessorDeclaration,
  isIdentifier,
  isMethodDeclaration,
  isMethodSignatureDeclaration,
  isNewExpression,
  isParameterDeclaration,
  isPropertyAccessExpression,
  isPropertyAssignment,
  isPropertyDeclaration,
  isPropertySignatureDeclaration,
  isSetAccessorDeclaration,
  isTypeNode,
  isVariableDeclaration,
  type Node,
} from 'typescript/unstable/ast';
import type { Finding, Rule } from '../finding.ts';
import { HIGHEST_PURE_RANK, isShipped, moduleOf, rankOf } from '../layers.ts';
import { lineOf, type ParsedFile, type Project } from '../project.ts';

/** Node's own modules that neither do I/O nor read time or randomness. */
const PURE_BUILTINS: ReadonlySet<string> = new Set([
  'node:buffer', // a byte container; also the type of every chunk
  'node:string_decoder', // decodes UTF-8 across chunk borders, state in the object
]);

/** Packages that do I/O or own timers, and the modules of rank 0 to 3 that may use them. */
const IMPURE_PACKAGES: Readonly<Record<string, readonly string[]>> = {
  undici: [],
  // The logger is built on it; the destination is handed in, and its clock is Clock.wallMs.
  pino: ['telemetry'],
};

/** Readers of ambient time and randomness: never below cli. */
const AMBIENT_READS: ReadonlySet<string> = new Set([
  'Date.now',
  'performance.now',
  'performance.timeOrigin',
  'new Date()',
  'Math.random',
  'crypto.randomUUID',
  'crypto.getRandomValues',
  'process.hrtime',
]);

/** Globals that start something or reach out of the process: never in ranks 0 to 3. */
const AMBIENT_GLOBALS: ReadonlySet<string> = new Set([
  'process',
  'performance',
  'crypto',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'fetch',
  'WebSocket',
  'AbortSignal.timeout',
]);

/** Timers that a Clock replaces: never below cli. */
const AMBIENT_TIMERS: ReadonlySet<string> = new Set(['setTimeout', 'setInterval']);

/** Ranks 0 to 3 import no module that does I/O; rank 4 may, except for timers. */
export const pureImports: Rule = {
  name: 'io-import',
  wayOut: 'take a port (a small interface in ports.ts) and let rank 4 do the I/O',
  check: (project) =>
    belowCli(project).flatMap((file) =>
      file.imports
        .filter((edge) => isImpureImport(file.path, edge.specifier))
        .map(({ line, specifier }) => ({
          file: file.path,
          line,
          message: `${moduleOf(file.path)} must not import ${specifier}`,
        })),
    ),
};

/** Ambient time, randomness, timers, process and network are out of reach below cli. */
export const ambient: Rule = {
  name: 'ambient',
  wayOut: 'take Clock or Rng from core, or a port, in the constructor',
  check: (project) => belowCli(project).flatMap(ambientUses),
};

/** Only cli reads the environment. */
export const environment: Rule = {
  name: 'environment',
  wayOut: 'add an option to the option table in src/cli and pass its value down',
  check: (project) =>
    belowCli(project).flatMap((file) => usesOf(file, (name) => name === 'process.env')),
};

/** Shipped code writes through the logger or a stream that it was given. */
export const noConsole: Rule = {
  name: 'console',
  wayOut: 'use the Logger, or write to the output stream of the command',
  check: (project) =>
    project.files
      .filter((file) => isShipped(file.path))
      .flatMap((file) => usesOf(file, (name) => name === 'console')),
};

function belowCli(project: Project): ParsedFile[] {
  return project.files.filter(
    (file) => isShipped(file.path) && rankOf(file.path) !== null && moduleOf(file.path) !== 'cli',
  );
}

function isPure(file: string): boolean {
  return (rankOf(file) ?? Infinity) <= HIGHEST_PURE_RANK;
}

function isImpureImport(file: string, specifier: string): boolean {
  if (specifier.startsWith('node:timers')) return true;
  if (specifier.startsWith('.') || !isPure(file)) return false;
  if (specifier.startsWith('node:')) return !PURE_BUILTINS.has(specifier);
  const allowedIn = IMPURE_PACKAGES[specifier];
  return allowedIn !== undefined && !allowedIn.includes(moduleOf(file) ?? '');
}

function ambientUses(file: ParsedFile): Finding[] {
  const reach = isPure(file.path) ? AMBIENT_GLOBALS : AMBIENT_TIMERS;
  return usesOf(file, (name) => AMBIENT_READS.has(name) || reach.has(name));
}

/** Every use of a global that `isMatch` accepts: `name`, `name.member` or `new Date()`. */
function usesOf(file: ParsedFile, isMatch: (name: string) => boolean): Finding[] {
  const declared = declaredNames(file);
  const findings: Finding[] = [];
  const walk = (node: Node, parent: Node | null): void => {
    if (isTypeNode(node)) return;
    const use = useAt(node, parent, declared).find(isMatch);
    if (use !== undefined) {
      findings.push({ file: file.path, line: lineOf(file, node), message: `uses ${use}` });
    }
    node.forEachChild((child) => walk(child, node));
  };
  walk(file.root, null);
  return findings;
}

function useAt(node: Node, parent: Node | null, declared: ReadonlySet<string>): readonly string[] {
  if (isNow(node)) return declared.has('Date') ? [] : ['new Date()'];
  if (!isIdentifier(node) || declared.has(node.text) || isOnlyAName(node, parent)) return [];
  const isObject =
    parent !== null && isPropertyAccessExpression(parent) && parent.expression === node;
  return isObject ? [`${node.text}.${parent.name.text}`, node.text] : [node.text];
}

/** `new Date()` or `Date()`: without an argument both read the clock. */
function isNow(node: Node): boolean {
  if (!isNewExpression(node) && !isCallExpression(node)) return false;
  const callee = node.expression;
  const argumentCount = node.arguments?.length ?? 0;
  return isIdentifier(callee) && callee.text === 'Date' && argumentCount === 0;
}

/** Whether the identifier names a member or key instead of referring to a variable. */
function isOnlyAName(node: Node, parent: Node | null): boolean {
  if (parent === null) return false;
  if (isPropertyAccessExpression(parent)) return parent.name === node;
  return isNamedMember(parent) && parent.name === node;
}

function isNamedMember(node: Node): node is Node & { readonly name: Node } {
  return (
    isPropertyAssignment(node) ||
    isMethodDeclaration(node) ||
    isPropertyDeclaration(node) ||
    isPropertySignatureDeclaration(node) ||
    isMethodSignatureDeclaration(node) ||
    isGetAccessorDeclaration(node) ||
    isSetAccessorDeclaration(node) ||
    isEnumMember(node)
  );
}

/** Names the file itself declares, which hide the globals. */
function declaredNames(file: ParsedFile): ReadonlySet<string> {
  const names = new Set<string>();
  const walk = (node: Node): void => {
    const declares =
      isParameterDeclaration(node) || isVariableDeclaration(node) || isBindingElement(node);
    if (declares && node.name !== undefined && isIdentifier(node.name)) names.add(node.name.text);
    node.forEachChild(walk);
  };
  walk(file.root);
  return names;
}
