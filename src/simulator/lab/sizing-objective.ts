import type { Distribution, RunResult } from './results.ts';

/** A latency that an objective may bound. */
export type ObjectiveMeasure = 'ttft' | 'tpot' | 'itl' | 'e2e';

/** Which value of its distribution is bounded. */
export type ObjectiveStatistic = 'mean' | 'p50' | 'p90' | 'p95' | 'p99' | 'p999';

/** One bound. */
export type ObjectiveTerm =
  | {
      readonly kind: 'latency';
      readonly measure: ObjectiveMeasure;
      readonly statistic: ObjectiveStatistic;
      readonly limitMs: number;
    }
  /** Least share of requests that meet the workload's own objective, 0 to 1. */
  | { readonly kind: 'goodput'; readonly minShare: number };

/** How a term came out over the runs of one fleet. */
export interface TermVerdict {
  readonly term: ObjectiveTerm;
  /** The worst of the runs, in milliseconds or as a share; infinite when too few were answered. */
  readonly worst: number;
  readonly mean: number;
  readonly meets: boolean;
  /** Share of the bound that is left in the worst run; negative when it is missed. */
  readonly headroom: number;
}

/** Whether a fleet meets an objective. */
export interface ObjectiveVerdict {
  readonly meets: boolean;
  readonly terms: readonly TermVerdict[];
  /** A run did not answer everything: no objective is met then, whatever its latencies. */
  readonly isSaturated: boolean;
}

const RANKS: Readonly<Record<Exclude<ObjectiveStatistic, 'mean'>, number>> = {
  p50: 0.5,
  p90: 0.9,
  p95: 0.95,
  p99: 0.99,
  p999: 0.999,
};

/**
 * Judges the runs of one fleet, one per seed: every term must hold in every run, and every run must
 * have answered everything. If a fleet met the objective on no more than half of all days, `n` runs
 * would pass with a probability of 1/2^n at most: 12 % for three, 3 % for five.
 */
export function judgeRuns(
  terms: readonly ObjectiveTerm[],
  runs: readonly RunResult[],
): ObjectiveVerdict {
  const verdicts = terms.map((term) => judgeTerm(term, runs));
  const isSaturated = runs.some(({ status }) => status !== 'finished');
  return {
    meets: runs.length > 0 && !isSaturated && verdicts.every(({ meets }) => meets),
    terms: verdicts,
    isSaturated,
  };
}

function judgeTerm(term: ObjectiveTerm, runs: readonly RunResult[]): TermVerdict {
  const values = runs.map((run) => measureTerm(term, run));
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (term.kind === 'goodput') {
    const worst = Math.min(...values);
    const { minShare } = term;
    // Of the misses that are allowed, the share that is left; all of them when none is allowed.
    const allowed = 1 - minShare;
    const headroom = allowed === 0 ? worst - minShare : (worst - minShare) / allowed;
    return { term, worst, mean, meets: worst >= minShare, headroom };
  }
  const worst = Math.max(...values);
  const headroom = 1 - worst / term.limitMs;
  return { term, worst, mean, meets: worst <= term.limitMs, headroom };
}

/**
 * The value that a term bounds, of one run. A request that failed or was refused counts as one that
 * took for ever: with a share f of them, the p-quantile of all requests is the p / (1 - f)-quantile
 * of the answered ones, and infinite when there is no such quantile.
 */
export function measureTerm(term: ObjectiveTerm, run: RunResult): number {
  if (term.kind === 'goodput') return run.goodput.goodShare;
  const distribution = distributionOf(run, term.measure);
  const { completed, refused, failed, unanswered } = run.requests;
  const lost = refused + failed + unanswered;
  if (distribution.count === 0) return lost > 0 ? Number.POSITIVE_INFINITY : 0;
  if (lost === 0) return distribution[term.statistic];
  if (term.statistic === 'mean') return Number.POSITIVE_INFINITY;
  const rank = (RANKS[term.statistic] * (completed + lost)) / completed;
  return rank > 1 ? Number.POSITIVE_INFINITY : quantile(distribution, rank);
}

function distributionOf(run: RunResult, measure: ObjectiveMeasure): Distribution {
  switch (measure) {
    case 'ttft':
      return run.ttftMs;
    case 'tpot':
      return run.tpotMs;
    case 'itl':
      return run.itlMs;
    case 'e2e':
      return run.e2eMs;
  }
}

/** The next percentile that is known from `rank` on, 0 to 1: never less than the true value. */
function quantile(distribution: Distribution, rank: number): number {
  const { quantiles, p999, max } = distribution;
  if (rank > 0.99) return rank <= 0.999 ? p999 : max;
  return quantiles[Math.ceil(rank * 100 - 1e-9)] ?? max;
}
