import { PUBLISHED_THROUGHPUT, simulateThroughput } from '../hardware/published-throughput.ts';
import type { PublishedThroughput } from '../hardware/published-throughput.ts';
import { closedFormRows } from './closed-form.ts';
import { conservationRows } from './conservation.ts';
import { prefillRows } from './prefill-rate.ts';
import { publishedRows, simulatePublished } from './published-runs.ts';
import { PUBLISHED_SETUPS } from './published-setups.ts';
import type { PublishedSetup } from './published-types.ts';
import { formatGap, gapOf, type ValidationRow } from './row.ts';

/** A part of the page, and the rows that it is made of. */
export interface PagePart {
  readonly text: string;
  readonly rows: readonly ValidationRow[];
}

/** Rows as a table. */
export function renderRows(rows: readonly ValidationRow[], reference: string): string {
  const head = ['Setup', 'Quantity', reference, 'Ours', 'Gap', 'Tolerance', 'Where it comes from'];
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const body = rows.map((row) =>
    line([
      row.setup,
      row.quantity,
      `${formatNumber(row.reference, row.digits)} ${row.unit}`,
      `${formatNumber(row.ours, row.digits)} ${row.unit}`,
      formatRowGap(row),
      formatTolerance(row),
      row.cause,
    ]),
  );
  return [line(head), `|${'---|'.repeat(head.length)}`, ...body, ''].join('\n');
}

function formatNumber(value: number, digits: number): string {
  return value.toLocaleString('en-US', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

/** Percents of hundreds say less than a factor. */
function formatRowGap(row: ValidationRow): string {
  const gap = gapOf(row);
  return gap < 3 ? formatGap(gap) : `${formatNumber(gap + 1, 0)} times`;
}

function formatTolerance({ tolerance, unit }: ValidationRow): string {
  if (tolerance === null) return 'none';
  const { share, absolute = 0 } = tolerance;
  if (share === 0) return 'exact';
  const bound = `±${formatNumber(share * 100, share < 0.01 ? 1 : 0)} %`;
  return absolute > 0 ? `${bound} or ${absolute} ${unit}` : bound;
}

/** Section of what theory gives. */
export function closedFormPart(): PagePart {
  const rows = [...closedFormRows(), ...conservationRows()];
  return { rows, text: renderRows(rows, 'Exact') };
}

/** Section of published throughputs of one engine. */
export function throughputPart(): PagePart {
  const rows = [...PUBLISHED_THROUGHPUT.map(throughputRow), ...prefillRows()];
  return { rows, text: renderRows(rows, 'Published') };
}

function throughputRow(row: PublishedThroughput): ValidationRow {
  const { model, accelerator, setup, promptTokens, outputTokens } = row;
  return {
    setup: `${model}, ${accelerator.toUpperCase()}, ${setup}`,
    quantity: `output tokens/s an accelerator at ${promptTokens}/${outputTokens}`,
    reference: row.tokensPerSecond,
    ours: simulateThroughput(row),
    unit: 'tokens/s',
    digits: 0,
    tolerance: { share: 0.3 },
    cause: throughputCause(row),
  };
}

function throughputCause({ setup, accelerator, model }: PublishedThroughput): string {
  if (setup.includes('DEP')) return 'parallelism by data and experts, put as tensor parallelism';
  if (accelerator === 'b200') return 'one share of peak for all formats; fp4 kernels reach less';
  if (model.startsWith('gpt-oss')) return 'one efficiency for the experts of all models';
  return 'one efficiency of memory for all engines; TensorRT-LLM’s is higher';
}

/** Sections of published measurements of routing; the long part of the work. */
export function publishedPart(
  setups: readonly PublishedSetup[] = PUBLISHED_SETUPS,
): PagePart & { readonly outputTokens: number } {
  const rows: ValidationRow[] = [];
  const sections: string[] = [];
  let outputTokens = 0;
  for (const setup of setups) {
    const outcomes = setup.runs.map((run) => simulatePublished(setup, run));
    const mine = outcomes.flatMap((outcome) => publishedRows(setup, outcome));
    outputTokens += outcomes.reduce((sum, outcome) => sum + outcome.outputTokens, 0);
    rows.push(...mine);
    sections.push(renderSetup(setup, mine));
  }
  return { rows, text: sections.join('\n'), outputTokens };
}

function renderSetup(setup: PublishedSetup, rows: readonly ValidationRow[]): string {
  return [
    `### ${setup.title}`,
    '',
    ...bullet('Stated', setup.stated),
    ...bullet('Assumed', setup.assumed),
    ...bullet('Sources', setup.sources.join(', ')),
    ...bullet('Finding', setup.finding),
    '',
    renderRows(rows, 'Published'),
  ].join('\n');
}

/** Columns of the page's text. */
const LINE_COLUMNS = 108;

function bullet(name: string, text: string): readonly string[] {
  const lines: string[] = [];
  let line = `- **${name}**:`;
  for (const word of text.split(' ')) {
    if (line.length + 1 + word.length > LINE_COLUMNS) {
      lines.push(line);
      line = `  ${word}`;
    } else line = `${line} ${word}`;
  }
  return [...lines, line];
}
