import { labelText } from './label-text.ts';

/** A counter, gauge or histogram with one set of label values. */
export type MetricSeries = CounterSeries | GaugeSeries | HistogramSeries;

/** What every series has. */
class LabelledSeries {
  /** Label values in table order. */
  readonly labels: readonly string[];
  /** `name="value",…` as printed, made once. */
  readonly text: string;

  constructor(names: readonly string[], values: readonly string[]) {
    this.labels = values;
    this.text = labelText(names, values);
  }
}

/**
 * A total that only grows. The value lives in a typed array, so that a change never boxes a number.
 */
export class CounterSeries extends LabelledSeries {
  readonly #cell = new Float64Array(1);

  get value(): number {
    return this.#cell[0] ?? 0;
  }

  /** Adds `amount`; a negative or non-finite amount (a broken engine report) is ignored. */
  add(amount: number): void {
    if (amount > 0 && amount < Number.POSITIVE_INFINITY) {
      this.#cell[0] = (this.#cell[0] as number) + amount;
    }
  }

  /** Raises the total to one kept elsewhere, such as the process's CPU time; never lowers it. */
  raiseTo(total: number): void {
    if (total > (this.#cell[0] as number) && total < Number.POSITIVE_INFINITY) {
      this.#cell[0] = total;
    }
  }
}

/** A value that goes up and down. NaN means unknown and is not printed. */
export class GaugeSeries extends LabelledSeries {
  readonly #cell = new Float64Array(1);

  get value(): number {
    return this.#cell[0] ?? 0;
  }

  set(value: number): void {
    this.#cell[0] = value;
  }

  /** Adds `amount`, which may be negative. */
  add(amount: number): void {
    this.#cell[0] = (this.#cell[0] as number) + amount;
  }
}

/**
 * Counts observations per bucket. One typed array holds the counts of the buckets, then the count
 * above the last bound; the sum is in `sum`.
 */
export class HistogramSeries extends LabelledSeries {
  /** Inclusive upper bounds, without +Inf. */
  readonly bounds: Float64Array;
  /** Observations per bucket (not cumulative); the last slot is above every bound. */
  readonly counts: Float64Array;
  readonly #sum = new Float64Array(1);

  constructor(names: readonly string[], values: readonly string[], bounds: readonly number[]) {
    super(names, values);
    this.bounds = Float64Array.from(bounds);
    this.counts = new Float64Array(bounds.length + 1);
  }

  get sum(): number {
    return this.#sum[0] ?? 0;
  }

  /** Counts one value. NaN and infinities are ignored: they would spoil the sum for ever. */
  observe(value: number): void {
    if (!Number.isFinite(value)) return;
    const { bounds, counts } = this;
    let low = 0;
    let high = bounds.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (value <= (bounds[middle] as number)) high = middle;
      else low = middle + 1;
    }
    counts[low] = (counts[low] as number) + 1;
    this.#sum[0] = (this.#sum[0] as number) + value;
  }
}
