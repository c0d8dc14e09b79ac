import { writeBlockHash } from '../../protocol/recording/block-text.ts';
import { BLOCK_HASH_CHARS } from '../../protocol/recording/types.ts';

/** Bytes of one block of AES; six of them are a hash. */
const SEALED_BYTES = 16;

const LOW_BITS = 0xff_ff_ff;

/** Encrypted block hashes, read from the first to the last. */
export class SealedHashes {
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Writes the next `count` as text at `at`. */
  writeNext(target: DataView, at: number, count: number): void {
    const view = this.#view;
    let from = this.#at;
    for (let i = 0; i < count; i += 1, from += SEALED_BYTES) {
      const high = view.getInt32(from, true) & LOW_BITS;
      const low = view.getInt32(from + 4, true) & LOW_BITS;
      writeBlockHash(target, at + i * BLOCK_HASH_CHARS, high, low);
    }
    this.#at = from;
  }
}
