import { findLineEnd } from './frame.ts';

const LF = 0x0a;
const CR = 0x0d;

/** Longest frame that is kept until it is whole, in bytes. */
const MAX_FRAME_BYTES: number = 1024 * 1024;

/** A whole frame with the blank line that ends it, or a part of one that is too long to be kept. */
export interface SsePiece {
  readonly bytes: Buffer;
  readonly isFrame: boolean;
}

/**
 * Cuts an event stream (WHATWG HTML, 9.2) into frames at blank lines, over any split into chunks.
 * Lines end with LF, CRLF or CR. When a chunk ends between the CR and the LF of a blank line, the
 * frame is complete at the CR and the LF comes as a piece of its own, which means nothing.
 */
export class SseFrameSplitter {
  readonly #maxFrameBytes: number;
  /** No byte of the present line has come yet. */
  #isLineEmpty = true;
  #isAfterCr = false;
  /** Copies of the parts of a frame that is not whole yet: a chunk's memory may be reused. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  #isTooLong = false;
  #isAtBoundary = true;

  constructor(maxFrameBytes: number = MAX_FRAME_BYTES) {
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** Everything taken so far ends with a blank line (or nothing has come yet). */
  get isAtBoundary(): boolean {
    return this.#isAtBoundary;
  }

  /** At a boundary with nothing held, so that whole frames need not be pushed at all. */
  get isIdle(): boolean {
    return this.#isAtBoundary && this.#heldBytes === 0 && !this.#isAfterCr;
  }

  /** Inside a frame whose beginning has been handed out already. */
  get isInLongFrame(): boolean {
    return this.#isTooLong;
  }

  /**
   * Takes the next bytes and returns what is complete; pieces of one frame may share the chunk's
   * memory.
   */
  push(chunk: Buffer): readonly SsePiece[] {
    const pieces: SsePiece[] = [];
    let start = this.#takeLateLf(chunk, pieces);
    while (start < chunk.length) {
      const end = this.#findFrameEnd(chunk, start);
      if (end < 0) break;
      pieces.push(this.#complete(chunk.subarray(start, end)));
      start = end;
    }
    if (start < chunk.length) this.#hold(chunk.subarray(start), pieces);
    return pieces;
  }

  /** The stream has ended: what is left of a frame without its blank line, or null. */
  flush(): Buffer | null {
    if (this.#heldBytes === 0) return null;
    const rest = Buffer.concat(this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    return rest;
  }

  /** The LF of a blank line whose CR ended the last chunk. */
  #takeLateLf(chunk: Buffer, pieces: SsePiece[]): number {
    if (!this.#isAfterCr || !this.#isAtBoundary || chunk[0] !== LF) return 0;
    this.#isAfterCr = false;
    pieces.push({ bytes: chunk.subarray(0, 1), isFrame: true });
    return 1;
  }

  /** Offset just behind the next blank line, or -1 when the chunk ends before it. */
  #findFrameEnd(chunk: Buffer, from: number): number {
    let index = from;
    while (index < chunk.length) {
      const lineEnd = findLineEnd(chunk, index);
      if (lineEnd > index) this.#beginLine();
      if (lineEnd === chunk.length) return -1;
      const byte = chunk[lineEnd];
      index = lineEnd + 1;
      if (byte === LF && this.#isAfterCr) {
        this.#isAfterCr = false;
      } else {
        this.#isAfterCr = byte === CR;
        if (this.#isLineEmpty) return this.#endFrame(chunk, index);
        this.#isLineEmpty = true;
      }
    }
    return -1;
  }

  #beginLine(): void {
    this.#isLineEmpty = false;
    this.#isAfterCr = false;
    this.#isAtBoundary = false;
  }

  #endFrame(chunk: Buffer, end: number): number {
    this.#isAtBoundary = true;
    if (!this.#isAfterCr || chunk[end] !== LF) return end;
    this.#isAfterCr = false;
    return end + 1;
  }

  #complete(tail: Buffer): SsePiece {
    const isFrame = !this.#isTooLong;
    this.#isTooLong = false;
    if (this.#heldBytes === 0) return { bytes: tail, isFrame };
    const bytes = Buffer.concat([...this.#held, tail]);
    this.#held = [];
    this.#heldBytes = 0;
    return { bytes, isFrame };
  }

  #hold(part: Buffer, pieces: SsePiece[]): void {
    if (!this.#isTooLong && this.#heldBytes + part.length <= this.#maxFrameBytes) {
      this.#held.push(Buffer.from(part));
      this.#heldBytes += part.length;
      return;
    }
    const held = this.flush();
    if (held !== null) pieces.push({ bytes: held, isFrame: false });
    pieces.push({ bytes: part, isFrame: false });
    this.#isTooLong = true;
  }
}
