import { assert } from '../../core/assert.ts';
import {
  MAX_PROMPT_BLOCKS,
  PROMPT_BLOCK_BYTES,
  type PromptBlocks,
} from '../../protocol/request/prompt-blocks.ts';
import { TokenChain, type PromptDigest } from '../engine/prompt-digest.ts';
import type { PromptSegment } from '../workloads/types.ts';

/** English text is about 4 bytes a token with today's vocabularies. */
export const BYTES_PER_TOKEN = 4;
/** Tokens of one block as the gateway sees it. */
const GATEWAY_BLOCK_TOKENS = PROMPT_BLOCK_BYTES / BYTES_PER_TOKEN;
/** Longest segment; the token ids of segments are this far apart. */
const SEGMENT_TOKENS_MAX = 2 ** 21;
/** What a memo entry takes beside its hashes, in bytes; measured, rounded up. */
const ENTRY_BYTES = 320;
const NO_HASHES = new Int32Array(0);

/** Id of token `index` of a segment: equal ids are equal content. */
export function tokenIdOf(segmentId: number, index: number): number {
  return segmentId * SEGMENT_TOKENS_MAX + index;
}

/** A segment after a given prefix: the chain's state at its end, and the hashes within it. */
interface Entry {
  readonly parent: Entry | null;
  /** Name of the segment among those that follow the parent. */
  readonly key: number;
  /** The first of what follows it, mostly the only one: turns follow each other in a line. */
  child: Entry | null;
  /** All further ones; null while there are none. */
  others: Map<number, Entry> | null;
  /** Tokens from the start of the prompt to the end of the segment. */
  readonly tokens: number;
  readonly low: number;
  readonly high: number;
  /** Two words for each granule that ends within the segment. */
  readonly hashes: Int32Array;
  /** Neighbours in the order of use. */
  older: Entry | null;
  newer: Entry | null;
}

/** One prompt as engine and gateway see it; both agree on what is shared. */
export class LabPrompt {
  readonly tokens: number;
  /** The gateway's view: whole blocks of 256 bytes. */
  readonly blocks: PromptBlocks;
  readonly #granuleTokens: number;
  readonly #hashes: Int32Array;
  readonly #end: { readonly low: number; readonly high: number };

  constructor(
    hashes: Int32Array,
    end: { readonly tokens: number; readonly low: number; readonly high: number },
    granuleTokens: number,
  ) {
    this.tokens = end.tokens;
    this.#hashes = hashes;
    this.#end = end;
    this.#granuleTokens = granuleTokens;
    const wanted = Math.min(MAX_PROMPT_BLOCKS, Math.floor(end.tokens / GATEWAY_BLOCK_TOKENS));
    const words = everyNth(hashes, GATEWAY_BLOCK_TOKENS / granuleTokens, wanted);
    this.blocks = {
      blockBytes: PROMPT_BLOCK_BYTES,
      count: wanted,
      hashes: new Uint32Array(words.buffer, words.byteOffset, words.length),
    };
  }

  /** The view of an engine whose KV blocks hold `blockTokens` tokens. */
  digest(blockTokens: number): PromptDigest {
    const every = blockTokens / this.#granuleTokens;
    assert(Number.isInteger(every), 'blocks are whole granules');
    const count = Math.floor(this.tokens / blockTokens);
    return {
      tokens: this.tokens,
      blockHashes: every === 1 ? this.#hashes : everyNth(this.#hashes, every, count),
      stateLow: this.#end.low,
      stateHigh: this.#end.high,
    };
  }
}

/** Arrays up to this long are copied faster by hand than by a call of the engine's own. */
const SHORT_WORDS = 48;

function copyWords(from: Int32Array, to: Int32Array, at: number): void {
  if (from.length > SHORT_WORDS) {
    to.set(from, at);
    return;
  }
  for (let index = 0; index < from.length; index += 1) to[at + index] = from[index] as number;
}

/** The hashes at the end of every `every`-th granule, the first `count` of them. */
function everyNth(hashes: Int32Array, every: number, count: number): Int32Array {
  const chosen = new Int32Array(count * 2);
  for (let index = 0; index < count; index += 1) {
    const word = ((index + 1) * every - 1) * 2;
    chosen[index * 2] = hashes[word] as number;
    chosen[index * 2 + 1] = hashes[word + 1] as number;
  }
  return chosen;
}

/**
 * Makes prompts out of segments. What a prompt begins with is hashed once: a shared prefix or an
 * earlier turn is found in a memo of segments by what precedes them, which forgets the least
 * recently used ones beyond `maxBytes`.
 */
export class PromptBook {
  readonly #granuleTokens: number;
  readonly #maxBytes: number;
  readonly #roots = new Map<string, Entry>();
  #bytes = 0;
  #oldest: Entry | null = null;
  #newest: Entry | null = null;
  #hashedTokens = 0;

  /** `blockTokens`: KV block sizes of all engines that will ask for digests. */
  constructor(blockTokens: readonly number[], options: { readonly maxBytes: number }) {
    this.#granuleTokens = blockTokens.reduce(greatestCommonDivisor, GATEWAY_BLOCK_TOKENS);
    this.#maxBytes = options.maxBytes;
  }

