import { fail, succeed, type Result } from '../../core/result.ts';
import type { Distribution, RunResult } from '../lab/results.ts';
import type { MeasuredDistribution, MeasuredReport } from '../load/measured-report.ts';

/** What a simulated and a measured run are compared by. */
export type MetricName = `${'ttft' | 'tpot' | 'itl'} ${'mean' | 'p50' | 'p90'}` | 'output tokens/s';

/** Every metric, in the order of tables. */
const METRIC_NAMES: readonly MetricName[] = Object.freeze([
  'ttft mean',
  'ttft p50',
  'ttft p90',
  'tpot mean',
  'tpot p50',
  'tpot p90',
  'itl mean',
  'itl p50',
  'itl p90',
  'output tokens/s',
]);

/** Milliseconds, or tokens per second. */
export type Metrics = Readonly<Record<MetricName, number>>;

/** One metric of two runs. */
export interface MetricError {
  readonly metric: MetricName;
  readonly measured: number;
  readonly simulated: number;
  /** Simulated by measured, less 1: 0.1 is 10 % too much. */
  readonly relativeError: number;
}

/** Metrics of a simulated run; those of a run without answers are NaN. */
export function metricsOfRun({ ttftMs, tpotMs, itlMs, throughput }: RunResult): Metrics {
  const at = (distribution: Distribution, percentile: 'mean' | 'p50' | 'p90'): number =>
    distribution.count === 0 ? Number.NaN : distribution[percentile];
  return {
    'ttft mean': at(ttftMs, 'mean'),
    'ttft p50': at(ttftMs, 'p50'),
    'ttft p90': at(ttftMs, 'p90'),
    'tpot mean': at(tpotMs, 'mean'),
    'tpot p50': at(tpotMs, 'p50'),
    'tpot p90': at(tpotMs, 'p90'),
    'itl mean': at(itlMs, 'mean'),
    'itl p50': at(itlMs, 'p50'),
    'itl p90': at(itlMs, 'p90'),
    'output tokens/s': throughput.outputTokensPerSecond,
  };
}

/**
 * Metrics of a measured run, counted from sending where the report says so: what a client was late
 * is not the server's. Failure says which one is missing or impossible.
 */
export function metricsOfReport(report: MeasuredReport): Result<Metrics, string> {
  const latency = report.penstock?.latency_from_sending ?? report.successes.latency;
  const found = new Map<MetricName, number>();
  const sources: readonly (readonly ['ttft' | 'tpot' | 'itl', MeasuredDistribution | null])[] = [
    ['ttft', latency.time_to_first_token],
    ['tpot', latency.time_per_output_token],
    ['itl', latency.inter_token_latency],
  ];
  for (const [name, distribution] of sources) {
    if (distribution === null) {
      return fail(`the measured run has no ${name}: answers must be streamed, and some succeed`);
    }
    for (const [percentile, seconds] of [
      ['mean', distribution.mean],
      ['p50', distribution.median],
      ['p90', distribution.p90],
    ] as const) {
      if (seconds === undefined) return fail(`the report has no ${percentile} of ${name}`);
      found.set(`${name} ${percentile}`, seconds * 1000);
    }
  }
  found.set('output tokens/s', report.successes.throughput.output_tokens_per_sec);
  const metrics = Object.fromEntries(found) as Metrics;
  for (const metric of METRIC_NAMES) {
    const value = metrics[metric];
    // Chunks of several tokens leave gaps of nothing between most of them.
    const hint = metric.startsWith('itl') ? '; does the server send several tokens at a time?' : '';
    if (!(value > 0)) return fail(`the measured ${metric} is ${value}, which cannot be${hint}`);
  }
  return succeed(metrics);
}

/** Compares metric by metric. */
export function metricErrors(measured: Metrics, simulated: Metrics): readonly MetricError[] {
  return METRIC_NAMES.map((metric) => ({
    metric,
    measured: measured[metric],
    simulated: simulated[metric],
    relativeError: simulated[metric] / measured[metric] - 1,
  }));
}

/** Mean of the errors' absolute values. */
export function meanError(errors: readonly MetricError[]): number {
  return (
    errors.reduce((sum, { relativeError }) => sum + Math.abs(relativeError), 0) / errors.length
  );
}

/** The error that is farthest from 0. */
export function worstError(errors: readonly MetricError[]): MetricError {
  return errors.reduce((worst, error) =>
    Math.abs(error.relativeError) > Math.abs(worst.relativeError) ? error : worst,
  );
}
