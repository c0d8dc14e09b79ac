import { createRng, pickIndex, type Rng } from '../../src/core/rng.ts';

/** One prompt as hashes of its leading blocks, in an array that is used again and again. */
export interface Prompt {
  readonly blockBytes: number;
  count: number;
  readonly hashes: Uint32Array;
}

/** Kinds of traffic, by what prompts have in common. */
export type Traffic = 'chat' | 'short' | 'long';

/** What each kind of traffic stands for. */
export const TRAFFIC: Readonly<Record<Traffic, string>> = {
  chat: '20 system prompts of 64 blocks, then 8 to 55 of their own',
  short: 'one system prompt of 4 blocks, then a single block of their own',
  long: '512 blocks of their own',
};

/** Blocks of the longest prompt. */
const MOST_BLOCKS = 512;

/** An endless, seeded stream of prompts of one kind. */
export class PromptStream {
  readonly #traffic: Traffic;
  readonly #rng: Rng;
  #nextOwn = 1_000;

  constructor(traffic: Traffic, seed: number) {
    this.#traffic = traffic;
    this.#rng = createRng(seed);
  }

  /** An endpoint to send the next prompt to. */
  nextSlot(endpoints: number): number {
    return pickIndex(this.#rng, endpoints);
  }

  /** Writes the next prompt over `prompt`. */
  next(prompt: Prompt): void {
    this.#nextOwn += 1;
    prompt.count = 0;
    if (this.#traffic === 'chat') {
      appendPart(prompt, 1 + pickIndex(this.#rng, 20), 64);
      appendPart(prompt, this.#nextOwn, 8 + pickIndex(this.#rng, 48));
    } else if (this.#traffic === 'short') {
      appendPart(prompt, 1, 4);
      appendPart(prompt, this.#nextOwn, 1);
    } else {
      appendPart(prompt, this.#nextOwn, MOST_BLOCKS);
    }
  }
}

/** An empty prompt with room for the longest. */
export function createPrompt(): Prompt {
  return { blockBytes: 256, count: 0, hashes: new Uint32Array(2 * MOST_BLOCKS) };
}

/** Appends `length` blocks that are the same for the same `seed` and the same blocks before. */
export function appendPart(prompt: Prompt, seed: number, length: number): void {
  const { hashes } = prompt;
  let at = 2 * prompt.count;
  let low = at === 0 ? 1 : (hashes[at - 2] as number);
  let high = at === 0 ? 2 : (hashes[at - 1] as number);
  for (let i = 0; i < length; i += 1) {
    // Multipliers and shifts of MurmurHash3 (Austin Appleby): chained, so that a block's hash
    // stands for all before it.
    low = Math.imul(low ^ (seed + i), 0x85ebca6b);
    low = Math.imul(low ^ (low >>> 13), 0xc2b2ae35);
    low ^= low >>> 16;
    high = Math.imul(high ^ low, 0xcc9e2d51);
    high ^= high >>> 15;
    hashes[at++] = low;
    hashes[at++] = high;
  }
  prompt.count += length;
}