  /** Bytes that the memo takes, about. */
  get sizeBytes(): number {
    return this.#bytes;
  }

  /** Tokens hashed so far; those found in the memo are not. */
  get hashedTokens(): number {
    return this.#hashedTokens;
  }

  /** The prompt of `segments`; `salt` keeps apart what shares no cache, such as adapters. */
  build(segments: readonly PromptSegment[], salt: string): LabPrompt {
    const path: Entry[] = [];
    let entry = this.#rootOf(salt);
    for (const segment of segments) {
      entry = this.#childOf(entry, segment);
      path.push(entry);
    }
    const hashes = new Int32Array(Math.floor(entry.tokens / this.#granuleTokens) * 2);
    let word = 0;
    for (const each of path) {
      copyWords(each.hashes, hashes, word);
      word += each.hashes.length;
    }
    // Deepest first, so that whatever is oldest has nothing behind it.
    for (let index = path.length - 1; index >= 0; index -= 1) this.#touch(path[index] as Entry);
    this.#trim();
    const { tokens, low, high } = entry;
    return new LabPrompt(hashes, { tokens, low, high }, this.#granuleTokens);
  }

  #rootOf(salt: string): Entry {
    let root = this.#roots.get(salt);
    if (root === undefined) {
      const chain = new TokenChain();
      chain.addText(salt);
      root = createEntry(null, 0, { tokens: 0, chain, hashes: NO_HASHES });
      this.#roots.set(salt, root);
    }
    return root;
  }

  #childOf(parent: Entry, { id, tokens }: PromptSegment): Entry {
    const isWhole = tokens >= 1 && tokens <= SEGMENT_TOKENS_MAX && id >= 0 && id < 2 ** 32;
    assert(isWhole && Number.isInteger(id) && Number.isInteger(tokens), 'a segment is in bounds');
    const key = tokenIdOf(id, tokens - 1);
    const known = findChild(parent, key);
    if (known !== null) return known;
    const child = this.#hash(parent, key, { id, tokens });
    addChild(parent, child);
    this.#bytes += sizeOf(child);
    return child;
  }

  #hash(parent: Entry, key: number, { id, tokens }: PromptSegment): Entry {
    const granule = this.#granuleTokens;
    const end = parent.tokens + tokens;
    const ends = Math.floor(end / granule) - Math.floor(parent.tokens / granule);
    const hashes = new Int32Array(ends * 2);
    const chain = new TokenChain();
    chain.low = parent.low;
    chain.high = parent.high;
    const firstId = tokenIdOf(id, 0);
    let left = granule - (parent.tokens % granule);
    let word = 0;
    for (let index = 0; index < tokens; index += 1) {
      chain.add(firstId + index);
      left -= 1;
      if (left > 0) continue;
      left = granule;
      hashes[word] = chain.low;
      hashes[word + 1] = chain.high;
      word += 2;
    }
    this.#hashedTokens += tokens;
    return createEntry(parent, key, { tokens: end, chain, hashes });
  }

  #touch(entry: Entry): void {
    if (this.#newest === entry) return;
    if (entry.older !== null || entry.newer !== null || this.#oldest === entry) this.#unlink(entry);
    entry.older = this.#newest;
    entry.newer = null;
    if (this.#newest === null) this.#oldest = entry;
    else this.#newest.newer = entry;
    this.#newest = entry;
  }

  #unlink(entry: Entry): void {
    if (entry.older === null) this.#oldest = entry.newer;
    else entry.older.newer = entry.newer;
    if (entry.newer === null) this.#newest = entry.older;
    else entry.newer.older = entry.older;
    entry.older = null;
    entry.newer = null;
  }

  #trim(): void {
    while (this.#bytes > this.#maxBytes && this.#oldest !== null) {
      const entry = this.#oldest;
      this.#unlink(entry);
      if (entry.parent !== null) removeChild(entry.parent, entry);
      this.#bytes -= sizeOf(entry);
    }
  }
}

function createEntry(
  parent: Entry | null,
  key: number,
  end: { readonly tokens: number; readonly chain: TokenChain; readonly hashes: Int32Array },
): Entry {
  const { tokens, chain, hashes } = end;
  return {
    parent,
    key,
    child: null,
    others: null,
    tokens,
    low: chain.low,
    high: chain.high,
    hashes,
    older: null,
    newer: null,
  };
}

function findChild({ child, others }: Entry, key: number): Entry | null {
  if (child !== null && child.key === key) return child;
  return others?.get(key) ?? null;
}

function addChild(parent: Entry, child: Entry): void {
  if (parent.child === null) {
    parent.child = child;
    return;
  }
  parent.others ??= new Map();
  parent.others.set(child.key, child);
}

function removeChild(parent: Entry, child: Entry): void {
  if (parent.child === child) parent.child = null;
  else parent.others?.delete(child.key);
}

function sizeOf(entry: Entry): number {
  return ENTRY_BYTES + entry.hashes.byteLength;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
