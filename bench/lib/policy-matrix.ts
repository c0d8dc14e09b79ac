/** How one policy fared on one workload at one load, as a mean over seeds. */
export interface Cell {
  /** Mean of the seeds' p90, in milliseconds. */
  readonly ttftP90Ms: number;
  readonly outputTokensPerSecond: number;
  /** Good answers per second of the time in which requests that count are sent. */
  readonly goodPerSecond: number;
  /** Runs that did not end by themselves, as more was asked than answered. */
  readonly saturatedRuns: number;
}

/** Cells by workload, then by policy. */
export type Matrix = ReadonlyMap<string, ReadonlyMap<string, Cell>>;

/** By how much a policy has to be better to have won: 15 %. */
const WIN_SHARE = 0.15;
/** Goodputs within 3 % are the same. */
const SAME_SHARE = 0.03;

/** The middle of what the seeds gave. */
export function meanOfCells(cells: readonly Cell[]): Cell {
  const mean = (read: (cell: Cell) => number): number =>
    cells.reduce((sum, cell) => sum + read(cell), 0) / cells.length;
  return {
    ttftP90Ms: mean((cell) => cell.ttftP90Ms),
    outputTokensPerSecond: mean((cell) => cell.outputTokensPerSecond),
    goodPerSecond: mean((cell) => cell.goodPerSecond),
    saturatedRuns: cells.reduce((sum, cell) => sum + cell.saturatedRuns, 0),
  };
}

/** Goodput of `subject` over that of the best policy, 1 when it is the best or none has any. */
export function shareOfBest(row: ReadonlyMap<string, Cell>, subject: string): number {
  const best = Math.max(...[...row.values()].map(({ goodPerSecond }) => goodPerSecond));
  return best > 0 ? goodputOf(row, subject) / best : 1;
}

/** The policy with the most goodput; the first of equals. */
export function bestPolicy(row: ReadonlyMap<string, Cell>): string {
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
export function wins(row: ReadonlyMap<string, Cell>, subject: string, other: string): boolean {
  const [ours, theirs] = [row.get(subject), row.get(other)];
  if (ours === undefined || theirs === undefined) return false;
  if (ours.goodPerSecond > 0 && ours.goodPerSecond >= (1 + WIN_SHARE) * theirs.goodPerSecond) {
    return true;
  }
  const isSame = ours.goodPerSecond >= (1 - SAME_SHARE) * theirs.goodPerSecond;
  return isSame && ours.ttftP90Ms <= (1 - WIN_SHARE) * theirs.ttftP90Ms;
}

/** Workloads on which `subject` wins against every one of `others`. */
export function workloadsWon(
  matrix: Matrix,
  subject: string,
  others: readonly string[],
): readonly string[] {
  return [...matrix].flatMap(([workload, row]) =>
    others.every((other) => wins(row, subject, other)) ? [workload] : [],
  );
}

/** The least `shareOfBest` of all workloads. */
export function leastShareOfBest(matrix: Matrix, subject: string): number {
  return Math.min(...[...matrix.values()].map((row) => shareOfBest(row, subject)));
}

function goodputOf(row: ReadonlyMap<string, Cell>, policy: string): number {
  return row.get(policy)?.goodPerSecond ?? Number.NaN;
}
