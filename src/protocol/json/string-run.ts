/**
 * Skips the inside of JSON strings, where almost all bytes of a prompt lie. Eight bytes are tested
 * at a time: a byte `b` of a word stops the run when it is below 0x20, a quote or a backslash,
 * found with `(x - 0x01010101) & ~x & 0x80808080`, which marks the zero bytes of `x` (Warren,
 * Hacker's Delight, 6-1). A borrow can mark a byte above a true hit but never without one, so a
 * mark only ends the word loop and the bytes behind it are looked at one by one. Byte order does
 * not matter.
 */

const QUOTES = 0x22222222;
const BACKSLASHES = 0x5c5c5c5c;
const SPACES = 0x20202020;
const ONES = 0x01010101;
const HIGH_BITS = 0x80808080;
const BACKSLASH = 0x5c;

/** Bytes that end a run: controls (refused by RFC 8259), the quote and the backslash. */
const STOPS: Uint8Array = buildStops();

/** Bytes that may follow a backslash and complete the escape by themselves: `"\/bfnrt`. */
const SHORT_ESCAPES: Uint8Array = buildShortEscapes();

/** A chunk with an aligned view of its inner words. */
export interface WordView {
  readonly words: Int32Array;
  /** Bytes of the chunk before the first word, 0 to 3. */
  readonly lead: number;
}

/** The aligned words of `bytes`; null when there is not even one. */
export function createWordView(bytes: Uint8Array): WordView | null {
  const lead = -bytes.byteOffset & 3;
  const wordCount = (bytes.length - lead) >> 2;
  if (wordCount < 1) return null;
  return { words: new Int32Array(bytes.buffer, bytes.byteOffset + lead, wordCount), lead };
}

/**
 * Index of the first byte at or after `from` that a string's body cannot pass over: its closing
 * quote, a control character, or an escape that is not a short one lying wholly in this chunk;
 * `bytes.length` when there is none. Hot: bench `long-prompt`.
 */
export function skipStringRun(bytes: Uint8Array, view: WordView | null, from: number): number {
  const length = bytes.length;
  let index = from;
  for (;;) {
    index = view === null ? skipBytes(bytes, index, length) : skipWords(bytes, view, index);
    if (index + 1 >= length || bytes[index] !== BACKSLASH) return index;
    if (SHORT_ESCAPES[bytes[index + 1] as number] === 0) return index;
    index += 2;
  }
}

function skipBytes(bytes: Uint8Array, from: number, to: number): number {
  let index = from;
  while (index < to && STOPS[bytes[index] as number] === 0) index++;
  return index;
}

function skipWords(bytes: Uint8Array, view: WordView, from: number): number {
  const { words, lead } = view;
  const aligned = from + ((lead - from) & 3);
  const length = bytes.length;
  const index = skipBytes(bytes, from, aligned < length ? aligned : length);
  if (index < aligned) return index;
  const lastPair = words.length - 1;
  let word = (aligned - lead) >> 2;
  while (word < lastPair) {
    const a = words[word] as number;
    const b = words[word + 1] as number;
    const marksA = (a - SPACES) | ((a ^ QUOTES) - ONES) | ((a ^ BACKSLASHES) - ONES);
    const marksB = (b - SPACES) | ((b ^ QUOTES) - ONES) | ((b ^ BACKSLASHES) - ONES);
    if ((((marksA & ~a) | (marksB & ~b)) & HIGH_BITS) !== 0) break;
    word += 2;
  }
  return skipBytes(bytes, lead + (word << 2), length);
}

function buildStops(): Uint8Array {
  const stops = new Uint8Array(256);
  stops.fill(1, 0, 0x20);
  stops[0x22] = 1;
  stops[BACKSLASH] = 1;
  return stops;
}

function buildShortEscapes(): Uint8Array {
  const escapes = new Uint8Array(256);
  for (const byte of Buffer.from('"\\/bfnrt')) escapes[byte] = 1;
  return escapes;
}
