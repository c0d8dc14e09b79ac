/** Rank of every module under `src/`. A module may import lower ranks only, never its own rank. */
export const RANKS: Readonly<Record<string, number>> = Object.freeze({
  core: 0,
  protocol: 1,
  telemetry: 1,
  pool: 2,
  scheduler: 2,
  director: 3,
  gateway: 4,
  discovery: 4,
  simulator: 4,
  cli: 5,
});

/** Up to this rank code does no I/O and reads no ambient time, randomness or environment. */
export const HIGHEST_PURE_RANK = 3;

/**
 * What other packages may import: each is in `exports` of package.json, belongs to no module, and
 * passes on types of several.
 */
export const PACKAGE_ENTRIES: readonly string[] = Object.freeze(['src/plugins.ts']);

/** Where the program starts; every other source file must be reachable from somewhere. */
export const ENTRY_POINTS: readonly string[] = Object.freeze([
  'src/cli/main.ts',
  ...PACKAGE_ENTRIES,
]);

/** Name of the module that a file of `src/` belongs to, or null for files elsewhere. */
export function moduleOf(file: string): string | null {
  const parts = file.split('/');
  return parts[0] === 'src' && parts.length > 2 ? (parts[1] ?? null) : null;
}

/** Rank of the module that a file belongs to, or null outside the known modules. */
export function rankOf(file: string): number | null {
  const name = moduleOf(file);
  return name === null ? null : (RANKS[name] ?? null);
}

/** Tests and what only tests use: `*.test.ts`, `testing/` folders and the top-level `test/`. */
export function isTestFile(file: string): boolean {
  return file.endsWith('.test.ts') || file.startsWith('test/') || file.includes('/testing/');
}

/** Shipped code: files of `src/` that are not tests. */
export function isShipped(file: string): boolean {
  return file.startsWith('src/') && !isTestFile(file);
}
