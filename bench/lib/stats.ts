/** The middle of a set of rounds and how far they spread. */
export interface Spread {
  /** The median, or the mean where that is what counts. */
  readonly middle: number;
  readonly min: number;
  readonly max: number;
}

/** Median, smallest and largest of `values`; all NaN when there is none. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((left, right) => left - right);
  const upper = sorted[sorted.length >> 1] ?? Number.NaN;
  const lower = sorted[(sorted.length - 1) >> 1] ?? Number.NaN;
  return {
    middle: (lower + upper) / 2,
    min: sorted[0] ?? Number.NaN,
    max: sorted.at(-1) ?? Number.NaN,
  };
}

/**
 * The median of `values` and bounds that hold that of many more with a chance of 95 %, whatever
 * their distribution: the values at ranks of the sign test (normal approximation).
 */
export function medianIntervalOf(values: readonly number[]): Spread {
  const { middle } = spreadOf(values);
  const sorted = values.toSorted((left, right) => left - right);
  const half = 0.98 * Math.sqrt(sorted.length);
  const first = Math.max(0, Math.floor(sorted.length / 2 - half));
  return {
    middle,
    min: sorted[first] ?? Number.NaN,
    max: sorted[sorted.length - 1 - first] ?? Number.NaN,
  };
}

/** The mean of a set of windows and how far they spread; all NaN when there is none. */
export function meanSpreadOf(values: readonly number[]): Spread {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { ...spreadOf(values), middle: mean };
}

/** `middle (min-max)` with the given number of decimals. */
export function formatSpread(spread: Spread, decimals: number): string {
  const [middle, min, max] = [spread.middle, spread.min, spread.max].map((value) =>
    value.toFixed(decimals),
  );
  return `${middle} (${min}-${max})`;
}

/**
 * Element-wise `left / right` of two series of rounds, so that each ratio is taken within a round.
 */
export function ratiosOf(left: readonly number[], right: readonly number[]): readonly number[] {
  return left.map((value, round) => value / (right[round] ?? Number.NaN));
}

/** Element-wise `left - right` of two series of rounds. */
export function differencesOf(
  left: readonly number[],
  right: readonly number[],
): readonly number[] {
  return left.map((value, round) => value - (right[round] ?? Number.NaN));
}

/** Delays counted in buckets of 10 us up to 1 s; longer ones count as 1 s. */
export class DelayHistogram {
  static readonly #bucketUs = 10;
  static readonly #bucketCount = 100_000;
  readonly #counts = new Uint32Array(DelayHistogram.#bucketCount);
  #total = 0;

  add(delayUs: number): void {
    const bucket = Math.floor(delayUs / DelayHistogram.#bucketUs);
    const last = DelayHistogram.#bucketCount - 1;
    const index = bucket < 0 ? 0 : Math.min(bucket, last);
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#total += 1;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#total = 0;
  }

  /**
   * The delay in milliseconds that the share `quantile` (0 to 1) does not exceed; NaN when empty.
   */
  quantileMs(quantile: number): number {
    if (this.#total === 0) return Number.NaN;
    const rank = Math.max(1, Math.ceil(quantile * this.#total));
    let seen = 0;
    for (let bucket = 0; bucket < this.#counts.length; bucket += 1) {
      seen += this.#counts[bucket] ?? 0;
      if (seen >= rank) return ((bucket + 1) * DelayHistogram.#bucketUs) / 1000;
    }
    return Number.NaN;
  }
}
