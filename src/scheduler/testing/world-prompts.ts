import { TokenChain, type PromptDigest } from '../../simulator/engine/prompt-digest.ts';
import type { PromptBlocks } from '../types.ts';

/** A run of tokens; equal ids are equal content, token by token. */
export interface PromptSegment {
  readonly id: number;
  readonly tokens: number;
}

/** Tokens per KV block of the engines in a policy world. */
export const ENGINE_BLOCK_TOKENS = 16;
/** Engine blocks per block that the gateway hashes: 64 tokens, at 4 bytes each 256 bytes. */
const ENGINE_BLOCKS_PER_BLOCK = 4;
const BYTES_PER_TOKEN = 4;

/** One prompt as the engine and as the gateway see it; both agree on what is shared. */
export interface WorldPrompt {
  readonly tokens: number;
  readonly digest: PromptDigest;
  readonly blocks: PromptBlocks;
}

/** Builds a prompt from segments; `salt` keeps prompts of different adapters apart. */
export function createWorldPrompt(segments: readonly PromptSegment[], salt: string): WorldPrompt {
  const tokens = segments.reduce((sum, segment) => sum + segment.tokens, 0);
  const blockCount = Math.floor(tokens / ENGINE_BLOCK_TOKENS);
  const blockHashes = new Int32Array(blockCount * 2);
  const chain = new TokenChain();
  chain.addText(salt);
  let segment = 0;
  let start = 0;
  for (let block = 0; block < blockCount; block += 1) {
    const from = block * ENGINE_BLOCK_TOKENS;
    // A block is told by the segments it touches and where it begins in the first of them.
    while (from >= start + segments[segment]!.tokens) start += segments[segment++]!.tokens;
    chain.add(segments[segment]!.id * 2 ** 20 + (from - start));
    let end = start + segments[segment]!.tokens;
    for (let next = segment + 1; end < from + ENGINE_BLOCK_TOKENS; next += 1) {
      chain.add(segments[next]!.id);
      end += segments[next]!.tokens;
    }
    blockHashes[2 * block] = chain.low;
    blockHashes[2 * block + 1] = chain.high;
  }
  chain.add(segments.at(-1)!.id);
  const digest = { tokens, blockHashes, stateLow: chain.low, stateHigh: chain.high };
  return { tokens, digest, blocks: blocksOf(blockHashes) };
}

function blocksOf(blockHashes: Int32Array): PromptBlocks {
  const count = Math.floor(blockHashes.length / 2 / ENGINE_BLOCKS_PER_BLOCK);
  const hashes = new Uint32Array(count * 2);
  for (let block = 0; block < count; block += 1) {
    const last = (block + 1) * ENGINE_BLOCKS_PER_BLOCK - 1;
    hashes[2 * block] = blockHashes[2 * last]!;
    hashes[2 * block + 1] = blockHashes[2 * last + 1]!;
  }
  const blockBytes = ENGINE_BLOCK_TOKENS * ENGINE_BLOCKS_PER_BLOCK * BYTES_PER_TOKEN;
  return { blockBytes, count, hashes };
}
