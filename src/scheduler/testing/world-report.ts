import type { WorldOutcome } from './policy-world.ts';

/** Figures of one run, over requests that were answered. */
export interface WorldReport {
  readonly count: number;
  readonly ttftP50Ms: number;
  readonly ttftP90Ms: number;
  readonly ttftMeanMs: number;
  readonly tpotP50Ms: number;
  readonly totalMeanMs: number;
  readonly totalP90Ms: number;
  /** Share of requests whose TTFT and TPOT were within the given bounds. */
  readonly goodShare: number;
}

/** Summarises the outcomes; `good` says what counts as good service. */
export function reportOf(
  outcomes: readonly WorldOutcome[],
  good: { readonly ttftMs: number; readonly tpotMs: number },
): WorldReport {
  const answered = outcomes.filter(({ totalMs }) => totalMs >= 0);
  const isGood = ({ ttftMs, tpotMs }: WorldOutcome): boolean =>
    ttftMs <= good.ttftMs && !(tpotMs > good.tpotMs);
  return {
    count: answered.length,
    ttftP50Ms: quantile(
      answered.map(({ ttftMs }) => ttftMs),
      0.5,
    ),
    ttftP90Ms: quantile(
      answered.map(({ ttftMs }) => ttftMs),
      0.9,
    ),
    ttftMeanMs: mean(answered.map(({ ttftMs }) => ttftMs)),
    tpotP50Ms: quantile(
      answered.map(({ tpotMs }) => tpotMs).filter((tpot) => tpot >= 0),
      0.5,
    ),
    totalMeanMs: mean(answered.map(({ totalMs }) => totalMs)),
    totalP90Ms: quantile(
      answered.map(({ totalMs }) => totalMs),
      0.9,
    ),
    goodShare: answered.filter(isGood).length / Math.max(1, outcomes.length),
  };
}

/** The smallest value that at least `share` of the values do not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
