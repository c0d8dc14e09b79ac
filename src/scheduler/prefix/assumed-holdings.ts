import { PROMPT_BLOCK_BYTES } from '../../protocol/request/prompt-blocks.ts';
import type { PrefixHoldings } from '../ports.ts';
import type { CandidateSet, PickInput, PromptBlocks } from '../types.ts';
import { PrefixIndex } from './prefix-index.ts';

/** As in `scheduler.ts`: what a token of a KV cache is taken to be in prompt bytes. */
const BYTES_PER_TOKEN = 4;
/** `maxPrefixTokensToMatch` of llm-d's `approx-prefix-cache-producer`, in blocks. */
export const ASSUMED_PROMPT_BLOCKS: number = (131_072 * BYTES_PER_TOKEN) / PROMPT_BLOCK_BYTES;
/** `lruCapacityPerServer` of the same, for endpoints that report no cache. Its blocks are of 64. */
const UNREPORTED_BLOCKS = 31_250;

/**
 * What endpoints hold by assumption alone: every prompt that was sent there, the last used first,
 * up to the size of the KV cache that the engine reports. It learns neither of evictions nor of
 * restarts, of answers, or of what engines had cached: `approx-prefix-cache-producer` of llm-d's
 * endpoint picker with its defaults. Where that differs: engines' blocks below 64 tokens count as
 * 64 there, which makes caches seem larger; and of a prompt it forgets the beginning first.
 */
export class AssumedHoldings implements PrefixHoldings {
  readonly #index: PrefixIndex;

  /** `maxBytes` as for `PrefixIndex`; the memory is backed only as far as it is used. */
  constructor(maxBytes: number) {
    this.#index = new PrefixIndex({ maxBytes, defaultBlocksPerEndpoint: UNREPORTED_BLOCKS });
  }

  match(
    blocks: PromptBlocks,
    members: Int32Array,
    candidates: CandidateSet,
    out: Int32Array,
  ): void {
    this.#index.match(limit(blocks), members, candidates, out);
  }

  /** Blocks of any prompts that `slot` is assumed to hold. */
  blocksOf(slot: number): number {
    return this.#index.blocksOf(slot);
  }

  /** The request of `input` goes to `slot`. */
  noteBooked(slot: number, { blocks, load }: PickInput): void {
    if (blocks === null) return;
    const tokens = (load.kvBlockTokens[slot] as number) * (load.kvBlockCount[slot] as number);
    const capacity = Math.floor((tokens * BYTES_PER_TOKEN) / PROMPT_BLOCK_BYTES);
    if (capacity > 0) this.#index.setCapacity(slot, capacity);
    this.#index.insert(slot, limit(blocks));
  }

  /** The slot's endpoint is gone; another one may come. */
  noteRemoved(slot: number): void {
    this.#index.clear(slot);
  }
}

function limit(blocks: PromptBlocks): PromptBlocks {
  if (blocks.count <= ASSUMED_PROMPT_BLOCKS) return blocks;
  const { blockBytes, hashes } = blocks;
  return { blockBytes, count: ASSUMED_PROMPT_BLOCKS, hashes };
}
