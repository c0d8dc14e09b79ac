import type { PromptKernel } from '../wasm/prompt-kernel.ts';
import type { PromptKey } from '../wasm/prompt-key.ts';
import {
  type BlockMask,
  MAX_PROMPT_BLOCKS,
  NO_PROMPT_BLOCKS,
  PROMPT_BLOCK_BYTES,
  type PromptBlocks,
} from './prompt-blocks.ts';
import { PromptChain } from './prompt-chain.ts';
import type { PromptPlan } from './prompt-plan.ts';

const NOTHING = new Uint8Array(0);
const WORDS_PER_HASH = 2;
/** Stands for the text before the first one. */
const NO_CHAIN = Object.freeze({ low: 0, high: 0 });

/**
 * Hashes the prompt of one body while it arrives. Each part (a field's raw bytes) has a chain of
 * its own, so that parts may come in any order; `blocks` puts them in the order of the prompt:
 *
 *     salt, API, tools, cache_salt ──► S0
 *     S0, end of nothing ──► salt of the system's blocks
 *     that, end of the system's chain ──► salt of the messages' blocks
 *
 * A salted hash is the chain's xor its part's salt. Every split into chunks gives the same. Hot:
 * bench `long-prompt`.
 */
export class PromptHasher {
  readonly #plan: PromptPlan;
  readonly #key: PromptKey;
  readonly #kernel: PromptKernel;
  /** By part; null until it begins. */
  readonly #chains: (PromptChain | null)[];
  /** Bits of parts that blocks were given without: too late for them. */
  #closedParts = 0;
  #openPart = -1;
  #openChain: PromptChain | null = null;
  #chunk: Uint8Array = NOTHING;
  /** Offset of the chunk in the body. */
  #base = 0;
  /** Index in the chunk of the open part's first byte that is neither hashed nor carried. */
  #from = 0;
  /** The open part's bytes after its last whole block, from earlier chunks. */
  #carry: Uint8Array = NOTHING;
  #carriedBytes = 0;
  /** What was given last, and with which salt. */
  #given: PromptBlocks = NO_PROMPT_BLOCKS;
  #givenSalt = '';

  constructor(plan: PromptPlan, key: PromptKey, kernel: PromptKernel) {
    this.#plan = plan;
    this.#key = key;
    this.#kernel = kernel;
    this.#chains = plan.unread.slice();
  }

  /** `chunk`, at most a kernel's window, is about to be read; it begins at `base` in the body. */
  startChunk(chunk: Uint8Array, base: number): void {
    this.#chunk = chunk;
    this.#base = base;
    this.#from = 0;
  }

  /** The chunk has been read; its bytes are not looked at again. */
  endChunk(): void {
    if (this.#openChain !== null) this.#take(this.#openChain, this.#chunk.length);
    this.#chunk = NOTHING;
  }

  /** A part begins at `start` in the body. A part that is given again is not hashed again. */
  beginPart(part: number, start: number): void {
    if (this.#chains[part] !== null || ((this.#closedParts >> part) & 1) === 1) return;
    const chain = new PromptChain();
    this.#chains[part] = chain;
    this.#openPart = part;
    this.#openChain = chain;
    this.#from = start - this.#base;
  }

  /** The part that began last ends before `end`. */
  endPart(end: number): void {
    const chain = this.#openChain;
    if (chain === null) return;
    chain.isEnded = true;
    this.#take(chain, end - this.#base);
    this.#openChain = null;
    this.#carriedBytes = 0;
  }

  /**
   * The whole blocks so far. None while a modifier is being read, and of the parts after one that
   * is being read. Once there were some, what comes later but belongs before them is left out, so
   * that the first blocks stay the same.
   */
  blocks(salt: string): PromptBlocks {
    const last = this.#lastReadyPart();
    let count = 0;
    for (let part = 0; part <= last; part++) count += this.#chains[part]?.count ?? 0;
    count = Math.min(count, MAX_PROMPT_BLOCKS);
    if (count === 0) return NO_PROMPT_BLOCKS;
    if (count === this.#given.count && salt === this.#givenSalt) return this.#given;
    this.#closeBefore(last);
    const hashes = new Uint32Array(count * WORDS_PER_HASH);
    const mask = this.#writeHashes(salt, last, hashes);
    const blocks = { blockBytes: PROMPT_BLOCK_BYTES, count, hashes };
    this.#given = mask === null ? blocks : { ...blocks, mask };
    this.#givenSalt = salt;
    return this.#given;
  }

  /** The last text of which blocks may be given, -1 for none. */
  #lastReadyPart(): number {
    const chains = this.#chains;
    const texts = this.#plan.texts.length;
    for (let part = texts; part < chains.length; part++) {
      if (chains[part]?.isEnded === false) return -1;
    }
    let last = -1;
    for (let part = 0; part < texts; part++) {
      const chain = chains[part];
      if (chain === null || chain === undefined) continue;
      last = part;
      if (!chain.isEnded) break;
    }
    return last;
  }

  #closeBefore(last: number): void {
    for (let part = 0; part < this.#chains.length; part++) {
      const isBefore = part < last || part >= this.#plan.texts.length;
      if (isBefore && this.#chains[part] === null) this.#closedParts |= 1 << part;
    }
  }

  /** Returns the salt of all of them; null when there are several. */
  #writeHashes(salt: string, last: number, hashes: Uint32Array): BlockMask | null {
    const kernel = this.#kernel;
    kernel.useKey(this.#key);
    let previous: PromptChain | null = null;
    let to = 0;
    let mask: BlockMask | null = null;
    for (let part = 0; part <= last; part++) {
      const chain = this.#chains[part];
      if (chain === null || chain === undefined) continue;
      if (previous === null) {
        mask = this.#saltFirst(salt, part);
      } else {
        this.#saltNext(previous, part);
        mask = null;
      }
      to = writeSalted(hashes, to, { chain, low: kernel.chainLow, high: kernel.chainHigh });
      previous = chain;
    }
    return mask;
  }

  /**
   * Puts the salt of the first text, number `part`, into the kernel's chain. Returns it when it
   * depends on nothing that the body says.
   */
  #saltFirst(salt: string, part: number): BlockMask | null {
    const kernel = this.#kernel;
    const { scope } = this.#plan;
    if (this.#hasModifiers()) {
      this.#digestSalt(salt);
      this.#saltNext(NO_CHAIN, part);
      return null;
    }
    const known = kernel.salts.find(scope, salt, part);
    if (known !== null) {
      kernel.setChain(known.low, known.high);
      return known;
    }
    this.#digestSalt(salt);
    this.#saltNext(NO_CHAIN, part);
    const first = { part, low: kernel.chainLow, high: kernel.chainHigh };
    kernel.salts.keep(scope, salt, first);
    return first;
  }

  /** From the salt before, in the kernel's chain, and the text before, that of text `part`. */
  #saltNext(previous: { readonly low: number; readonly high: number }, part: number): void {
    const kernel = this.#kernel;
    kernel.putHash(0, kernel.chainLow, kernel.chainHigh);
    kernel.putHash(1, previous.low, previous.high);
    kernel.putHash(2, part, 0);
    kernel.digest(24);
  }

