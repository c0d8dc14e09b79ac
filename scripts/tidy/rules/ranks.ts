import { isShipped, isTestFile, moduleOf, rankOf, RANKS, PACKAGE_ENTRIES } from '../layers.ts';
import type { ImportEdge } from '../imports.ts';
import { resolveSpecifier, type ParsedFile, type Project } from '../project.ts';
import type { Finding, Rule } from '../finding.ts';

/** A module imports modules of lower rank only. */
export const ranks: Rule = {
  name: 'rank',
  wayOut: 'declare a port in ports.ts, implement it higher up and wire it in cli/compose.ts',
  check: (project) =>
    eachEdge(project, (file, edge) => {
      const target = resolveSpecifier(file.path, edge.specifier);
      const [from, to] = [moduleOf(file.path), moduleOf(target)];
      const [fromRank, toRank] = [rankOf(file.path), rankOf(target)];
      if (from === to || fromRank === null || toRank === null || fromRank > toRank) return null;
      return `${from} (rank ${fromRank}) must not import ${to} (rank ${toRank}): ${edge.specifier}`;
    }),
};

/** Every source file lives in a module that has a rank. */
export const knownModules: Rule = {
  name: 'module',
  wayOut: `put the file into a module (${Object.keys(RANKS).join(', ')}) or give the new module a rank`,
  check: (project) =>
    project.files
      .filter((file) => file.path.startsWith('src/') && rankOf(file.path) === null)
      .filter((file) => !PACKAGE_ENTRIES.includes(file.path))
      .map((file) => ({ file: file.path, line: 1, message: 'is in no module that has a rank' })),
};

/** Shipped code imports neither tests nor anything outside `src/`. */
export const shippedOnly: Rule = {
  name: 'shipped-import',
  wayOut: 'move what both need into src/, or read it as data at run time',
  check: (project) =>
    eachEdge(project, (file, edge) => {
      const target = resolveSpecifier(file.path, edge.specifier);
      if (isTestFile(target)) return `shipped code must not import a test file: ${edge.specifier}`;
      const leaves = !target.startsWith('src/') && edge.kind !== 'url';
      return leaves ? `shipped code must not import from outside src: ${edge.specifier}` : null;
    }),
};

function eachEdge(
  project: Project,
  judge: (file: ParsedFile, edge: ImportEdge) => string | null,
): Finding[] {
  const findings: Finding[] = [];
  for (const file of project.files) {
    if (!isShipped(file.path)) continue;
    for (const edge of file.imports) {
      const message = edge.specifier.startsWith('.') ? judge(file, edge) : null;
      if (message !== null) findings.push({ file: file.path, line: edge.line, message });
    }
  }
  return findings;
}
