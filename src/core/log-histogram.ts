import { assert } from './assert.ts';

/** Sub-buckets per doubling: the middle of a bucket is within 1/128 of every value in it. */
const SUB_BUCKETS = 64;
const SUB_BITS = 6;
/** Values are counted as integers of up to this many bits. */
const VALUE_BITS = 31;
const BUCKETS = (VALUE_BITS - SUB_BITS + 1) * SUB_BUCKETS;
const VALUE_MAX = 2 ** VALUE_BITS - 1;

/**
 * Counts any number of values in 13 KB: 64 linear buckets per doubling, so that a quantile is off
 * by at most 0.8 % or one `resolution` (the layout of HdrHistogram). Sum, smallest and largest
 * value are exact. Recording allocates nothing.
 */
export class LogHistogram {
  readonly #counts = new Float64Array(BUCKETS);
  readonly #resolution: number;
  readonly #perUnit: number;
  #count = 0;
  #sum = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;

  /**
   * `resolution`: values closer than this are not told apart; above 2^31 of it all count as one.
   */
  constructor(resolution: number) {
    assert(resolution > 0, 'a resolution is above 0');
    this.#resolution = resolution;
    this.#perUnit = 1 / resolution;
  }

  get count(): number {
    return this.#count;
  }

  get sum(): number {
    return this.#sum;
  }

  /** Infinite while nothing is counted. */
  get min(): number {
    return this.#min;
  }

  /** Minus infinity while nothing is counted. */
  get max(): number {
    return this.#max;
  }

  /** Counts one value of 0 or more. */
  record(value: number): void {
    const steps = Math.min(VALUE_MAX, value * this.#perUnit) | 0;
    const index = indexOf(steps);
    this.#counts[index] = (this.#counts[index] as number) + 1;
    this.#count += 1;
    this.#sum += value;
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
  }

  /** The value below which a `share` (0 to 1) of all lie; NaN while nothing is counted. */
  quantile(share: number): number {
    if (this.#count === 0) return Number.NaN;
    const rank = share * (this.#count - 1);
    let seen = 0;
    for (let index = 0; index < BUCKETS; index += 1) {
      seen += this.#counts[index] as number;
      if (seen > rank) {
        const middle = middleOf(index) * this.#resolution;
        return Math.min(this.#max, Math.max(this.#min, middle));
      }
    }
    return this.#max;
  }
}

function indexOf(steps: number): number {
  if (steps < SUB_BUCKETS) return steps;
  const shift = 31 - Math.clz32(steps) - SUB_BITS;
  return (shift + 1) * SUB_BUCKETS + ((steps >> shift) - SUB_BUCKETS);
}

function middleOf(index: number): number {
  if (index < SUB_BUCKETS) return index + 0.5;
  const shift = (index >> SUB_BITS) - 1;
  return (SUB_BUCKETS + (index & (SUB_BUCKETS - 1)) + 0.5) * 2 ** shift;
}
