import path from 'node:path';
import type { Node, SourceFile } from 'typescript/unstable/ast';
import { createVirtualFileSystem } from 'typescript/unstable/fs';
import { API } from 'typescript/unstable/sync';
import { importsOf, type ImportEdge } from './imports.ts';

/** One text file of the repository; `path` is relative to its root, with forward slashes. */
export interface SourceText {
  readonly path: string;
  readonly text: string;
}

/** A TypeScript file with its syntax tree. */
export interface ParsedFile extends SourceText {
  readonly lines: readonly string[];
  readonly root: SourceFile;
  readonly imports: readonly ImportEdge[];
}

/** Everything the rules look at. */
export interface Project {
  readonly files: readonly ParsedFile[];
  readonly byPath: ReadonlyMap<string, ParsedFile>;
  /** Every text file, TypeScript included. */
  readonly texts: readonly SourceText[];
  /** Packages that shipped code may import: `dependencies` of package.json. */
  readonly dependencies: ReadonlySet<string>;
}

const VIRTUAL_ROOT = '/penstock';

/**
 * Parses the TypeScript files among `texts`. The compiler sees them in a virtual folder without
 * libraries and without following imports, so that this costs milliseconds and a test can pass
 * strings. The API is TypeScript 7's and named unstable; this file is the only one that starts it.
 */
export function parseProject(texts: readonly SourceText[]): Project {
  const sources = texts.filter((text) => text.path.endsWith('.ts'));
  const virtual: Record<string, string> = {
    [`${VIRTUAL_ROOT}/tsconfig.json`]: JSON.stringify({
      compilerOptions: { noLib: true, noResolve: true, types: [], module: 'nodenext' },
      files: sources.map((source) => source.path),
    }),
  };
  for (const source of sources) virtual[`${VIRTUAL_ROOT}/${source.path}`] = source.text;
  const api = new API({ cwd: VIRTUAL_ROOT, fs: createVirtualFileSystem(virtual) });
  try {
    const snapshot = api.updateSnapshot({ openProjects: [`${VIRTUAL_ROOT}/tsconfig.json`] });
    const program = snapshot.getProjects()[0]?.program;
    if (program === undefined) throw new Error('TypeScript did not open the virtual project');
    const files = sources.map((source) => {
      const root = program.getSourceFile(`${VIRTUAL_ROOT}/${source.path}`);
      if (root === undefined) throw new Error(`TypeScript did not parse ${source.path}`);
      return { ...source, lines: source.text.split('\n'), root, imports: importsOf(root) };
    });
    const byPath = new Map(files.map((file) => [file.path, file]));
    return { files, byPath, texts, dependencies: dependenciesOf(texts) };
  } finally {
    api.close();
  }
}

/** 1-based line of a node's first token. */
export function lineOf(file: ParsedFile, node: Node): number {
  return file.root.getLineAndCharacterOfPosition(node.getStart(file.root)).line + 1;
}

/** Calls `visitor` for every node below and including `node`, parents first. */
export function visit(node: Node, visitor: (node: Node) => void): void {
  visitor(node);
  node.forEachChild((child) => visit(child, visitor));
}

/** File that a relative specifier names, whether it exists or not. */
export function resolveSpecifier(fromFile: string, specifier: string): string {
  return path.posix.join(path.posix.dirname(fromFile), specifier);
}

function dependenciesOf(texts: readonly SourceText[]): ReadonlySet<string> {
  const manifest = texts.find((text) => text.path === 'package.json');
  if (manifest === undefined) return new Set();
  const parsed = JSON.parse(manifest.text) as { dependencies?: Record<string, string> };
  return new Set(Object.keys(parsed.dependencies ?? {}));
}
