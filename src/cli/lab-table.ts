import type { RunResult } from '../simulator/lab/results.ts';
import type { NamedMeasurement } from '../simulator/report/report-input.ts';
import { isSeldom, RUN_MEASURES, type RunMeasure } from './lab-measures.ts';

/** Widest table; policies that do not fit beside the others come in a further block below. */
const WIDTH = 112;
/** A cell's mark for the best of its row; as wide as the blank that others have. */
const BEST = '*';

/** The runs of one policy, one for each seed. */
export interface PolicyRuns {
  readonly policy: string;
  readonly runs: readonly RunResult[];
}

/** Whether a run was ended before its time, by the caller or its budget. */
export function isCut({ status }: RunResult): boolean {
  return status === 'interrupted' || status === 'out_of_time';
}

/**
 * Of a policy's runs those that its numbers are made of: the whole ones, and what there is of the
 * others only where none is whole. A run that ended within its warm-up has nothing to show.
 */
export function runsToShow(runs: readonly RunResult[]): readonly RunResult[] {
  const whole = runs.filter((run) => !isCut(run));
  const some = whole.length > 0 ? whole : runs;
  return some.filter(({ requests }) => requests.sent > 0);
}

/**
 * Measures as rows, policies and then measured runs as columns; the best policy of a row has a
 * star. Lines without an end.
 */
export function renderRunTable(
  policies: readonly PolicyRuns[],
  measured: readonly NamedMeasurement[],
): readonly string[] {
  const names = [...policies.map(({ policy }) => policy), ...measured.map(({ name }) => name)];
  const columns = names.map(() => [] as string[]);
  const labels: string[] = [];
  for (const each of RUN_MEASURES) {
    const values = policies.map(({ runs }) => runs.map(each.read));
    const others = measured.map(({ report }) => [each.readMeasured(report)]);
    const all = [...values, ...others];
    if (isSeldom(each) && all.every((list) => list.every((value) => !value))) continue;
    const format = createFormat(each, all.flat());
    labels.push(format.label);
    const cells = values.map((list) => summarize(list, format.show));
    const best = findBest(each.better, values.map(meanOf), cells);
    const otherCells = others.map((list) => summarize(list, format.show));
    for (const [index, cell] of [...cells, ...otherCells].entries()) {
      columns[index]?.push(`${cell}${best.has(index) ? BEST : ' '}`);
    }
  }
  return layOut(
    labels,
    names.map((name, index) => [`${name} `, ...(columns[index] ?? [])]),
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
function createFormat({ label, unit }: RunMeasure, values: readonly (number | null)[]): Format {
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
  better: RunMeasure['better'],
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
