import { assert } from '../../core/assert.ts';

const NONE = -1;

// Fields of a block's record. All of it fits one half of a cache line: what a look-up touches next
// is there already, where an array for each field would be fetched anew.
const RECORD_WORDS = 8;
const LOW = 0;
const HIGH = 1;
/** The next block of its hash bucket; -1 ends a chain. */
const CHAIN = 2;
const IS_HASHED = 3;
const REFERENCES = 4;
/** Neighbours in the free list. */
const PREVIOUS = 5;
const NEXT = 6;
/** The block that last followed this one in a prompt: where a look-up tries first. */
const FOLLOWER = 7;

/**
 * The paged KV cache: blocks with reference counts, a hash index of the full ones, and the free
 * blocks in least-recently-used order. A free block keeps its contents and its hash until it is
 * handed out again, so a later request can still hit it.
 *
 *     free list:  sentinel ─► oldest ─► … ─► newest ─► sentinel        (index `count` is the
 * sentinel)
 *     hash index: #heads[bucket] ─► block ─► its CHAIN ─► …            (-1 ends a chain)
 *
 * All state is in typed arrays: no operation allocates.
 */
export class BlockPool {
  /** Blocks in all. */
  readonly count: number;
  readonly #records: Int32Array;
  readonly #heads: Int32Array;
  readonly #mask: number;
  #freeCount = 0;
  #hashedCount = 0;

  constructor(count: number) {
    assert(Number.isInteger(count) && count > 0, 'a KV cache needs at least one block');
    this.count = count;
    this.#records = new Int32Array((count + 1) * RECORD_WORDS);
    const buckets = 2 ** Math.ceil(Math.log2(count * 2));
    this.#mask = buckets - 1;
    this.#heads = new Int32Array(buckets).fill(NONE);
    this.#records[count * RECORD_WORDS + PREVIOUS] = count;
    this.#records[count * RECORD_WORDS + NEXT] = count;
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
    return this.#records[block * RECORD_WORDS + REFERENCES] as number;
  }

  /** The block that holds this chained hash, or -1. */
  find(low: number, high: number): number {
    const records = this.#records;
    let block = this.#heads[this.#bucketOf(low, high)] as number;
    while (block !== NONE) {
      const at = block * RECORD_WORDS;
      if (records[at + LOW] === low && records[at + HIGH] === high) return block;
      block = records[at + CHAIN] as number;
    }
    return NONE;
  }

  /**
   * The same for what comes after `previous` in a prompt (-1: nothing precedes it). What followed
   * it last is mostly what follows it now, and lies beside it in memory, where the hash index does
   * not; a hash has one block at most, so that it is the one that the index would give.
   */
  findAfter(previous: number, low: number, high: number): number {
    if (previous === NONE) return this.find(low, high);
    const records = this.#records;
    const link = previous * RECORD_WORDS + FOLLOWER;
    const follower = records[link] as number;
    const at = follower * RECORD_WORDS;
    const isIt =
      records[at + LOW] === low && records[at + HIGH] === high && records[at + IS_HASHED] === 1;
    if (isIt) return follower;
    const block = this.find(low, high);
    if (block !== NONE) records[link] = block;
    return block;
  }

  /** Adds a holder to a block that was found; a free one leaves the free list. */
  retain(block: number): void {
    const at = block * RECORD_WORDS + REFERENCES;
    const references = this.#records[at] as number;
    if (references === 0) this.#unlinkFree(block);
    this.#records[at] = references + 1;
  }

  /** Takes the least recently used free block, forgetting what it cached; -1 when none is free. */
  allocate(): number {
    const block = this.#records[this.count * RECORD_WORDS + NEXT] as number;
    if (block === this.count) return NONE;
    const at = block * RECORD_WORDS;
    if (this.#records[at + IS_HASHED] === 1) this.#forget(block);
    this.#unlinkFree(block);
    this.#records[at + REFERENCES] = 1;
    return block;
  }

  /** Gives up one hold; the last one puts the block at the newest end of the free list. */
  release(block: number): void {
    const at = block * RECORD_WORDS + REFERENCES;
    const references = (this.#records[at] as number) - 1;
    assert(references >= 0, 'a free block was released');
    this.#records[at] = references;
    if (references === 0) this.#appendFree(block);
  }

  /**
   * Makes a full block findable. When an older block has equal contents, the older stays
   * findable while somebody holds it; a free one gives way, since it would be evicted first.
   * `previous` is the block before it in the prompt, -1 for the first.
   */
  register(block: number, previous: number, low: number, high: number): void {
    const records = this.#records;
    const at = block * RECORD_WORDS;
    if (records[at + IS_HASHED] === 1) return;
    const twin = this.findAfter(previous, low, high);
    if (twin !== NONE) {
      if (this.referencesOf(twin) > 0) return;
      this.#forget(twin);
    }
    const bucket = this.#bucketOf(low, high);
    records[at + LOW] = low;
    records[at + HIGH] = high;
    records[at + IS_HASHED] = 1;
    records[at + CHAIN] = this.#heads[bucket] as number;
    this.#heads[bucket] = block;
    if (previous !== NONE) records[previous * RECORD_WORDS + FOLLOWER] = block;
    this.#hashedCount += 1;
  }

  /** Forgets everything that is cached; what sequences hold stays held. */
  forgetAll(): void {
    this.#heads.fill(NONE);
    for (let block = 0; block < this.count; block += 1) {
      this.#records[block * RECORD_WORDS + IS_HASHED] = 0;
    }
    this.#hashedCount = 0;
  }

  #bucketOf(low: number, high: number): number {
    return (low ^ (high >>> 7)) & this.#mask;
  }

  #forget(block: number): void {
    const records = this.#records;
    const at = block * RECORD_WORDS;
    const bucket = this.#bucketOf(records[at + LOW] as number, records[at + HIGH] as number);
    const following = records[at + CHAIN] as number;
    let before = this.#heads[bucket] as number;
    if (before === block) {
      this.#heads[bucket] = following;
    } else {
      for (;;) {
        const link = before * RECORD_WORDS + CHAIN;
        before = records[link] as number;
        if (before !== block) continue;
        records[link] = following;
        break;
      }
    }
    records[at + IS_HASHED] = 0;
    this.#hashedCount -= 1;
  }

  #appendFree(block: number): void {
    const records = this.#records;
    const sentinel = this.count * RECORD_WORDS;
    const newest = records[sentinel + PREVIOUS] as number;
    records[newest * RECORD_WORDS + NEXT] = block;
    records[block * RECORD_WORDS + PREVIOUS] = newest;
    records[block * RECORD_WORDS + NEXT] = this.count;
    records[sentinel + PREVIOUS] = block;
    this.#freeCount += 1;
  }

  #unlinkFree(block: number): void {
    const records = this.#records;
    const at = block * RECORD_WORDS;
    const before = records[at + PREVIOUS] as number;
    const after = records[at + NEXT] as number;
    records[before * RECORD_WORDS + NEXT] = after;
    records[after * RECORD_WORDS + PREVIOUS] = before;
    this.#freeCount -= 1;
  }
}
