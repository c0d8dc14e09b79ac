import type { Finding, Rule } from '../finding.ts';
import { ENTRY_POINTS, isShipped, isTestFile } from '../layers.ts';
import { resolveSpecifier, type ParsedFile, type Project } from '../project.ts';

/** No file reaches itself through imports that run code. */
export const cycles: Rule = {
  name: 'cycle',
  wayOut: 'move what both need into a third file, or import only the type',
  check: (project) => {
    const graph = graphOf(project, (edge) => edge === 'value');
    return project.files.flatMap((file) => {
      const route = routeBack(file.path, graph);
      // Each cycle is reported once, at its first file by name.
      const isFirst = route !== null && route.every((step) => file.path <= step);
      return isFirst
        ? [{ file: file.path, line: 1, message: [...route, file.path].join(' -> ') }]
        : [];
    });
  },
};

/** Every shipped file is used by the program, a script, a bench, or a test other than its own. */
export const deadFiles: Rule = {
  name: 'dead-file',
  wayOut: 'use it or delete it',
  check: (project) => {
    const graph = graphOf(project, () => true);
    const roots = project.files.filter((file) => !isShipped(file.path)).map((file) => file.path);
    const alive = reachable([...ENTRY_POINTS, ...roots], (path) => {
      const own = path.replace(/\.test\.ts$/, '.ts');
      return (graph.get(path) ?? []).filter((target) => !isTestFile(path) || target !== own);
    });
    return project.files
      .filter((file) => isShipped(file.path) && !alive.has(file.path))
      .map((file): Finding => ({ file: file.path, line: 1, message: 'is used by nothing' }));
  },
};

/** Packages that shipped code imports are declared as dependencies, and all of those are used. */
export const dependencies: Rule = {
  name: 'dependency',
  wayOut: 'add it to dependencies of package.json and docs/dependencies.md, or remove it from both',
  check: (project) => {
    const findings: Finding[] = [];
    const used = new Set<string>();
    for (const file of project.files.filter((candidate) => isShipped(candidate.path))) {
      for (const { specifier, line } of file.imports) {
        const name = packageOf(specifier);
        if (name === null) continue;
        used.add(name);
        if (project.dependencies.has(name)) continue;
        findings.push({ file: file.path, line, message: `imports undeclared package ${name}` });
      }
    }
    for (const name of project.dependencies) {
      const message = `dependency ${name} is imported by nothing`;
      if (!used.has(name)) findings.push({ file: 'package.json', line: 1, message });
    }
    return findings;
  },
};

type Graph = ReadonlyMap<string, readonly string[]>;

function graphOf(project: Project, isWanted: (kind: string) => boolean): Graph {
  const targetsOf = (file: ParsedFile): string[] =>
    file.imports
      .filter((edge) => edge.specifier.startsWith('.') && isWanted(edge.kind))
      .map((edge) => resolveSpecifier(file.path, edge.specifier))
      .filter((target) => project.byPath.has(target));
  return new Map(project.files.map((file) => [file.path, [...new Set(targetsOf(file))]]));
}

function reachable(
  roots: readonly string[],
  next: (path: string) => readonly string[],
): ReadonlySet<string> {
  const seen = new Set<string>(roots);
  // A set may grow while it is iterated; each path is visited once.
  for (const path of seen) for (const target of next(path)) seen.add(target);
  return seen;
}

/** Shortest way from a file through imports back to it, without the last step; null if none. */
function routeBack(start: string, graph: Graph): string[] | null {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (const path of queue) {
    for (const target of graph.get(path) ?? []) {
      if (target === start) return unwind(path, start, cameFrom);
      if (cameFrom.has(target)) continue;
      cameFrom.set(target, path);
      queue.push(target);
    }
  }
  return null;
}

function unwind(last: string, start: string, cameFrom: ReadonlyMap<string, string>): string[] {
  const route = [last];
  for (let step = last; step !== start;) {
    step = cameFrom.get(step) ?? start;
    route.unshift(step);
  }
  return route;
}

/** Package that a bare specifier names, or null for relative paths and Node's own modules. */
function packageOf(specifier: string): string | null {
  if (specifier.startsWith('.') || specifier.startsWith('node:')) return null;
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? null);
}
