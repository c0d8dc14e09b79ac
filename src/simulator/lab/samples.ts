import type { LogHistogram } from '../../core/log-histogram.ts';
import type { Distribution } from './results.ts';

const FIRST_CAPACITY = 64;
const QUANTILES = 101;

/** Every value of one quantity, exactly: 8 bytes each. */
export class Samples {
  #values = new Float64Array(FIRST_CAPACITY);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(value: number): void {
    if (this.#count === this.#values.length) {
      const grown = new Float64Array(this.#count * 2);
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[this.#count] = value;
    this.#count += 1;
  }

  /** The values in rising order, as a copy. */
  sorted(): Float64Array {
    return this.#values.slice(0, this.#count).sort();
  }
}

/** What a quantity without a single value looks like. */
export const NO_DISTRIBUTION: Distribution = Object.freeze({
  count: 0,
  mean: 0,
  min: 0,
  max: 0,
  p50: 0,
  p90: 0,
  p95: 0,
  p99: 0,
  p999: 0,
  quantiles: Object.freeze([]),
});

/**
 * The value below which a `share` (0 to 1) of rising values lie, between two of them by linear
 * interpolation (Hyndman and Fan's type 7, the default of numpy and so of inference-perf).
 */
export function quantileOf(rising: Float64Array, share: number): number {
  const place = share * (rising.length - 1);
  const below = Math.floor(place);
  const low = rising[below] as number;
  const high = rising[Math.min(rising.length - 1, below + 1)] as number;
  return low + (high - low) * (place - below);
}

/** The shape of exact samples. */
export function distributionOf(samples: Samples): Distribution {
  const rising = samples.sorted();
  if (rising.length === 0) return NO_DISTRIBUTION;
  let sum = 0;
  for (const value of rising) sum += value;
  return createDistribution((share) => quantileOf(rising, share), {
    count: rising.length,
    sum,
    min: rising[0] as number,
    max: rising[rising.length - 1] as number,
  });
}

/** The shape of a histogram, as exact as its buckets. */
export function distributionOfHistogram(histogram: LogHistogram): Distribution {
  const { count, sum, min, max } = histogram;
  if (count === 0) return NO_DISTRIBUTION;
  return createDistribution((share) => histogram.quantile(share), { count, sum, min, max });
}

function createDistribution(
  quantile: (share: number) => number,
  totals: {
    readonly count: number;
    readonly sum: number;
    readonly min: number;
    readonly max: number;
  },
): Distribution {
  const { count, sum, min, max } = totals;
  const quantiles = Array.from({ length: QUANTILES }, (_, index) =>
    quantile(index / (QUANTILES - 1)),
  );
  quantiles[0] = min;
  quantiles[QUANTILES - 1] = max;
  return {
    count,
    mean: sum / count,
    min,
    max,
    p50: quantile(0.5),
    p90: quantile(0.9),
    p95: quantile(0.95),
    p99: quantile(0.99),
    p999: quantile(0.999),
    quantiles,
  };
}
