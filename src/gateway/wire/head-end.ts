import type { KeptBytes } from './kept-bytes.ts';

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const DEL = 0x7f;

/**
 * What may not stand anywhere in a head: control characters but tab, and a CR or LF that does not
 * end a line with the other. In a value either could end a header of ours.
 */
// eslint-disable-next-line no-control-regex
const FORBIDDEN_PATTERN = /[^\t\r\n\x20-\x7e\x80-\xff]|\r(?!\n)|(?<!\r)\n/;

/** Bytes of what ends a head: the line end before the blank line, and that of it. */
export const HEAD_END_BYTES: number = '\r\n\r\n'.length;

/** There is no end of a head yet. */
export const HEAD_IS_CUT = -1;
/** There is what may not stand in a head. */
export const HEAD_IS_FORBIDDEN = -2;

/**
 * Where the blank line begins, with its CRLFs before and behind, that ends a head; or one of the
 * two values above. Looks at the bytes from `from` on, where the head begins or, when those before
 * were looked at, goes on. Hot: `npm run bench -- proxy`.
 */
export function findHeadEnd(bytes: Uint8Array, from: number): number {
  const { length } = bytes;
  for (let at = from; at < length; at += 1) {
    const byte = bytes[at] as number;
    if (byte >= SPACE ? byte !== DEL : byte === TAB) continue;
    if (byte === CR) {
      if (at + 1 < length && bytes[at + 1] !== LF) return HEAD_IS_FORBIDDEN;
      if (bytes[at + 2] === CR && bytes[at + 3] === LF) return at;
    } else if (byte !== LF || bytes[at - 1] !== CR) {
      return HEAD_IS_FORBIDDEN;
    }
  }
  return HEAD_IS_CUT;
}

/**
 * Adds a read, from `at` on, to what is kept of a head that was cut, and looks for its end there:
 * answers as `findHeadEnd` does.
 */
export function findKeptHeadEnd(kept: KeptBytes, bytes: Buffer, at: number): number {
  const before = kept.length;
  kept.add(bytes, at, bytes.length);
  // The end may have begun in an earlier read.
  return findHeadEnd(kept.bytes, Math.max(0, before - HEAD_END_BYTES + 1));
}

/** Whether a line holds what may not stand in a head. */
export function hasForbidden(text: string): boolean {
  return FORBIDDEN_PATTERN.test(text);
}
