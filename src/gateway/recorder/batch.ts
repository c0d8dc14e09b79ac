import {
  LINE_TAIL_BYTES,
  LineTarget,
  type RecordingLineWriter,
} from '../../protocol/recording/line-writer.ts';
import { BLOCK_HASH_CHARS, RECORDING_LINE_BYTES_MAX } from '../../protocol/recording/types.ts';
import type { PromptBlocks } from '../../protocol/request/prompt-blocks.ts';
import type { EndedRequest } from './ended-list.ts';
import type { PendingHashes } from './pending-hashes.ts';

/**
 * Bytes from which a batch takes no more lines. Handing one to the disk takes 50 us and more,
 * whatever its size.
 */
const BATCH_BYTES: number = 512 * 1024;

/** Lines and hashes that wait for encryption at most: what is at hand then is still cached. */
const UNSEALED_LINES_MAX = 512;
const UNSEALED_HASHES_MAX = 2048;

/** What lines are made with. */
export interface LineTools {
  readonly writer: RecordingLineWriter;
  /** Empty whenever no batch has lines without their hashes. */
  readonly hashes: PendingHashes;
}

/** Lines in one buffer, on their way to the file. */
export class LineBatch {
  readonly #tools: LineTools;
  readonly #target: LineTarget = new LineTarget(BATCH_BYTES + RECORDING_LINE_BYTES_MAX);
  /** Ends of lines whose hashes are not written yet, and how many each has. */
  readonly #unsealedEnds: Int32Array = new Int32Array(UNSEALED_LINES_MAX);
  readonly #unsealedBlocks: Int32Array = new Int32Array(UNSEALED_LINES_MAX);
  #unsealedCount = 0;
  #length = 0;
  #lineCount = 0;

  constructor(tools: LineTools) {
    this.#tools = tools;
  }

  /** The lines, until `clear`; complete once it is sealed. */
  get bytes(): Uint8Array {
    return this.#target.bytes.subarray(0, this.#length);
  }

  get lineCount(): number {
    return this.#lineCount;
  }

  get isFull(): boolean {
    return this.#length >= BATCH_BYTES;
  }

  /** Adds a request's line to a batch that is not full; false when it is too long. */
  add(ended: EndedRequest): boolean {
    const end = this.#tools.writer.write(this.#target, this.#length, ended);
    if (end < 0) return false;
    this.#length = end;
    this.#lineCount += 1;
    if (ended.blocks.count > 0) this.#awaitHashes(ended.blocks, end);
    return true;
  }

  /** Writes the hashes of all lines that still lack them, encrypted in one call. */
  seal(): void {
    const count = this.#unsealedCount;
    if (count === 0) return;
    this.#unsealedCount = 0;
    const { view } = this.#target;
    const hashes = this.#tools.hashes.take();
    for (let index = 0; index < count; index += 1) {
      const blockCount = this.#unsealedBlocks[index] as number;
      const tailAt = (this.#unsealedEnds[index] as number) - LINE_TAIL_BYTES;
      hashes.writeNext(view, tailAt - blockCount * BLOCK_HASH_CHARS, blockCount);
    }
  }

  /** Makes it empty, to be used again. */
  clear(): void {
    this.#length = 0;
    this.#lineCount = 0;
  }

  #awaitHashes(blocks: PromptBlocks, end: number): void {
    const { hashes } = this.#tools;
    const index = this.#unsealedCount;
    this.#unsealedCount = index + 1;
    this.#unsealedEnds[index] = end;
    this.#unsealedBlocks[index] = blocks.count;
    hashes.add(blocks);
    const isMuch = index + 1 === UNSEALED_LINES_MAX || hashes.count >= UNSEALED_HASHES_MAX;
    if (isMuch) this.seal();
  }
}
