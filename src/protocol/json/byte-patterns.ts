/**
 * Finds any of a few short ASCII patterns in bytes: Horspool's search (R. N. Horspool, 1980) for a
 * set. On SSE chunks of 200 bytes the native `indexOf` costs three times as much, most of it in the
 * call.
 */
export class BytePatterns {
  readonly #patterns: readonly Uint8Array[];
  /** Length of the shortest pattern; the search window. */
  readonly #window: number;
  /** How far the window may move on when its last byte is this one; 0 = compare. */
  readonly #shifts: Uint8Array;

  /** Each pattern has at least 2 and at most 255 bytes. */
  constructor(patterns: readonly string[]) {
    this.#patterns = patterns.map((pattern) => Buffer.from(pattern, 'latin1'));
    this.#window = Math.min(...this.#patterns.map((pattern) => pattern.length));
    this.#shifts = buildShifts(this.#patterns, this.#window);
  }

  /** Index of the first match that begins at or after `from`, or -1. Hot: bench `stream`. */
  indexIn(bytes: Uint8Array, from: number): number {
    const shifts = this.#shifts;
    const length = bytes.length;
    const last = this.#window - 1;
    let index = from + last;
    while (index < length) {
      const shift = shifts[bytes[index] as number] as number;
      if (shift === 0) {
        if (this.#isMatch(bytes, index - last)) return index - last;
        index++;
      } else {
        index += shift;
      }
    }
    return -1;
  }

  #isMatch(bytes: Uint8Array, start: number): boolean {
    for (let i = 0; i < this.#patterns.length; i++) {
      if (matchesAt(bytes, start, this.#patterns[i] as Uint8Array)) return true;
    }
    return false;
  }
}

function matchesAt(bytes: Uint8Array, start: number, pattern: Uint8Array): boolean {
  for (let i = 0; i < pattern.length; i++) {
    if (bytes[start + i] !== pattern[i]) return false;
  }
  return true;
}

function buildShifts(patterns: readonly Uint8Array[], window: number): Uint8Array {
  const shifts = new Uint8Array(256).fill(window);
  for (const pattern of patterns) {
    for (let i = 0; i < window; i++) {
      const byte = pattern[i] as number;
      shifts[byte] = Math.min(shifts[byte] as number, window - 1 - i);
    }
  }
  return shifts;
}
