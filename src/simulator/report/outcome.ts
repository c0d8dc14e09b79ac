import type { Distribution, RunResult, RunStatus } from '../lab/results.ts';
import {
  PERCENTILE_NAMES,
  percentOf,
  type MeasuredDistribution,
  type MeasuredReport,
} from '../load/measured-report.ts';
import type { NamedMeasurement } from './report-input.ts';

/** The latencies that a page compares, in its order. */
export const LATENCIES: readonly Latency[] = Object.freeze(['ttft', 'tpot', 'itl', 'e2e'] as const);

/** Time to first token, mean time per output token, gap between tokens, whole request. */
export type Latency = 'ttft' | 'tpot' | 'itl' | 'e2e';

/** A point of a distribution: `percent` of the values are `ms` or less. */
export type CurvePoint = readonly [ms: number, percent: number];

/** One latency of a run, in milliseconds; null where it is not known. */
export interface LatencyOutcome {
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p99: number | null;
  /** Rising in both; empty when nothing was counted. */
  readonly curve: readonly CurvePoint[];
}

/** A run, simulated or measured, in the terms that both have. Null where a run does not know. */
export interface Outcome {
  /** Unique within a report. */
  readonly name: string;
  /** The policy for a simulated run, the same as `name` for a measured one. */
  readonly group: string;
  readonly kind: 'simulated' | 'measured';
  readonly status: RunStatus;
  readonly latencies: Readonly<Record<Latency, LatencyOutcome>>;
  /** 0 to 1; null when no objective was set. */
  readonly goodShare: number | null;
  readonly goodRequestsPerSecond: number | null;
  readonly requestsPerSecond: number;
  readonly outputTokensPerSecond: number;
  /** Requests that brought no answer: refused, failed and unanswered ones. */
  readonly lost: number;
  /** The simulated run behind it; null for a measured one. */
  readonly run: RunResult | null;
}

const UNKNOWN: LatencyOutcome = { p50: null, p90: null, p99: null, curve: [] };

/** Simulated runs under their policies' names; what would be equal gets the seed, then a number. */
export function outcomesOfRuns(runs: readonly RunResult[]): readonly Outcome[] {
  const seeds = new Set(runs.map(({ seed }) => seed));
  const policies = new Set(runs.map(({ policy }) => policy));
  const needsSeed = seeds.size > 1 && policies.size < runs.length;
  const names = uniqueNames(
    runs.map(({ policy, seed }) => (needsSeed ? `${policy} (seed ${seed})` : policy)),
  );
  return runs.map((run, index) => simulatedOutcome(names[index] ?? run.policy, run));
}

/** Measured runs; names that simulated runs have already are marked. */
export function outcomesOfMeasurements(
  measured: readonly NamedMeasurement[],
  taken: readonly Outcome[],
): readonly Outcome[] {
  const used = new Set(taken.map(({ name }) => name));
  const names = uniqueNames(
    measured.map(({ name }) => (used.has(name) ? `${name} (measured)` : name)),
  );
  return measured.map(({ name, report }, index) => measuredOutcome(names[index] ?? name, report));
}

/** Whether anything was asked of the answers' speed. */
export function hasObjective(run: RunResult): boolean {
  const { ttftMs, tpotMs, e2eMs } = run.goodput.objective;
  return ttftMs !== null || tpotMs !== null || e2eMs !== null;
}

function simulatedOutcome(name: string, run: RunResult): Outcome {
  const { goodput, throughput, requests } = run;
  return {
    name,
    group: run.policy,
    kind: 'simulated',
    status: run.status,
    latencies: {
      ttft: latencyOf(run.ttftMs),
      tpot: latencyOf(run.tpotMs),
      itl: latencyOf(run.itlMs),
      e2e: latencyOf(run.e2eMs),
    },
    goodShare: hasObjective(run) ? finite(goodput.goodShare) : null,
    goodRequestsPerSecond: hasObjective(run) ? finite(goodput.requestsPerSecond) : null,
    requestsPerSecond: throughput.requestsPerSecond,
    outputTokensPerSecond: throughput.outputTokensPerSecond,
    lost: requests.refused + requests.failed + requests.unanswered,
    run,
  };
}

function measuredOutcome(name: string, report: MeasuredReport): Outcome {
  const { latency, throughput, goodput_metrics: goodput } = report.successes;
  return {
    name,
    group: name,
    kind: 'measured',
    status: statusOf(report),
    latencies: {
      ttft: measuredLatencyOf(latency.time_to_first_token),
      tpot: measuredLatencyOf(latency.time_per_output_token),
      itl: measuredLatencyOf(latency.inter_token_latency),
      e2e: measuredLatencyOf(latency.request_latency),
    },
    goodShare: goodput === undefined ? null : finite(goodput.goodput_percentage / 100),
    goodRequestsPerSecond: goodput === undefined ? null : finite(goodput.request_goodput),
    requestsPerSecond: throughput.requests_per_sec,
    outputTokensPerSecond: throughput.output_tokens_per_sec,
    lost: report.failures.count,
    run: null,
  };
}

function statusOf({ penstock }: MeasuredReport): RunStatus {
  return penstock?.status === 'interrupted' ? 'interrupted' : 'finished';
}

function latencyOf(distribution: Distribution): LatencyOutcome {
  if (distribution.count === 0) return UNKNOWN;
  const { p50, p90, p99, quantiles } = distribution;
  const curve = quantiles.map((ms, percent): CurvePoint => [ms, percent]);
  return { p50: finite(p50), p90: finite(p90), p99: finite(p99), curve: drawable(curve) };
}

function measuredLatencyOf(distribution: MeasuredDistribution | null): LatencyOutcome {
  if (distribution === null) return UNKNOWN;
  const msAt = (seconds: number | undefined): number | null =>
    seconds === undefined ? null : finite(seconds * 1000);
  const known = PERCENTILE_NAMES.flatMap((name): CurvePoint[] => {
    const ms = msAt(distribution[name]);
    return ms === null ? [] : [[ms, percentOf(name)]];
  });
  const ends = [
    msAt(distribution.min) ?? Number.NaN,
    msAt(distribution.max) ?? Number.NaN,
  ] as const;
  const curve = drawable([[ends[0], 0], ...known, [ends[1], 100]]);
  const { median, p90, p99 } = distribution;
  return { p50: msAt(median), p90: msAt(p90), p99: msAt(p99), curve };
}

/** Only what a logarithmic axis can show; four significant digits are finer than any screen. */
function drawable(points: readonly CurvePoint[]): readonly CurvePoint[] {
  return points
    .filter(([ms]) => Number.isFinite(ms) && ms > 0)
    .map(([ms, percent]): CurvePoint => [Number(ms.toPrecision(4)), percent]);
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function uniqueNames(names: readonly string[]): readonly string[] {
  const seen = new Map<string, number>();
  return names.map((name) => {
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return count === 1 ? name : `${name} (${count})`;
  });
}
