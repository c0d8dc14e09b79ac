/**
 * Bytes of something that was cut by the end of a read, until the rest of it comes. The room
 * doubles: a head that comes byte by byte must not be copied for each of them.
 */
export class KeptBytes {
  readonly #bytesMax: number;
  #room: Buffer = Buffer.allocUnsafe(256);
  #length = 0;

  /** Keeps at most one byte more than `bytesMax`, which shows that there are too many. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** How many bytes are kept. */
  get length(): number {
    return this.#length;
  }

  /** Whether there were more bytes than may be. */
  get isTooLong(): boolean {
    return this.#length > this.#bytesMax;
  }

  /** What is kept; valid until the next `add`. */
  get bytes(): Buffer {
    return this.#room.subarray(0, this.#length);
  }

  /** Adds the bytes from `start` up to `end`. */
  add(bytes: Buffer, start: number, end: number): void {
    const last = Math.min(end, start + this.#bytesMax + 1 - this.#length);
    const needed = this.#length + last - start;
    if (this.#room.length < needed) {
      const grown = Buffer.allocUnsafe(2 * needed);
      this.#room.copy(grown, 0, 0, this.#length);
      this.#room = grown;
    }
    bytes.copy(this.#room, this.#length, start, last);
    this.#length = needed;
  }
}
