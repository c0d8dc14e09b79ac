import type { RunResult } from './results.ts';

/** One load of a sweep. */
export interface SweepPoint {
  readonly load: number;
  /** Offered. */
  readonly requestsPerSecond: number;
  readonly result: RunResult;
}

/** A saturation curve: one policy on one fleet under more and more load. */
export interface SweepResult {
  readonly workload: string;
  readonly policy: string;
  /** By rising load. */
  readonly points: readonly SweepPoint[];
  /**
   * Index of the last point before saturation; null when none saturates, and when the first one
   * already does (`saturatedFrom` is 0 then).
   */
  readonly kneeIndex: number | null;
  /** Index of the first saturated point; null when there is none. */
  readonly saturatedFrom: number | null;
}

/** Loads to try, `from` and `to` included. */
export interface SweepStages {
  readonly from: number;
  readonly to: number;
  readonly stages: number;
  /** Equal differences, or equal ratios, which look closer at small loads. */
  readonly spacing: 'linear' | 'geometric';
}

/** Least share of the offered requests that a fleet must keep up with. */
const FOLLOWS = 0.95;
/** Least share of the best goodput of lighter loads. */
const STAYS_GOOD = 0.95;

/** The loads of a sweep, rising, with four significant digits so that tables read well. */
export function sweepLoads({ from, to, stages, spacing }: SweepStages): readonly number[] {
  if (stages === 1) return [from];
  return Array.from({ length: stages }, (_, index) => {
    const share = index / (stages - 1);
    const load = spacing === 'linear' ? from + (to - from) * share : from * (to / from) ** share;
    return Number(load.toPrecision(4));
  });
}

/** Requests that were sent and count, per second of the time in which they came. */
export function offeredPerSecond(
  { requests, simulatedMs }: RunResult,
  { durationMs, warmUpMs }: { readonly durationMs: number; readonly warmUpMs: number },
): number {
  const spanMs = Math.min(simulatedMs, durationMs) - warmUpMs;
  return spanMs > 0 ? requests.sent / (spanMs / 1000) : 0;
}

/**
 * Share of the offered requests per second that a fleet kept up with, 0 to 1: 1 less the rate at
 * which waiting requests became more, over the offered rate. It is taken from the second half of
 * the time in which requests came, by a straight line through the samples, so that neither the
 * start nor the last long answers play a part. Running requests are left out: until as many end as
 * begin they grow in a fleet that keeps up, too.
 */
export function followedShare(result: RunResult, durationMs: number): number {
  const { series, simulatedMs } = result;
  const end = Math.floor(Math.min(simulatedMs, durationMs) / series.intervalMs);
  const range = [Math.floor(end / 2), end] as const;
  const waiting = totals(series.waiting, range);
  const offered = totals(series.picks, range).reduce((sum, count) => sum + count, 0);
  if (offered === 0 || waiting.length < 2) return 1;
  const growth = slopeOf(waiting) * waiting.length;
  return Math.min(1, Math.max(0, 1 - growth / offered));
}

/** Sum over endpoints, of each sample of a range. */
function totals(
  rows: readonly (readonly number[])[],
  [from, end]: readonly [number, number],
): readonly number[] {
  return Array.from({ length: Math.max(0, end - from) }, (_, index) =>
    rows.reduce((sum, row) => sum + (row[from + index] ?? 0), 0),
  );
}

/** Rise per sample of the least-squares line. */
function slopeOf(values: readonly number[]): number {
  const middle = (values.length - 1) / 2;
  let rise = 0;
  let squares = 0;
  for (const [index, value] of values.entries()) {
    rise += (index - middle) * value;
    squares += (index - middle) ** 2;
  }
  return rise / squares;
}

/**
 * Puts a sweep together and marks its knee: the last load up to which every point kept up. A point
 * keeps up when its run was not given up, when it followed at least 95 % of the offered load, and
 * when its good share is at least 95 % of the best of the loads before it. Thresholds that anybody
 * can check in the table were preferred to the curvature of Kneedle (Satopää et al. 2011), whose
 * knee moves with the range that was swept.
 */
export function createSweepResult(
  setting: {
    readonly workload: string;
    readonly policy: string;
    /** When the last request came. */
    readonly durationMs: number;
  },
  measured: readonly SweepPoint[],
): SweepResult {
  const { workload, policy, durationMs } = setting;
  const points = [...measured].sort((left, right) => left.load - right.load);
  const saturatedFrom = findSaturated(points, durationMs);
  const kneeIndex = saturatedFrom === null || saturatedFrom === 0 ? null : saturatedFrom - 1;
  return { workload, policy, points, kneeIndex, saturatedFrom };
}

function findSaturated(points: readonly SweepPoint[], durationMs: number): number | null {
  let bestGood = 0;
  for (const [index, { result }] of points.entries()) {
    const { status, goodput } = result;
    bestGood = Math.max(bestGood, goodput.goodShare);
    const follows = followedShare(result, durationMs) >= FOLLOWS;
    const staysGood = goodput.goodShare >= STAYS_GOOD * bestGood;
    if (status === 'saturated' || !follows || !staysGood) return index;
  }
  return null;
}
