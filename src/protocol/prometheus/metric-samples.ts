/** One line of an exposition text. */
export interface MetricSample {
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
  /** As the text gives it: milliseconds in the Prometheus format, seconds in OpenMetrics. */
  readonly timestamp: number | null;
}

const NONE: readonly MetricSample[] = Object.freeze([]);

/** What was read from one exposition text, by metric name. */
export class MetricSamples {
  readonly #byName: ReadonlyMap<string, readonly MetricSample[]>;
  /** Samples kept. */
  readonly count: number;
  /** Lines that were neither blank, a comment nor a well-formed sample; they were skipped. */
  readonly brokenLines: number;
  /** Whether the text or the number of samples was over the limit and the rest was left out. */
  readonly isTruncated: boolean;

  constructor(
    byName: ReadonlyMap<string, readonly MetricSample[]>,
    tally: { readonly count: number; readonly brokenLines: number; readonly isTruncated: boolean },
  ) {
    this.#byName = byName;
    this.count = tally.count;
    this.brokenLines = tally.brokenLines;
    this.isTruncated = tally.isTruncated;
  }

  /** The samples of one metric in the order of the text; empty when there are none. */
  of(name: string): readonly MetricSample[] {
    return this.#byName.get(name) ?? NONE;
  }

  /** Names that have at least one sample, in the order of the text. */
  names(): Iterable<string> {
    return this.#byName.keys();
  }
}
