import { bestPolicy, shareOfBest, verdictOf, type Cell, type Standing } from './policy-matrix.ts';
import type { Table } from './report.ts';

/** Who is looked at in the tables. */
export interface Contest {
  readonly subject: string;
  /** Whom it has to beat. */
  readonly rivals: readonly string[];
  /** Whom it is compared with for information. */
  readonly others: readonly string[];
  /** Rows of the tables of figures, in this order. */
  readonly policies: readonly string[];
  readonly oracleName: string;
}

const BEYOND = 'beyond capacity';
const FIGURES: readonly (readonly [title: string, read: (cell: Cell) => string])[] = [
  ['p90 TTFT ms', ({ ttftP90Ms }) => ttftP90Ms.toFixed(0)],
  ['output tokens/s', ({ outputTokensPerSecond }) => outputTokensPerSecond.toFixed(0)],
  ['good answers/s', ({ goodPerSecond }) => goodPerSecond.toFixed(2)],
  ['good answers %', ({ goodShare }) => (100 * goodShare).toFixed(1)],
];

/**
 * Figures and verdicts of one load, by workload; `-` where a workload was not run at it, in
 * brackets where no policy serves it.
 */
export function loadTables(
  workloads: readonly string[],
  standings: readonly Standing[],
  load: number,
  contest: Contest,
): readonly Table[] {
  const own = standings.filter((standing) => standing.load === load);
  if (own.length === 0) return [];
  const byWorkload = new Map(own.map((standing) => [standing.workload, standing]));
  const figures = FIGURES.map(([title, read]): Table => [
    [`${title}, load ${load}`, ...workloads],
    ...contest.policies.map((policy) => [
      policy,
      ...workloads.map((name) => figureOf(byWorkload.get(name), policy, { contest, read })),
    ]),
  ]);
  return [...figures, verdictTable(workloads, byWorkload, load, contest)];
}

function figureOf(
  standing: Standing | undefined,
  policy: string,
  { contest, read }: { readonly contest: Contest; readonly read: (cell: Cell) => string },
): string {
  if (standing === undefined) return '-';
  const isOracle = policy === contest.oracleName;
  const cell = isOracle ? standing.oracle : standing.row.get(policy);
  if (cell === undefined || cell === null) return '-';
  const text = `${read(cell)}${cell.saturatedRuns > 0 ? '*' : ''}`;
  return standing.isJudged ? text : `(${text})`;
}

function verdictTable(
  workloads: readonly string[],
  byWorkload: ReadonlyMap<string, Standing>,
  load: number,
  { subject, rivals }: Contest,
): Table {
  const heading = [
    `${subject}, load ${load}`,
    'goodput ÷ best',
    'best',
    ...rivals.map((name) => `to ${name}`),
    'goodput ÷ oracle',
    'TTFT ÷ oracle',
  ];
  const rows = workloads.map((workload) => {
    const standing = byWorkload.get(workload);
    if (standing === undefined || !standing.isJudged) {
      return [workload, BEYOND, ...heading.slice(2).map(() => '-')];
    }
    const { row, oracle } = standing;
    const ours = row.get(subject);
    return [
      workload,
      ours === undefined ? '-' : shareOfBest(row, subject).toFixed(3),
      bestPolicy(row),
      ...rivals.map((other) => verdictOf(row, subject, other)),
      ...ratiosTo(ours, oracle ?? undefined, 3),
    ];
  });
  return [heading, ...rows];
}

/** Every workload at every load: verdicts, and goodput and p90 TTFT over those of the others. */
export function ladderTable(
  workloads: readonly string[],
  standings: readonly Standing[],
  loads: readonly number[],
  { subject, rivals, others }: Contest,
): Table {
  const against = [...rivals, ...others];
  const heading = [
    'workload',
    'load',
    ...against.flatMap((name) => [`to ${name}`, 'goodput ÷', 'TTFT ÷']),
  ];
  const rows = workloads.flatMap((workload) =>
    loads.map((load) => {
      const standing = standings.find((each) => each.workload === workload && each.load === load);
      if (standing === undefined || !standing.isJudged) {
        return [workload, String(load), BEYOND, ...heading.slice(3).map(() => '-')];
      }
      const { row } = standing;
      return [
        workload,
        String(load),
        ...against.flatMap((other) => [
          verdictOf(row, subject, other),
          ...ratiosTo(row.get(subject), row.get(other), 2),
        ]),
      ];
    }),
  );
  return [heading, ...rows];
}

/** Goodput and p90 TTFT of `ours` over those of `theirs`. */
function ratiosTo(
  ours: Cell | undefined,
  theirs: Cell | undefined,
  decimals: number,
): readonly [string, string] {
  if (ours === undefined || theirs === undefined) return ['-', '-'];
  return [
    (ours.goodPerSecond / theirs.goodPerSecond).toFixed(decimals),
    (ours.ttftP90Ms / theirs.ttftP90Ms).toFixed(2),
  ];
}
