import { BLOCK_HASH_CHARS } from './types.ts';

/** RFC 4648 section 5. */
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** Two characters for each value of 12 bits, the first in the low byte. */
const PAIRS: Uint16Array = Uint16Array.from(
  { length: 4096 },
  (_, bits) => ALPHABET.charCodeAt(bits >> 6) | (ALPHABET.charCodeAt(bits & 63) << 8),
);

/** Value of each character code below 128; 64 for those that are not in the alphabet. */
const VALUES: Uint8Array = Uint8Array.from({ length: 128 }, (_, code) => {
  const value = ALPHABET.indexOf(String.fromCharCode(code));
  return value < 0 ? 64 : value;
});

const LOW_BITS = 24;
const LOW_SIZE: number = 2 ** LOW_BITS;

/** Writes a hash, given as its upper and lower 24 bits, as eight characters at `at`. */
export function writeBlockHash(view: DataView, at: number, high: number, low: number): void {
  view.setInt32(at, quadOf(high), true);
  view.setInt32(at + 4, quadOf(low), true);
}

/** Four characters for 24 bits, the first in the low byte. */
function quadOf(bits: number): number {
  return (PAIRS[bits >>> 12] as number) | ((PAIRS[bits & 4095] as number) << 16);
}

/** Block hashes as one text, eight characters each; every hash is a whole number below 2^48. */
export function encodeBlocks(blocks: readonly number[]): string {
  const bytes = Buffer.alloc(blocks.length * BLOCK_HASH_CHARS);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (const [index, hash] of blocks.entries()) {
    const high = Math.floor(hash / LOW_SIZE);
    writeBlockHash(view, index * BLOCK_HASH_CHARS, high, hash - high * LOW_SIZE);
  }
  return bytes.toString('latin1');
}

/** The hashes in a text; null when it is not made of whole ones. */
export function decodeBlocks(text: string): readonly number[] | null {
  if (text.length % BLOCK_HASH_CHARS !== 0) return null;
  const blocks: number[] = [];
  for (let at = 0; at < text.length; at += BLOCK_HASH_CHARS) {
    let hash = 0;
    for (let i = at; i < at + BLOCK_HASH_CHARS; i += 1) {
      const value = VALUES[text.charCodeAt(i)];
      if (value === undefined || value === 64) return null;
      hash = hash * 64 + value;
    }
    blocks.push(hash);
  }
  return blocks;
}
