import type { PromptBlocks } from '../../types.ts';

/**
 * What the index must agree with as long as it has memory enough: a map of sets, and per slot the
 * blocks in the order of their use, oldest first.
 */
export class NaiveIndex {
  readonly #holders = new Map<string, Set<number>>();
  readonly #order = new Map<number, Set<string>>();
  readonly #capacity = new Map<number, number>();
  readonly #defaultCapacity: number;

  constructor(defaultCapacity: number) {
    this.#defaultCapacity = defaultCapacity;
  }

  get entryCount(): number {
    return [...this.#holders.values()].reduce((sum, slots) => sum + slots.size, 0);
  }

  blocksOf(slot: number): number {
    return this.#order.get(slot)?.size ?? 0;
  }

  match(blocks: PromptBlocks, slot: number): number {
    for (let index = 0; index < blocks.count; index += 1) {
      if (this.#holders.get(keyOf(blocks, index))?.has(slot) !== true) return index;
    }
    return blocks.count;
  }

  insert(slot: number, blocks: PromptBlocks): void {
    const order = this.#order.get(slot) ?? new Set();
    this.#order.set(slot, order);
    for (let index = blocks.count - 1; index >= 0; index -= 1) {
      const key = keyOf(blocks, index);
      order.delete(key);
      order.add(key);
      const slots = this.#holders.get(key) ?? new Set();
      this.#holders.set(key, slots.add(slot));
    }
    this.#trim(slot);
  }

  setCapacity(slot: number, blocks: number): void {
    this.#capacity.set(slot, blocks);
    this.#trim(slot);
  }

  clear(slot: number): void {
    for (const key of this.#order.get(slot) ?? []) this.#forget(slot, key);
  }

  #trim(slot: number): void {
    const capacity = this.#capacity.get(slot) ?? this.#defaultCapacity;
    const order = this.#order.get(slot) ?? new Set();
    for (const key of order) {
      if (order.size <= capacity) return;
      this.#forget(slot, key);
    }
  }

  #forget(slot: number, key: string): void {
    this.#order.get(slot)?.delete(key);
    const slots = this.#holders.get(key);
    slots?.delete(slot);
    if (slots?.size === 0) this.#holders.delete(key);
  }
}

function keyOf(blocks: PromptBlocks, index: number): string {
  return `${blocks.hashes[2 * index]}:${blocks.hashes[2 * index + 1]}`;
}
