const BACKSLASH = 0x5c;
const SMALL_U = 0x75;
const UNICODE_ESCAPE_BYTES = 6;

/** Bytes that end a run: controls (refused by RFC 8259), the quote and the backslash. */
const STOPS: Uint8Array = buildStops();

/** Bytes that may follow a backslash and complete the escape by themselves: `"\/bfnrt`. */
const SHORT_ESCAPES: Uint8Array = markBytes('"\\/bfnrt');

const HEX_DIGITS: Uint8Array = markBytes('0123456789abcdefABCDEF');

/**
 * Index of the first byte at or after `from` that the body of a JSON string cannot pass over: its
 * closing quote, a control character, or an escape that is wrong or not wholly in `bytes`;
 * `bytes.length` when there is none. `PromptKernel.skipString` says the same several times faster;
 * this is for where there is no kernel.
 */
export function skipStringRun(bytes: Uint8Array, from: number): number {
  const length = bytes.length;
  let index = from;
  for (;;) {
    while (index < length && STOPS[bytes[index] as number] === 0) index++;
    if (index >= length || bytes[index] !== BACKSLASH) return index;
    const size = escapeSizeAt(bytes, index);
    if (size === 0) return index;
    index += size;
  }
}

/** Bytes of the escape at `index`, 0 when it is wrong or its end is not there. */
function escapeSizeAt(bytes: Uint8Array, index: number): number {
  if (index + 1 >= bytes.length) return 0;
  const second = bytes[index + 1] as number;
  if (SHORT_ESCAPES[second] === 1) return 2;
  const end = index + UNICODE_ESCAPE_BYTES;
  if (second !== SMALL_U || end > bytes.length) return 0;
  for (let at = index + 2; at < end; at++) {
    if (HEX_DIGITS[bytes[at] as number] === 0) return 0;
  }
  return UNICODE_ESCAPE_BYTES;
}

function buildStops(): Uint8Array {
  const stops = markBytes('"\\');
  stops.fill(1, 0, 0x20);
  return stops;
}

function markBytes(characters: string): Uint8Array {
  const marks = new Uint8Array(256);
  for (const byte of Buffer.from(characters)) marks[byte] = 1;
  return marks;
}
