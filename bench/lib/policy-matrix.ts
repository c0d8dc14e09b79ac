/** How one policy fared on one workload at one load, as a mean over seeds. */
export interface Cell {
  /** Mean of the seeds' p90, in milliseconds. */
  readonly ttftP90Ms: number;
  readonly outputTokensPerSecond: number;
  /** Good answers per second of the time in which requests that count are sent. */
  readonly goodPerSecond: number;
  /** Good answers of all requests that were sent and count, 0 to 1. */
  readonly goodShare: number;
  /** Runs that did not end by themselves, as more was asked than answered. */
  readonly saturatedRuns: number;
}

/** Cells by policy. */
export type Row = ReadonlyMap<string, Cell>;

/** How all policies fared on one workload at one load. */
export interface Standing {
  readonly workload: string;
  readonly load: number;
  /** Of policies that could be used. */
  readonly row: Row;
  /** Of the policy that sees what none can; null when it was not asked. */
  readonly oracle: Cell | null;
  /** Whether some policy serves this load, so that it tells policies apart. */
  readonly isJudged: boolean;
}

/** What one policy is to another. */
export type Verdict = 'won' | 'LOST' | 'even' | '-';

/** By how much a policy has to be better to have won: 15 %. */
const WIN_SHARE = 0.15;
/** Goodputs within 3 % are the same. */
const SAME_SHARE = 0.03;
/**
 * Share of good answers from which a load is served: the attainment by which DistServe (Zhong et
 * al., OSDI 2024) defines goodput.
 */
export const SERVED_SHARE = 0.9;

/** The middle of what the seeds gave. */
export function meanOfCells(cells: readonly Cell[]): Cell {
  const mean = (read: (cell: Cell) => number): number =>
    cells.reduce((sum, cell) => sum + read(cell), 0) / cells.length;
  return {
    ttftP90Ms: mean((cell) => cell.ttftP90Ms),
    outputTokensPerSecond: mean((cell) => cell.outputTokensPerSecond),
    goodPerSecond: mean((cell) => cell.goodPerSecond),
    goodShare: mean((cell) => cell.goodShare),
    saturatedRuns: cells.reduce((sum, cell) => sum + cell.saturatedRuns, 0),
  };
}

/**
 * Whether some policy gives good answers to `SERVED_SHARE` of the requests. Without an objective
 * every answer is good, and every load is judged.
 */
export function isServed(row: Row, hasObjective: boolean): boolean {
  return !hasObjective || [...row.values()].some(({ goodShare }) => goodShare >= SERVED_SHARE);
}

/** Goodput of `subject` over that of the best policy, 1 when it is the best or none has any. */
export function shareOfBest(row: Row, subject: string): number {
  const best = Math.max(...[...row.values()].map(({ goodPerSecond }) => goodPerSecond));
  return best > 0 ? goodputOf(row, subject) / best : 1;
}

/** The policy with the most goodput; the first of equals. */
export function bestPolicy(row: Row): string {
  let best = '';
  let most = Number.NEGATIVE_INFINITY;
  for (const [policy, { goodPerSecond }] of row) {
    if (goodPerSecond > most) [best, most] = [policy, goodPerSecond];
  }
  return best;
}

/**
 * Whether `subject` beats `other` by 15 % or more in goodput, or in p90 TTFT with a goodput that is
 * not more than 3 % lower.
 */
export function wins(row: Row, subject: string, other: string): boolean {
  const [ours, theirs] = [row.get(subject), row.get(other)];
  if (ours === undefined || theirs === undefined) return false;
  if (ours.goodPerSecond > 0 && ours.goodPerSecond >= (1 + WIN_SHARE) * theirs.goodPerSecond) {
    return true;
  }
  const isSame = ours.goodPerSecond >= (1 - SAME_SHARE) * theirs.goodPerSecond;
  return isSame && ours.ttftP90Ms <= (1 - WIN_SHARE) * theirs.ttftP90Ms;
}

/** How `subject` stands to `other`; `-` when one of them was not run. */
export function verdictOf(row: Row, subject: string, other: string): Verdict {
  if (!row.has(subject) || !row.has(other)) return '-';
  return wins(row, subject, other) ? 'won' : wins(row, other, subject) ? 'LOST' : 'even';
}

/** The judged loads by the workloads on which `subject` wins there against all of `others`. */
export function winsOf(
  standings: readonly Standing[],
  subject: string,
  others: readonly string[],
): ReadonlyMap<string, readonly number[]> {
  const won = new Map<string, number[]>();
  for (const { workload, load, row, isJudged } of standings) {
    if (!isJudged || !others.every((other) => wins(row, subject, other))) continue;
    const loads = won.get(workload);
    if (loads === undefined) won.set(workload, [load]);
    else loads.push(load);
  }
  return won;
}

/** The judged standing in which `subject` is furthest behind the best; null when none is judged. */
export function worstStanding(standings: readonly Standing[], subject: string): Standing | null {
  let worst: Standing | null = null;
  for (const standing of standings) {
    if (!standing.isJudged) continue;
    const isWorse =
      worst === null || shareOfBest(standing.row, subject) < shareOfBest(worst.row, subject);
    if (isWorse) worst = standing;
  }
  return worst;
}

function goodputOf(row: Row, policy: string): number {
  return row.get(policy)?.goodPerSecond ?? Number.NaN;
}
