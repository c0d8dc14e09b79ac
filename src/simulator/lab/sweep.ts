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

/** Share of offered requests that a point must answer in time to count as keeping up. */
const FOLLOWS = 0.95;
/** Share of the best goodput of lighter loads that a point must have. */
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

/**
 * Puts a sweep together and marks its knee: the last load up to which every point kept up. A point
 * keeps up when its run finished, when it completed at least 95 % of what was offered, and when its
 * good share is at least 95 % of the best of the loads before it. A rule on two thresholds that
 * anybody can check by eye was preferred to the curvature of Kneedle (Satopää et al. 2011), whose
 * knee moves with the range that was swept.
 */
export function createSweepResult(
  names: { readonly workload: string; readonly policy: string },
  measured: readonly SweepPoint[],
): SweepResult {
  const points = [...measured].sort((left, right) => left.load - right.load);
  const saturatedFrom = findSaturated(points);
  const kneeIndex = saturatedFrom === null || saturatedFrom === 0 ? null : saturatedFrom - 1;
  return { ...names, points, kneeIndex, saturatedFrom };
}

function findSaturated(points: readonly SweepPoint[]): number | null {
  let bestShare = 0;
  for (const [index, point] of points.entries()) {
    const { status, throughput, goodput } = point.result;
    const follows = throughput.requestsPerSecond >= FOLLOWS * point.requestsPerSecond;
    if (status === 'saturated' || !follows || goodput.goodShare < STAYS_GOOD * bestShare) {
      return index;
    }
    bestShare = Math.max(bestShare, goodput.goodShare);
  }
  return null;
}
