import type { RunResult } from '../simulator/lab/results.ts';

/** Widest table; policies that do not fit beside the others come in a further block below. */
const WIDTH = 112;
/** A cell's mark for the best of its row; as wide as the blank that others have. */
const BEST = '*';

type Better = 'less' | 'more' | null;

/** One measure of the table. */
interface Row {
  readonly label: string;
  /** `ms`: shown in seconds when the values of the row are long; `share`: shown in per cent. */
  readonly unit: 'ms' | 'share' | 'count' | 'rate' | 'ratio';
  /** Null where which is better is nobody's business. */
  readonly better: Better;
  /** Null: there is no value, shown as a dash. */
  readonly read: (run: RunResult) => number | null;
}

const ROWS: readonly Row[] = [
  latency(
    'TTFT p50',
    (run) => run.ttftMs.p50,
    (run) => run.ttftMs.count,
  ),
  latency(
    'TTFT p90',
    (run) => run.ttftMs.p90,
    (run) => run.ttftMs.count,
  ),
  latency(
    'TTFT p99',
    (run) => run.ttftMs.p99,
    (run) => run.ttftMs.count,
  ),
  latency(
    'TPOT p50',
    (run) => run.tpotMs.p50,
    (run) => run.tpotMs.count,
  ),
  latency(
    'TPOT p90',
    (run) => run.tpotMs.p90,
    (run) => run.tpotMs.count,
  ),
  latency(
    'ITL p99',
    (run) => run.itlMs.p99,
    (run) => run.itlMs.count,
  ),
  latency(
    'e2e p90',
    (run) => run.e2eMs.p90,
    (run) => run.e2eMs.count,
  ),
  row('goodput', 'share', 'more', (run) => run.goodput.goodShare),
  row('good requests/s', 'rate', 'more', (run) => run.goodput.requestsPerSecond),
  row('output tokens/s', 'rate', 'more', (run) => run.throughput.outputTokensPerSecond),
  row('prefix hits', 'share', 'more', (run) => run.prefixHitShare),
  row('preemptions', 'count', 'less', (run) => run.preemptions),
  row('queue mean', 'rate', 'less', (run) => run.queue.meanWaiting),
  row('queue max', 'count', 'less', (run) => run.queue.maxWaiting),
  row('spread of requests', 'ratio', null, (run) => run.spread.requestsCv),
  row('spread of tokens', 'ratio', null, (run) => run.spread.outputTokensCv),
  row('adapter loads', 'count', 'less', (run) => run.adapterLoads),
  row('Jain (tenants)', 'ratio', 'more', (run) => run.fairness.jain),
  row('GPU-s per 1,000 good', 'rate', 'less', (run) => run.acceleratorSecondsPerThousandGood),
  row('refused', 'count', 'less', (run) => run.requests.refused),
  row('failed', 'count', 'less', (run) => run.requests.failed),
  row('unanswered', 'count', 'less', (run) => run.requests.unanswered),
];

/** Rows that are left out when they are 0 everywhere: most runs have no adapters, for example. */
const SELDOM: ReadonlySet<string> = new Set([
  'adapter loads',
  'refused',
  'failed',
  'unanswered',
  'preemptions',
]);

function row(label: string, unit: Row['unit'], better: Better, read: Row['read']): Row {
  return { label, unit, better, read };
}

function latency(
  label: string,
  read: (run: RunResult) => number,
  count: (run: RunResult) => number,
): Row {
  return row(label, 'ms', 'less', (run) => (count(run) === 0 ? null : read(run)));
}

/** The runs of one policy, one for each seed. */
export interface PolicyRuns {
  readonly policy: string;
  readonly runs: readonly RunResult[];
}

/** Measures as rows, policies as columns; the best of a row has a star. Lines without an end. */
export function renderRunTable(policies: readonly PolicyRuns[]): readonly string[] {
  const columns = policies.map(() => [] as string[]);
  const labels: string[] = [];
  for (const each of ROWS) {
    const values = policies.map(({ runs }) => runs.map(each.read));
    if (SELDOM.has(each.label) && values.every((list) => list.every((value) => !value))) continue;
    const format = createFormat(each, values.flat());
    labels.push(format.label);
    const cells = values.map((list) => summarize(list, format.show));
    const best = findBest(each.better, values.map(meanOf), cells);
    for (const [index, cell] of cells.entries()) {
      columns[index]?.push(`${cell}${best.has(index) ? BEST : ' '}`);
    }
  }
  return layOut(
    labels,
    policies.map(({ policy }, index) => [`${policy} `, ...(columns[index] ?? [])]),
  );
}

