import type { BlockMask, PromptBlocks } from '../../protocol/request/prompt-blocks.ts';
import type { SealedHashes } from './sealed-hashes.ts';
import { CIPHER_BLOCK_WORDS, type RecordingSecrets } from './secrets.ts';

/** Hashes that fit at first; grows to 20,480, a full list and the longest prompt. */
const HASHES_START = 2048;

/** Leaves hashes as they are. */
const NO_MASK: BlockMask = Object.freeze({ low: 0, high: 0 });

/** Words of a hash as the gateway works them out. */
const WORDS_PER_HASH = 2;

/** Block hashes as the gateway works them out, until all are encrypted at once. */
export class PendingHashes {
  readonly #secrets: RecordingSecrets;
  /** Of each four words the last two are always 0. */
  #words: Uint32Array<ArrayBuffer> = new Uint32Array(HASHES_START * CIPHER_BLOCK_WORDS);
  #count = 0;

  constructor(secrets: RecordingSecrets) {
    this.#secrets = secrets;
  }

  get count(): number {
    return this.#count;
  }

  /** Adds the hashes of all blocks, without their salt where that can be told. */
  add({ hashes, count, mask = NO_MASK }: PromptBlocks): void {
    const { low, high } = mask;
    const needed = (this.#count + count) * CIPHER_BLOCK_WORDS;
    if (needed > this.#words.length) {
      const grown = new Uint32Array(needed * 2);
      grown.set(this.#words);
      this.#words = grown;
    }
    const words = this.#words;
    let to = this.#count * CIPHER_BLOCK_WORDS;
    for (let i = 0; i < count * WORDS_PER_HASH; i += WORDS_PER_HASH, to += CIPHER_BLOCK_WORDS) {
      words[to] = (hashes[i] as number) ^ low;
      words[to + 1] = (hashes[i + 1] as number) ^ high;
    }
    this.#count += count;
  }

  /** All of them, encrypted, in order; afterwards there are none. */
  take(): SealedHashes {
    const words = this.#words.subarray(0, this.#count * CIPHER_BLOCK_WORDS);
    this.#count = 0;
    return this.#secrets.seal(words);
  }
}
