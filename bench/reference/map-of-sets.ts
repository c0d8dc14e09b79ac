import type { Prompt } from '../load/prompt-chains.ts';

/**
 * The plain way to remember who holds which block: a set of endpoints per hash. It forgets nothing,
 * keeps no order of use and has no bound, so it does less than an index must.
 */
export class MapOfSets {
  readonly #holders = new Map<bigint, Set<number>>();
  #active = new Int32Array(16);
  entryCount = 0;

  insert(slot: number, prompt: Prompt): void {
    for (let index = 0; index < prompt.count; index += 1) {
      const key = keyOf(prompt, index);
      let slots = this.#holders.get(key);
      if (slots === undefined) {
        slots = new Set();
        this.#holders.set(key, slots);
      }
      if (slots.has(slot)) continue;
      slots.add(slot);
      this.entryCount += 1;
    }
  }

  /** Leading blocks that each member holds; members that hold no more are not looked at again. */
  match(prompt: Prompt, members: Int32Array, out: Int32Array): void {
    if (this.#active.length < members.length) this.#active = new Int32Array(members.length);
    const active = this.#active;
    let activeCount = members.length;
    for (let i = 0; i < activeCount; i += 1) active[i] = i;
    out.fill(0, 0, members.length);
    for (let index = 0; index < prompt.count && activeCount > 0; index += 1) {
      const slots = this.#holders.get(keyOf(prompt, index));
      if (slots === undefined) return;
      let kept = 0;
      for (let i = 0; i < activeCount; i += 1) {
        const position = active[i] as number;
        if (!slots.has(members[position] as number)) continue;
        out[position] = index + 1;
        active[kept++] = position;
      }
      activeCount = kept;
    }
  }
}

function keyOf(prompt: Prompt, index: number): bigint {
  const low = BigInt(prompt.hashes[2 * index] as number);
  return (BigInt(prompt.hashes[2 * index + 1] as number) << 32n) | low;
}
