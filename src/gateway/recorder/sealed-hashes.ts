import { writeBlockHash } from '../../protocol/recording/block-text.ts';
import { BLOCK_HASH_CHARS } from '../../protocol/recording/types.ts';

/** Bytes of one block of AES, of which a hash is the first six. */
const SEALED_BYTES = 16;

/** Encrypted block hashes, read from the first to the last. */
export class SealedHashes {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Writes the next `count` as text at `at`. */
  writeNext(target: Uint8Array, at: number, count: number): void {
    const bytes = this.#bytes;
    let from = this.#at;
    for (let i = 0; i < count; i += 1, from += SEALED_BYTES) {
      const high = wordOf(bytes, from);
      writeBlockHash(target, at + i * BLOCK_HASH_CHARS, { high, low: wordOf(bytes, from + 3) });
    }
    this.#at = from;
  }

  /** Leaves out the next `count`. */
  skip(count: number): void {
    this.#at += count * SEALED_BYTES;
  }
}

/** Three bytes from `at` on, the first one highest. */
function wordOf(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number)
  );
}
