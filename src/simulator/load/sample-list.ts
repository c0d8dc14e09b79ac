import { createRng, pickIndex, type Rng } from '../../core/rng.ts';

const FIRST_CAPACITY = 1024;
/** 32 MiB of numbers a list. */
const MAX_SAMPLES: number = 4 * 2 ** 20;

/**
 * Numbers for percentiles, in bounded memory: all of them up to a limit, then an even sample
 * (reservoir sampling, Vitter's algorithm R).
 */
export class SampleList {
  readonly #rng: Rng = createRng(1);
  readonly #limit: number;
  #values = new Float64Array(FIRST_CAPACITY);
  #kept = 0;
  #count = 0;
  #sum = 0;

  constructor(limit: number = MAX_SAMPLES) {
    this.#limit = limit;
  }

  /** Numbers added, kept or not. */
  get count(): number {
    return this.#count;
  }

  /** Sum of all that were added. */
  get sum(): number {
    return this.#sum;
  }

  /** The numbers kept, in no particular order. */
  get values(): Float64Array {
    return this.#values.subarray(0, this.#kept);
  }

  add(value: number): void {
    this.#count += 1;
    this.#sum += value;
    if (this.#kept === this.#limit) {
      const place = pickIndex(this.#rng, this.#count);
      if (place < this.#limit) this.#values[place] = value;
      return;
    }
    if (this.#kept === this.#values.length) {
      const grown = new Float64Array(this.#values.length * 2);
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[this.#kept] = value;
    this.#kept += 1;
  }
}
