const NO_WORDS = new Uint32Array(0);
const WORDS_PER_HASH = 2;
/** By how much the room grows: bodies come in few, large chunks, and the room lives as long. */
const GROWTH = 4;

/** The hash of one field's bytes so far, and what it was after each whole block. */
export class PromptChain {
  /** The hash so far, as two words. */
  low = 0;
  high = 0;
  /** Whole blocks kept in `hashes`. */
  count = 0;
  /** The field has ended, and the hash is that of all of it. */
  isEnded = false;
  #hashes: Uint32Array = NO_WORDS;

  /** Two words (low, high) for each of `count` blocks. */
  get hashes(): Uint32Array {
    return this.#hashes;
  }

  /** Appends `count` hashes from the front of `words`. */
  append(words: Uint32Array, count: number): void {
    const room = (this.count + count) * WORDS_PER_HASH;
    if (room > this.#hashes.length) this.#grow(this.isEnded ? room : room * GROWTH);
    const from = this.count * WORDS_PER_HASH;
    for (let i = 0; i < count * WORDS_PER_HASH; i++) this.#hashes[from + i] = words[i] as number;
    this.count += count;
  }

  #grow(words: number): void {
    const grown = new Uint32Array(words);
    grown.set(this.#hashes);
    this.#hashes = grown;
  }
}