/** Puts as many columns side by side as fit. */
function layOut(labels: readonly string[], columns: readonly string[][]): readonly string[] {
  const labelWidth = Math.max(...labels.map((label) => label.length));
  const lines: string[] = [];
  let block: { readonly cells: readonly string[]; readonly width: number }[] = [];
  let used = labelWidth;
  const flush = (): void => {
    if (block.length === 0) return;
    if (lines.length > 0) lines.push('');
    for (const [index, label] of ['', ...labels].entries()) {
      const cells = block.map(({ cells: each, width }) => (each[index] ?? '').padStart(width));
      lines.push(`${label.padEnd(labelWidth)}${cells.join('')}`.trimEnd());
    }
    block = [];
    used = labelWidth;
  };
  for (const cells of columns) {
    const width = 2 + Math.max(...cells.map((cell) => cell.length));
    if (used + width > WIDTH) flush();
    block.push({ cells, width });
    used += width;
  }
  flush();
  return lines;
}

interface Format {
  readonly label: string;
  readonly show: (value: number) => string;
}

/** One unit and one number of decimals for a whole row, so that its values compare at a glance. */
function createFormat({ label, unit }: Row, values: readonly (number | null)[]): Format {
  const known = values.filter((value) => value !== null && Number.isFinite(value) && value > 0);
  const sizes = known as readonly number[];
  switch (unit) {
    case 'ms': {
      const isLong = Math.max(0, ...sizes) >= 10_000;
      const divisor = isLong ? 1000 : 1;
      const decimals = decimalsFor(sizes.map((value) => value / divisor));
      return {
        label: `${label} (${isLong ? 's' : 'ms'})`,
        show: (value) => group((value / divisor).toFixed(decimals)),
      };
    }
    case 'share':
      return { label: `${label} (%)`, show: (value) => (100 * value).toFixed(1) };
    case 'ratio':
      return { label, show: (value) => value.toFixed(3) };
    case 'count':
      return { label, show: (value) => group(Math.round(value).toFixed(0)) };
    case 'rate': {
      const decimals = decimalsFor(sizes);
      return { label, show: (value) => group(value.toFixed(decimals)) };
    }
  }
}

/** Enough decimals for two digits of the smallest value, three at most; none above 100. */
function decimalsFor(values: readonly number[]): number {
  const least = Math.min(...values);
  if (!Number.isFinite(least) || least >= 100) return 0;
  return Math.min(3, Math.max(1, 1 - Math.floor(Math.log10(least))));
}

/** Thousands apart. */
function group(text: string): string {
  return text.replace(/\B(?=(\d{3})+(?!\d))(?<!\.\d*)/g, ',');
}

/** A value, or the mean of several with their range. */
function summarize(values: readonly (number | null)[], show: (value: number) => string): string {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return '-';
  const mean = show(meanOf(known) ?? 0);
  if (known.length === 1) return mean;
  const least = show(Math.min(...known));
  const most = show(Math.max(...known));
  return `${mean} (${least}..${most})`;
}

function meanOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return null;
  return known.reduce((sum, value) => sum + value, 0) / known.length;
}

/** Columns that are as good as the best, as shown; none when all are. */
function findBest(
  better: Better,
  means: readonly (number | null)[],
  cells: readonly string[],
): ReadonlySet<number> {
  const known = means.filter((mean) => mean !== null);
  if (better === null || known.length < 2) return new Set();
  const best = better === 'less' ? Math.min(...known) : Math.max(...known);
  const bestCell = cells[means.indexOf(best)];
  const winners = cells.flatMap((cell, index) => (cell === bestCell ? [index] : []));
  return winners.length === known.length ? new Set() : new Set(winners);
}

/** Rows of text with aligned columns; the first `left` columns to the left, others to the right. */
export function alignColumns(
  rows: readonly (readonly string[])[],
  left: number,
): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((cells) => (cells[column] ?? '').length)),
  );
  return rows.map((cells) =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column < left ? cell.padEnd(width) : cell.padStart(width);
      })
      .join('  ')
      .trimEnd(),
  );
}
