/** Milliseconds in a day. */
export const DAY_MS = 86_400_000;

/** Bytes in a mebibyte. */
export const MEBIBYTE = 1_048_576;

const DURATION_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  sec: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: DAY_MS,
};

const SIZE_BYTES: Readonly<Record<string, number>> = {
  b: 1,
  k: 1024,
  kb: 1000,
  kib: 1024,
  ki: 1024,
  m: MEBIBYTE,
  mb: 1_000_000,
  mib: MEBIBYTE,
  mi: MEBIBYTE,
  g: 1024 * MEBIBYTE,
  gb: 1_000_000_000,
  gib: 1024 * MEBIBYTE,
  gi: 1024 * MEBIBYTE,
};

/** What the last part of a key's name says of its unit; null: it has none. */
export function unitOf(key: string): 'milliseconds' | 'bytes' | 'percent' | null {
  if (key.endsWith('Ms')) return 'milliseconds';
  if (key.endsWith('Bytes')) return 'bytes';
  return key.endsWith('Percent') ? 'percent' : null;
}

/**
 * Reads `5s` or `64MiB` as the plain number that the key `key` wants; null when it is no such text.
 */
export function plainNumber(key: string, text: string): number | null {
  const parts = /^\s*(\d+(?:\.\d+)?)\s*([a-z%]*)\s*$/i.exec(text);
  const amount = Number(parts?.[1]);
  const suffix = (parts?.[2] ?? '').toLowerCase();
  if (parts === null || Number.isNaN(amount)) return null;
  if (suffix === '') return amount;
  const unit = unitOf(key);
  if (unit === 'percent') return suffix === '%' ? amount : null;
  if (unit === null) return null;
  const factor = unit === 'milliseconds' ? DURATION_MS[suffix] : SIZE_BYTES[suffix];
  return factor === undefined ? null : Math.round(amount * factor);
}
