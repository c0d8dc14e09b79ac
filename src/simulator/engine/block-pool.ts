import { assert } from '../../core/assert.ts';

const NONE = -1;

/**
 * The paged KV cache: blocks with reference counts, a hash index of the full ones, and the free
 * blocks in least-recently-used order. A free block keeps its contents and its hash until it is
 * handed out again, so a later request can still hit it.
 *
 *     free list:  sentinel ─► oldest ─► … ─► newest ─► sentinel        (index `count` is the
 * sentinel)
 *     hash index: #heads[bucket] ─► block ─► #chain[block] ─► …        (-1 ends a chain)
 *
 * All state is in typed arrays: no operation allocates.
 */
export class BlockPool {
  /** Blocks in all. */
  readonly count: number;
  readonly #references: Int32Array;
  readonly #previous: Int32Array;
  readonly #next: Int32Array;
  readonly #heads: Int32Array;
  readonly #chain: Int32Array;
  readonly #hashLow: Int32Array;
  readonly #hashHigh: Int32Array;
  readonly #isHashed: Uint8Array;
  readonly #mask: number;
  #freeCount = 0;
  #hashedCount = 0;

  constructor(count: number) {
    assert(Number.isInteger(count) && count > 0, 'a KV cache needs at least one block');
    this.count = count;
    this.#references = new Int32Array(count);
    this.#previous = new Int32Array(count + 1);
    this.#next = new Int32Array(count + 1);
    const buckets = 2 ** Math.ceil(Math.log2(count * 2));
    this.#mask = buckets - 1;
    this.#heads = new Int32Array(buckets).fill(NONE);
    this.#chain = new Int32Array(count).fill(NONE);
    this.#hashLow = new Int32Array(count);
    this.#hashHigh = new Int32Array(count);
    this.#isHashed = new Uint8Array(count);
    this.#previous[count] = count;
    this.#next[count] = count;
    for (let block = 0; block < count; block += 1) this.#appendFree(block);
  }

  /** Blocks that no sequence holds, cached ones included. */
  get freeCount(): number {
    return this.#freeCount;
  }

  /** Blocks that can be hit by their hash. */
  get hashedCount(): number {
    return this.#hashedCount;
  }

  referencesOf(block: number): number {
    return this.#references[block] as number;
  }

  /** The block that holds this chained hash, or -1. */
  find(low: number, high: number): number {
    let block = this.#heads[this.#bucketOf(low, high)] as number;
    while (block !== NONE) {
      if (this.#hashLow[block] === low && this.#hashHigh[block] === high) return block;
      block = this.#chain[block] as number;
    }
    return NONE;
  }

  /** Adds a holder to a block that was found; a free one leaves the free list. */
  retain(block: number): void {
    const references = this.#references[block] as number;
    if (references === 0) this.#unlinkFree(block);
    this.#references[block] = references + 1;
  }

  /** Takes the least recently used free block, forgetting what it cached; -1 when none is free. */
  allocate(): number {
    const block = this.#next[this.count] as number;
    if (block === this.count) return NONE;
    if (this.#isHashed[block] === 1) this.#forget(block);
    this.#unlinkFree(block);
    this.#references[block] = 1;
    return block;
  }

  /** Gives up one hold; the last one puts the block at the newest end of the free list. */
  release(block: number): void {
    const references = (this.#references[block] as number) - 1;
    assert(references >= 0, 'a free block was released');
    this.#references[block] = references;
    if (references === 0) this.#appendFree(block);
  }

  /**
   * Makes a full block findable. When an older block has equal contents, the older stays
   * findable while somebody holds it; a free one gives way, since it would be evicted first.
   */
  register(block: number, low: number, high: number): void {
    if (this.#isHashed[block] === 1) return;
    const twin = this.find(low, high);
    if (twin !== NONE) {
      if ((this.#references[twin] as number) > 0) return;
      this.#forget(twin);
    }
    const bucket = this.#bucketOf(low, high);
    this.#hashLow[block] = low;
    this.#hashHigh[block] = high;
    this.#isHashed[block] = 1;
    this.#chain[block] = this.#heads[bucket] as number;
    this.#heads[bucket] = block;
    this.#hashedCount += 1;
  }

  /** Forgets everything that is cached; what sequences hold stays held. */
  forgetAll(): void {
    this.#heads.fill(NONE);
    this.#chain.fill(NONE);
    this.#isHashed.fill(0);
    this.#hashedCount = 0;
  }

  #bucketOf(low: number, high: number): number {
    return (low ^ (high >>> 7)) & this.#mask;
  }

  #forget(block: number): void {
    const bucket = this.#bucketOf(this.#hashLow[block] as number, this.#hashHigh[block] as number);
    const following = this.#chain[block] as number;
    let at = this.#heads[bucket] as number;
    if (at === block) {
      this.#heads[bucket] = following;
    } else {
      while (this.#chain[at] !== block) at = this.#chain[at] as number;
      this.#chain[at] = following;
    }
    this.#chain[block] = NONE;
    this.#isHashed[block] = 0;
    this.#hashedCount -= 1;
  }

  #appendFree(block: number): void {
    const sentinel = this.count;
    const newest = this.#previous[sentinel] as number;
    this.#next[newest] = block;
    this.#previous[block] = newest;
    this.#next[block] = sentinel;
    this.#previous[sentinel] = block;
    this.#freeCount += 1;
  }

  #unlinkFree(block: number): void {
    const before = this.#previous[block] as number;
    const after = this.#next[block] as number;
    this.#next[before] = after;
    this.#previous[after] = before;
    this.#freeCount -= 1;
  }
}
