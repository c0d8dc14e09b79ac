import {
  LINE_TAIL_BYTES,
  LineTarget,
  type RecordingLineWriter,
} from '../../protocol/recording/line-writer.ts';
import type { LineRow } from '../../protocol/recording/row.ts';
import { BLOCK_HASH_CHARS, RECORDING_LINE_BYTES_MAX } from '../../protocol/recording/types.ts';
import type { SealedHashes } from './sealed-hashes.ts';

/**
 * Bytes from which a batch takes no more lines. Handing one to the disk takes 50 us and more,
 * whatever its size.
 */
const BATCH_BYTES: number = 512 * 1024;

/** Lines in one buffer, on their way to the file. */
export class LineBatch {
  readonly #writer: RecordingLineWriter;
  readonly #target: LineTarget = new LineTarget(BATCH_BYTES + RECORDING_LINE_BYTES_MAX);
  #length = 0;
  #lineCount = 0;

  constructor(writer: RecordingLineWriter) {
    this.#writer = writer;
  }

  /** The lines, until `clear`. */
  get bytes(): Uint8Array {
    return this.#target.bytes.subarray(0, this.#length);
  }

  get lineCount(): number {
    return this.#lineCount;
  }

  get isFull(): boolean {
    return this.#length >= BATCH_BYTES;
  }

  /**
   * Adds a row as a line to a batch that is not full, with the next hashes; false when it is too
   * long, and then no hash is taken.
   */
  add(row: LineRow, hashes: SealedHashes): boolean {
    const end = this.#writer.write(this.#target, this.#length, row);
    if (end < 0) return false;
    const count = row.blockCount;
    if (count > 0) {
      hashes.writeNext(this.#target.bytes, end - LINE_TAIL_BYTES - count * BLOCK_HASH_CHARS, count);
    }
    this.#length = end;
    this.#lineCount += 1;
    return true;
  }

  /** Makes it empty, to be used again. */
  clear(): void {
    this.#length = 0;
    this.#lineCount = 0;
  }
}
