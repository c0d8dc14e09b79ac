import {
  LINE_TAIL_BYTES,
  type RecordedLine,
  type RecordingLineWriter,
} from '../../protocol/recording/line-writer.ts';
import { BLOCK_HASH_CHARS, RECORDING_LINE_BYTES_MAX } from '../../protocol/recording/types.ts';
import type { PendingHashes } from './pending-hashes.ts';
import { writeSealed } from './secrets.ts';

/**
 * Lines are handed to the file from this size on, or after half a second. A write takes 25 us
 * beside the copying, which is much for one request and little for 600.
 */
export const BATCH_BYTES: number = 256 * 1024;

/** What all batches of a recorder share. */
export interface LineTools {
  readonly writer: RecordingLineWriter;
  readonly pending: PendingHashes;
}

/**
 * Lines on their way to the file. Hashes wait in `PendingHashes`, which the batch that is
 * being filled has for itself, until `seal` puts them in: one encryption for hundreds of requests.
 */
export class LineBatch {
  /** The lines, `length` bytes of them. */
  readonly bytes: Buffer = Buffer.allocUnsafe(BATCH_BYTES + RECORDING_LINE_BYTES_MAX);
  #length = 0;
  #lineCount = 0;
  /** Where a line's hashes go, and how many there are: two numbers for each line that has some. */
  #gaps: number[] = [];

  get length(): number {
    return this.#length;
  }

  get lineCount(): number {
    return this.#lineCount;
  }

  get isFull(): boolean {
    return this.#length >= BATCH_BYTES;
  }

  /** Adds a line to a batch that is not full; false when it is too long. */
  add(line: RecordedLine, hashes: Uint32Array, tools: LineTools): boolean {
    const end = tools.writer.write(this.bytes, this.#length, line);
    if (end < 0) return false;
    const { blockCount } = line;
    if (blockCount > 0) {
      this.#gaps.push(end - LINE_TAIL_BYTES - blockCount * BLOCK_HASH_CHARS, blockCount);
      tools.pending.add(hashes, blockCount);
    }
    this.#length = end;
    this.#lineCount += 1;
    return true;
  }

  /** Fills in the hashes; nothing can be added any more. */
  seal(pending: PendingHashes): void {
    const hashes = pending.take();
    const gaps = this.#gaps;
    let first = 0;
    for (let i = 0; i < gaps.length; i += 2) {
      const count = gaps[i + 1] as number;
      writeSealed(this.bytes, gaps[i] as number, { hashes, first, count });
      first += count;
    }
    this.#gaps = [];
  }

  /** Makes it empty, to be used again. */
  clear(): void {
    this.#length = 0;
    this.#lineCount = 0;
    this.#gaps = [];
  }
}
