/** Counts of observations by upper bound, as Prometheus histograms keep them. */
export class BucketHistogram {
  /** Ascending upper bounds; a last bucket without a bound follows. */
  readonly bounds: readonly number[];
  /** Observations per bucket, not cumulative; one more than `bounds`. */
  readonly counts: Float64Array;
  sum = 0;
  count = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  /** Adds `times` observations of one value. */
  observe(value: number, times = 1): void {
    const bounds = this.bounds;
    let index = 0;
    while (index < bounds.length && value > (bounds[index] as number)) index += 1;
    this.counts[index] = (this.counts[index] as number) + times;
    this.sum += value * times;
    this.count += times;
  }
}
