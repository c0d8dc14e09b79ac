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

/** Least share of the best of lighter loads, of what is done of what is offered, and of goodput. */
const FOLLOWS = 0.95;

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
 * Puts a sweep together and marks its knee: the last load up to which every point kept up. A point
 * keeps up when all of this holds:
 *
 * - its run was not given up, and in the last quarter of it fewer requests waited than ran;
 * - of the offered requests per second it completed at least 95 % of the best share of the loads
 *   before it. The share is below 1 at any load, as the time until the last answer counts;
 * - its good share is at least 95 % of the best of the loads before it.
 *
 * Thresholds that anybody can check in the table were preferred to the curvature of Kneedle
 * (Satopää et al. 2011), whose knee moves with the range that was swept.
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
  let bestDone = 0;
  let bestGood = 0;
  for (const [index, { result, requestsPerSecond }] of points.entries()) {
    const { status, throughput, goodput } = result;
    const done = requestsPerSecond > 0 ? throughput.requestsPerSecond / requestsPerSecond : 0;
    bestDone = Math.max(bestDone, done);
    bestGood = Math.max(bestGood, goodput.goodShare);
    const follows = done >= FOLLOWS * bestDone && goodput.goodShare >= FOLLOWS * bestGood;
    if (status === 'saturated' || isBacklogged(result, durationMs) || !follows) return index;
  }
  return null;
}

/** Whether more requests waited than ran, in the last quarter of the time in which they came. */
function isBacklogged({ series, simulatedMs }: RunResult, durationMs: number): boolean {
  const end = Math.floor(Math.min(simulatedMs, durationMs) / series.intervalMs);
  const range = [Math.floor(0.75 * end), end] as const;
  return sumOf(series.waiting, range) > sumOf(series.running, range);
}

function sumOf(
  rows: readonly (readonly number[])[],
  [from, end]: readonly [number, number],
): number {
  return rows.flatMap((row) => row.slice(from, end)).reduce((sum, value) => sum + value, 0);
}
