import type { PromptBlocks } from '../../types.ts';

/** A prompt with one block per symbol. Prompts that begin alike share the blocks of that part. */
export function promptOf(symbols: readonly number[]): PromptBlocks {
  const hashes = new Uint32Array(2 * symbols.length);
  let low = 0x811c9dc5;
  let high = 0x1234567;
  for (const [index, symbol] of symbols.entries()) {
    low = Math.imul(low ^ (symbol + 1), 0x01000193);
    low ^= low >>> 15;
    high = Math.imul(high ^ low ^ (symbol + 7), 0x85ebca77);
    high ^= high >>> 13;
    hashes[2 * index] = low;
    hashes[2 * index + 1] = high;
  }
  return { blockBytes: 256, count: symbols.length, hashes };
}

/** Symbols `first`, `first + 1`, …: a prompt that shares nothing with others unless asked to. */
export function sequence(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => first + index);
}

/** Makes prompts of symbols. */
export type PromptMaker = (symbols: readonly number[]) => PromptBlocks;

/**
 * Hashes that are different but hard to tell apart: four low words in all, and high words with
 * nothing in their lower bits, so that a table sees the same few hashes everywhere.
 */
export function createCollidingPrompts(): PromptMaker {
  const numbers = new Map<string, number>();
  return (symbols) => {
    const hashes = new Uint32Array(2 * symbols.length);
    let prefix = '';
    for (const [index, symbol] of symbols.entries()) {
      prefix += `${symbol},`;
      const number = numbers.get(prefix) ?? numbers.size;
      numbers.set(prefix, number);
      hashes[2 * index] = number & 3;
      hashes[2 * index + 1] = number << 12;
    }
    return { blockBytes: 256, count: symbols.length, hashes };
  };
}
