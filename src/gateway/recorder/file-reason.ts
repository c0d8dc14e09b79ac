const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'its folder does not exist; create it first',
  ENOTDIR: 'its folder is a file; choose another path',
  EISDIR: 'it is a folder; add the name of a file, such as trace.jsonl',
  EACCES: 'permission denied; choose a path that this user may write',
  EPERM: 'permission denied; choose a path that this user may write',
  EROFS: 'the file system is read-only; choose another path',
  ENOSPC: 'the disk is full; make room, or choose another path',
};

/** Why the file could not be written, for people. */
export function reasonOf(cause: unknown): string {
  const code = codeOf(cause);
  const known = Object.hasOwn(REASONS, code) ? REASONS[code] : undefined;
  return known ?? (cause instanceof Error ? cause.message : String(cause));
}

/** The system's code of an error, such as `ENOENT`; empty without one. */
export function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : '';
}
