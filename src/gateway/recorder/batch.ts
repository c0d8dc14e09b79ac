import type { RecordedLine, RecordingLineWriter } from '../../protocol/recording/line-writer.ts';
import { LINE_TAIL_BYTES } from '../../protocol/recording/line-writer.ts';
import { BLOCK_HASH_CHARS, RECORDING_LINE_BYTES_MAX } from '../../protocol/recording/types.ts';
import { writeSealed } from './secrets.ts';

/** Bytes from which a batch takes no more lines. */
const BATCH_BYTES: number = 320 * 1024;

/** Lines in one buffer, on their way to the file. */
export class LineBatch {
  readonly #bytes: Buffer = Buffer.allocUnsafe(BATCH_BYTES + RECORDING_LINE_BYTES_MAX);
  #length = 0;
  #lineCount = 0;

  /** The lines, until `clear`. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  get lineCount(): number {
    return this.#lineCount;
  }

  get isFull(): boolean {
    return this.#length >= BATCH_BYTES;
  }

  /**
   * Adds a line to a batch that is not full, with the encrypted hashes from number `first` on;
   * false when it is too long.
   */
  add(
    writer: RecordingLineWriter,
    line: RecordedLine,
    sealed: { readonly hashes: Uint8Array; readonly first: number },
  ): boolean {
    const end = writer.write(this.#bytes, this.#length, line);
    if (end < 0) return false;
    const { hashes, first } = sealed;
    const count = line.blockCount;
    const at = end - LINE_TAIL_BYTES - count * BLOCK_HASH_CHARS;
    writeSealed(this.#bytes, at, { hashes, first, count });
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
