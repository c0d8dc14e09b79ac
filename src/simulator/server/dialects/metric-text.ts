import type { BucketHistogram } from '../../engine/bucket-histogram.ts';

/** Label names and values of one series. */
export type MetricLabels = Readonly<Record<string, string>>;

/** One series with labels of its own. */
export interface MetricSeries {
  readonly labels: MetricLabels;
  readonly value: number;
}

/** The text of the metrics that every engine's process has, which carry no labels of its own. */
export function processMetricsText(startedSeconds: number): string {
  const text = new MetricText({});
  text.gauge('process_start_time_seconds', 'Unix time of the start.', startedSeconds);
  return text.toString();
}

/** Builds a Prometheus text (format 0.0.4) in which every series carries the same base labels. */
export class MetricText {
  readonly #base: MetricLabels;
  readonly #lines: string[] = [];

  constructor(base: MetricLabels) {
    this.#base = base;
  }

  gauge(name: string, help: string, value: number): void {
    this.series(name, 'gauge', help, [{ labels: {}, value }]);
  }

  counter(name: string, help: string, value: number): void {
    this.series(name, 'counter', help, [{ labels: {}, value }]);
  }

  /** Several series of one metric. */
  series(
    name: string,
    type: 'gauge' | 'counter',
    help: string,
    rows: readonly MetricSeries[],
  ): void {
    this.#head(name, type, help);
    for (const row of rows) this.#line(name, row.labels, row.value);
  }

  histogram(name: string, help: string, histogram: BucketHistogram): void {
    this.#head(name, 'histogram', help);
    let cumulative = 0;
    for (const [index, count] of histogram.counts.entries()) {
      cumulative += count;
      const bound = histogram.bounds[index];
      const le = bound === undefined ? '+Inf' : String(bound);
      this.#line(`${name}_bucket`, { le }, cumulative);
    }
    this.#line(`${name}_sum`, {}, histogram.sum);
    this.#line(`${name}_count`, {}, histogram.count);
  }

  toString(): string {
    return `${this.#lines.join('\n')}\n`;
  }

  #head(name: string, type: string, help: string): void {
    this.#lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
  }

  #line(name: string, labels: MetricLabels, value: number): void {
    const parts = Object.entries({ ...this.#base, ...labels }).map(
      ([label, text]) => `${label}="${escapeLabel(text)}"`,
    );
    this.#lines.push(`${name}${parts.length === 0 ? '' : `{${parts.join(',')}}`} ${value}`);
  }
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
