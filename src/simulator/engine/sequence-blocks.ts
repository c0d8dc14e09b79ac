import { assert } from '../../core/assert.ts';
import type { BlockPool } from './block-pool.ts';
import type { Sequence } from './sequence.ts';

/** How many leading blocks of a sequence are cached, and how many of those nobody holds. */
interface PrefixHit {
  blocks: number;
  freeBlocks: number;
}

/** Gives sequences their KV blocks and makes full ones findable by later prompts. */
export class SequenceBlocks {
  readonly #pool: BlockPool;
  readonly #blockSizeTokens: number;
  readonly #isPrefixCaching: boolean;
  readonly #hit: PrefixHit = { blocks: 0, freeBlocks: 0 };

  constructor(pool: BlockPool, blockSizeTokens: number, options: { prefixCaching: boolean }) {
    this.#pool = pool;
    this.#blockSizeTokens = blockSizeTokens;
    this.#isPrefixCaching = options.prefixCaching;
  }

  /**
   * Starts a waiting sequence with at most `budgetTokens` of its prompt: takes the cached prefix
   * and the blocks of the first chunk. Returns the chunk's size in tokens, or 0 when too few blocks
   * are free, in which case nothing changed. At least one token is always computed, for its logits.
   *
   * All known tokens must fit and not only the first chunk, though only the chunk's blocks are
   * taken: several long prompts that start together would else preempt one another in turn (vLLM
   * pull request 37307).
   */
  admit(sequence: Sequence, budgetTokens: number): number {
    // What is found goes where it will stand; beyond `blockCount` the list says nothing.
    const hit = this.#lookUp(sequence.hashes, sequence.knownTokens, sequence.blocks);
    const cachedTokens = hit.blocks * this.#blockSizeTokens;
    const chunk = Math.min(sequence.knownTokens - cachedTokens, budgetTokens);
    const wanted = this.#blocksFor(sequence.knownTokens);
    if (this.#pool.freeCount - hit.freeBlocks < wanted - hit.blocks) return 0;
    for (let index = 0; index < hit.blocks; index += 1) {
      this.#pool.retain(sequence.blocks[index] as number);
    }
    sequence.blockCount = hit.blocks;
    sequence.computedTokens = cachedTokens;
    assert(this.grow(sequence, cachedTokens + chunk), 'counted blocks are there');
    return chunk;
  }

  /** Makes room for `tokens` tokens of KV; false when blocks ran out (those taken stay). */
  grow(sequence: Sequence, tokens: number): boolean {
    const wanted = this.#blocksFor(tokens);
    while (sequence.blockCount < wanted) {
      const block = this.#pool.allocate();
      if (block < 0) return false;
      sequence.blocks[sequence.blockCount] = block;
      sequence.blockCount += 1;
    }
    return true;
  }

  /**
   * Room for one more token of a sequence that decodes; false when blocks ran out. What `grow` does
   * without its division, as this is asked for every token.
   */
  growByOne(sequence: Sequence): boolean {
    const tokens = sequence.computedTokens + 1;
    const isEnough = tokens <= sequence.blockCount * this.#blockSizeTokens;
    return isEnough || this.grow(sequence, tokens);
  }

  /** `registerFull` for the token that `growByOne` has made room for. */
  registerOne(sequence: Sequence): void {
    const tokens = sequence.computedTokens + 1;
    if (tokens === sequence.blockCount * this.#blockSizeTokens) this.registerFull(sequence, tokens);
  }

  /** Makes the blocks findable that become full when KV grows from `computedTokens` to `tokens`. */
  registerFull(sequence: Sequence, tokens: number): void {
    if (!this.#isPrefixCaching) return;
    const end = Math.floor(tokens / this.#blockSizeTokens);
    let index = Math.floor(sequence.computedTokens / this.#blockSizeTokens);
    for (; index < end; index += 1) {
      const word = index * 2;
      const low = sequence.hashes[word] as number;
      const high = sequence.hashes[word + 1] as number;
      const block = sequence.blocks[index] as number;
      const previous = index === 0 ? -1 : (sequence.blocks[index - 1] as number);
      this.#pool.register(block, previous, low, high);
    }
  }

  /** Gives all blocks back, last first, so that a prefix outlives what follows it. */
  releaseAll(sequence: Sequence): void {
    for (let index = sequence.blockCount - 1; index >= 0; index -= 1) {
      this.#pool.release(sequence.blocks[index] as number);
    }
    sequence.blockCount = 0;
    sequence.computedTokens = 0;
    sequence.chunkTokens = 0;
  }

  #blocksFor(tokens: number): number {
    return Math.ceil(tokens / this.#blockSizeTokens);
  }

  /** Leading tokens of these blocks that a sequence of `tokens` tokens would find cached. */
  countCachedTokens(hashes: Int32Array, tokens: number): number {
    return this.#lookUp(hashes, tokens, null).blocks * this.#blockSizeTokens;
  }

  /** Puts the blocks that are found into `found`. */
  #lookUp(hashes: Int32Array, tokens: number, found: Int32Array | null): PrefixHit {
    const hit = this.#hit;
    hit.blocks = 0;
    hit.freeBlocks = 0;
    if (!this.#isPrefixCaching) return hit;
    const limit = Math.floor((tokens - 1) / this.#blockSizeTokens);
    let block = -1;
    while (hit.blocks < limit) {
      const word = hit.blocks * 2;
      const low = hashes[word] as number;
      block = this.#pool.findAfter(block, low, hashes[word + 1] as number);
      if (block < 0) break;
      if (found !== null) found[hit.blocks] = block;
      if (this.#pool.referencesOf(block) === 0) hit.freeBlocks += 1;
      hit.blocks += 1;
    }
    return hit;
  }
}
