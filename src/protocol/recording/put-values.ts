const ZERO = 48;
const DOT = 46;

/** Bytes of a fixed text, to be written four at a time. */
export interface Word {
  /** Little-endian, the last one filled up with zeros. */
  readonly quads: Int32Array;
  /** Bytes of the text. */
  readonly length: number;
}

/** The UTF-8 of a text as a word. */
export function encodeWord(text: string): Word {
  const bytes = Buffer.from(text);
  const padded = new DataView(new ArrayBuffer(Math.ceil(bytes.length / 4) * 4));
  for (const [at, byte] of bytes.entries()) padded.setUint8(at, byte);
  const quads = new Int32Array(padded.byteLength / 4);
  for (let i = 0; i < quads.length; i += 1) quads[i] = padded.getInt32(i * 4, true);
  return { quads, length: bytes.length };
}

/**
 * Writes a word; returns its end. Up to three bytes after that become 0, so something has to be
 * written there afterwards. Byte by byte it would take three times as long.
 */
export function putWord(view: DataView, at: number, { quads, length }: Word): number {
  const { length: count } = quads;
  for (let i = 0; i < count; i += 1) view.setInt32(at + i * 4, quads[i] as number, true);
  return at + length;
}

/** Writes a whole number from 0 to 2^31 - 1 in decimal; returns its end. */
export function putInteger(bytes: Uint8Array, at: number, value: number): number {
  let rest = value | 0;
  const end = at + countDigits(rest);
  for (let to = end - 1; to > at; to -= 1) {
    const tenth = (rest / 10) | 0;
    bytes[to] = ZERO + rest - tenth * 10;
    rest = tenth;
  }
  bytes[at] = ZERO + rest;
  return end;
}

/** Writes hundredths, from 0 to 2^31 - 1, as a number with two places; returns its end. */
export function putHundredths(bytes: Uint8Array, at: number, value: number): number {
  const hundredths = value | 0;
  const whole = (hundredths / 100) | 0;
  const end = putInteger(bytes, at, whole);
  const rest = (hundredths - whole * 100) | 0;
  const tens = (rest / 10) | 0;
  bytes[end] = DOT;
  bytes[end + 1] = ZERO + tens;
  bytes[end + 2] = ZERO + rest - tens * 10;
  return end + 3;
}

function countDigits(value: number): number {
  if (value < 100) return value < 10 ? 1 : 2;
  if (value < 10_000) return value < 1000 ? 3 : 4;
  if (value < 1_000_000) return value < 100_000 ? 5 : 6;
  if (value < 100_000_000) return value < 10_000_000 ? 7 : 8;
  return value < 1_000_000_000 ? 9 : 10;
}