  #hasModifiers(): boolean {
    const chains = this.#chains;
    for (let part = this.#plan.texts.length; part < chains.length; part++) {
      if (chains[part] !== null) return true;
    }
    return false;
  }

  #digestSalt(salt: string): void {
    const { modifiers, texts, scope } = this.#plan;
    for (let i = 0; i < modifiers.length; i++) {
      const chain = this.#chains[texts.length + i];
      this.#kernel.putHash(i, chain?.low ?? 0, chain?.high ?? 0);
    }
    this.#kernel.digest(this.#kernel.putText(modifiers.length, `${scope} ${salt}`));
  }

  /** The open part goes on to `to` in the chunk. */
  #take(chain: PromptChain, to: number): void {
    if (chain.count === MAX_PROMPT_BLOCKS) return;
    const size = this.#carriedBytes + to - this.#from;
    if (size >= PROMPT_BLOCK_BYTES || (chain.isEnded && !this.#isLastText(this.#openPart))) {
      this.#hash(chain, to);
    } else if (!chain.isEnded) {
      this.#carryOver(this.#from, to);
    }
  }

  /** Nothing is salted by the end of the last text. */
  #isLastText(part: number): boolean {
    return part === this.#plan.texts.length - 1;
  }

  #hash(chain: PromptChain, to: number): void {
    const kernel = this.#kernel;
    const from = this.#from - this.#carriedBytes;
    kernel.useKey(this.#key);
    kernel.load(this.#chunk);
    if (this.#carriedBytes > 0) kernel.prepend(this.#carry.subarray(0, this.#carriedBytes));
    kernel.setChain(chain.low, chain.high);
    const isText = this.#openPart < this.#plan.texts.length;
    const room = isText ? MAX_PROMPT_BLOCKS - chain.count : Infinity;
    const blocks = Math.min(Math.floor((to - from) / PROMPT_BLOCK_BYTES), room);
    const rest = from + blocks * PROMPT_BLOCK_BYTES;
    const words = kernel.hashBlocks(from, rest);
    if (isText) chain.append(words, blocks);
    this.#carriedBytes = 0;
    if (blocks < room) {
      if (chain.isEnded) kernel.finishChain(rest, to);
      else this.#carryOver(rest, to);
    }
    chain.low = kernel.chainLow;
    chain.high = kernel.chainHigh;
  }

  /** Keeps bytes of the chunk, with those kept already fewer than a block, for the next one. */
  #carryOver(from: number, to: number): void {
    if (from === to) return;
    if (this.#carry.length === 0) this.#carry = new Uint8Array(PROMPT_BLOCK_BYTES);
    this.#carry.set(this.#chunk.subarray(from, to), this.#carriedBytes);
    this.#carriedBytes += to - from;
  }
}

/** Writes a chain's salted hashes from index `from` on, as many as fit; returns the next index. */
function writeSalted(
  hashes: Uint32Array,
  from: number,
  {
    chain,
    low,
    high,
  }: { readonly chain: PromptChain; readonly low: number; readonly high: number },
): number {
  const words = chain.hashes;
  const end = Math.min(hashes.length, from + chain.count * WORDS_PER_HASH);
  for (let to = from, i = 0; to < end; to += WORDS_PER_HASH, i += WORDS_PER_HASH) {
    hashes[to] = (words[i] as number) ^ low;
    hashes[to + 1] = (words[i + 1] as number) ^ high;
  }
  return end;
}
