import type { PrefixMatcher } from '../ports.ts';
import type { CandidateSet, PromptBlocks } from '../types.ts';

/** A prefix index without tricks: per slot a least-recently-used set of block hashes. */
export class ExactPrefixIndex implements PrefixMatcher {
  readonly #held: Map<number, true>[];
  readonly #capacityBlocks: number;

  constructor(slots: number, capacityBlocks: number) {
    this.#held = Array.from({ length: slots }, () => new Map());
    this.#capacityBlocks = capacityBlocks;
  }

  match(
    blocks: PromptBlocks,
    members: Int32Array,
    candidates: CandidateSet,
    out: Int32Array,
  ): void {
    for (let i = 0; i < candidates.count; i += 1) {
      const position = candidates.positions[i]!;
      const held = this.#held[members[position]!]!;
      let count = 0;
      while (count < blocks.count && held.has(keyOf(blocks, count))) count += 1;
      out[position] = count;
    }
  }

  /** The slot holds these blocks from now on; the last block is the first to be put out. */
  insert(slot: number, blocks: PromptBlocks): void {
    const held = this.#held[slot]!;
    for (let index = blocks.count - 1; index >= 0; index -= 1) {
      const key = keyOf(blocks, index);
      held.delete(key);
      held.set(key, true);
    }
    for (const key of held.keys()) {
      if (held.size <= this.#capacityBlocks) break;
      held.delete(key);
    }
  }

  clear(slot: number): void {
    this.#held[slot]!.clear();
  }
}

/** 53 of a block's 64 bits. */
function keyOf(blocks: PromptBlocks, index: number): number {
  return blocks.hashes[2 * index]! + (blocks.hashes[2 * index + 1]! & 0x1fffff) * 2 ** 32;
}
