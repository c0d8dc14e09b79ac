import type { RunResult, RunStatus } from '../../lab/results.ts';
import type { Outcome } from '../outcome.ts';
import { formatNumber, formatShareCell } from '../page/format.ts';
import { html, type Html } from '../page/html.ts';
import type { PlotLine } from '../plots/plot-data.ts';
import { sectionOf } from './section.ts';
import { lineSample } from './legend.ts';
import { tableOf, timeUnitOf, type NumberColumn, type TableContent } from './table.ts';

/** Runs beside each other: what clients got, and what it took. Null without runs. */
export function comparisonSection(
  outcomes: readonly Outcome[],
  lines: readonly PlotLine[],
): Html | null {
  if (outcomes.length === 0) return null;
  const lineOf = new Map(outcomes.map((outcome, index) => [outcome, lines[index]]));
  // Policies are compared with each other; measured runs only when there is nothing else.
  const hasSimulated = outcomes.some(({ kind }) => kind === 'simulated');
  const shared = {
    rowHead: hasSimulated ? 'Policy' : 'Run',
    rows: outcomes,
    headOf: (outcome: Outcome) => rowHead(outcome, lineOf.get(outcome)),
    isRanked: (outcome: Outcome) =>
      outcome.kind === (hasSimulated ? 'simulated' : 'measured') && isWhole(outcome.status),
  };
  const clients: TableContent<Outcome> = {
    ...shared,
    caption: 'What clients got',
    columns: clientColumns(outcomes),
  };
  const rows = outcomes.flatMap((outcome) => (outcome.run === null ? [] : [outcome]));
  const servers: TableContent<Outcome> = {
    ...shared,
    rows,
    caption: 'What it took',
    columns: serverColumns(rows),
  };
  const body = html`<h3>What clients got</h3>
    ${tableOf(clients)}
    ${
      rows.length === 0
        ? null
        : html`<h3>What it took</h3>
            ${tableOf(servers)}`
    }`;
  return sectionOf({
    id: 'comparison',
    title: 'Comparison',
    lead: `The best value of each column is bold and marked with a bar. Latencies are of answered
      requests sent after the warm-up; lost ones (refused, failed or unanswered) count against
      the objective.`,
    body,
  });
}

function rowHead(outcome: Outcome, line: PlotLine | undefined): Html {
  const measured = outcome.kind === 'measured' ? html` <span class="tag">measured</span>` : null;
  const status = isWhole(outcome.status) && outcome.status === 'finished' ? null : outcome.status;
  const tag = status === null ? null : html` <span class="tag warn">${statusWords(status)}</span>`;
  return html`${line === undefined ? null : lineSample(line)}${outcome.name}${measured}${tag}`;
}

/** Whether a run ended by itself, so that it can be compared. */
export function isWhole(status: RunStatus): boolean {
  return status === 'finished' || status === 'saturated';
}

/** A status in words. */
export function statusWords(status: RunStatus): string {
  return status === 'out_of_time' ? 'out of time' : status;
}

type Column = NumberColumn<Outcome>;

function clientColumns(rows: readonly Outcome[]): readonly Column[] {
  const latency = (
    title: string,
    key: keyof Outcome['latencies'],
    percentiles: readonly ('p50' | 'p90' | 'p99')[],
  ): Column[] => {
    const { unit, format } = timeUnitOf(rows.map(({ latencies }) => latencies[key].p90));
    return percentiles.map((percentile) => ({
      group: `${title}, ${unit}`,
      head: percentile,
      read: ({ latencies }) => latencies[key][percentile],
      better: 'lower',
      format,
    }));
  };
  return [
    {
      ...higher('Goodput', 'in objective', ({ goodShare }) => goodShare),
      format: formatShareCell,
    },
    higher('Goodput', 'good req/s', ({ goodRequestsPerSecond }) => goodRequestsPerSecond),
    ...latency('TTFT', 'ttft', ['p50', 'p90', 'p99']),
    ...latency('TPOT', 'tpot', ['p50', 'p90']),
    ...latency('ITL', 'itl', ['p99']),
    ...latency('Whole request', 'e2e', ['p50', 'p90']),
    higher('Throughput', 'req/s', ({ requestsPerSecond }) => requestsPerSecond),
    higher('Throughput', 'output tok/s', ({ outputTokensPerSecond }) => outputTokensPerSecond),
    lower('Lost', 'requests', ({ lost }) => lost),
  ];
}

function serverColumns(rows: readonly Outcome[]): readonly Column[] {
  const hits = lower(
    'Prefix cache',
    'hits',
    ofRun(({ prefixHitShare }) => prefixHitShare),
  );
  const loads = lower(
    'Engines',
    'adapter loads',
    ofRun(({ adapterLoads }) => adapterLoads),
  );
  const hasLoads = rows.some(({ run }) => (run?.adapterLoads ?? 0) > 0);
  const spread = 'Spread over endpoints (CV)';
  return [
    { ...hits, better: 'higher', format: formatShareCell },
    lower(
      'Queue',
      'mean waiting',
      ofRun(({ queue }) => queue.meanWaiting),
    ),
    lower(
      'Queue',
      'most waiting',
      ofRun(({ queue }) => queue.maxWaiting),
    ),
    lower(
      'Engines',
      'preemptions',
      ofRun(({ preemptions }) => preemptions),
    ),
    ...(hasLoads ? [loads] : []),
    lower(
      spread,
      'requests',
      ofRun((run) => run.spread.requestsCv),
    ),
    lower(
      spread,
      'tokens',
      ofRun((run) => run.spread.outputTokensCv),
    ),
    ...FAIRNESS,
    lower('Cost', 'GPU-s per 1,000 good', ofRun(costOf)),
  ];
}

const FAIRNESS: readonly Column[] = [
  higher(
    'Fairness (Jain)',
    'of tokens',
    ofRun((run) => fairnessOf(run, 'jain')),
  ),
  higher(
    'Fairness (Jain)',
    'of good shares',
    ofRun((run) => fairnessOf(run, 'jainOfGoodShare')),
  ),
];

function ofRun(read: (run: RunResult) => number | null): Column['read'] {
  return ({ run }) => (run === null ? null : read(run));
}

function costOf({ acceleratorSecondsPerThousandGood }: RunResult): number | null {
  return acceleratorSecondsPerThousandGood;
}

/** One tenant alone is neither fair nor unfair. */
function fairnessOf({ fairness }: RunResult, index: 'jain' | 'jainOfGoodShare'): number | null {
  return fairness.tenants.length < 2 ? null : fairness[index];
}

function higher(group: string, head: string, read: Column['read']): Column {
  return { group, head, read, better: 'higher', format: formatNumber };
}

function lower(group: string, head: string, read: Column['read']): Column {
  return { group, head, read, better: 'lower', format: formatNumber };
}
