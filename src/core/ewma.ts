import { assert } from './assert.ts';

/**
 * Exponentially weighted moving average over irregular samples: a sample's weight halves every
 * `halfLifeMs`. Returns NaN until the first sample.
 */
export class Ewma {
  readonly #halfLifeMs: number;
  #value = Number.NaN;
  #atMs = 0;

  constructor(halfLifeMs: number) {
    assert(halfLifeMs > 0, 'half-life must be positive');
    this.#halfLifeMs = halfLifeMs;
  }

  get value(): number {
    return this.#value;
  }

  add(sample: number, nowMs: number): void {
    if (Number.isNaN(this.#value)) {
      this.#value = sample;
    } else {
      const keep = 0.5 ** (Math.max(0, nowMs - this.#atMs) / this.#halfLifeMs);
      // A burst within one instant still moves the average: each sample weighs at least 1/8.
      const weight = Math.max(1 - keep, 0.125);
      this.#value += (sample - this.#value) * weight;
    }
    this.#atMs = nowMs;
  }
}
