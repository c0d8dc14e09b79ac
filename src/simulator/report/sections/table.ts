import { formatNumber } from '../page/format.ts';
import { html, type Html, type HtmlPart } from '../page/html.ts';

/** A column of numbers. */
export interface NumberColumn<Row> {
  /** Columns of the same group stand under one head. */
  readonly group: string;
  readonly head: string;
  /** Null where a row has no such value. */
  readonly read: (row: Row) => number | null;
  /** What is better, to mark the best; null where neither is. */
  readonly better: 'higher' | 'lower' | null;
  readonly format: (value: number) => string;
}

/** A table with a head for each row. */
export interface TableContent<Row> {
  readonly caption: string;
  /** What the heads of rows are. */
  readonly rowHead: string;
  readonly rows: readonly Row[];
  readonly headOf: (row: Row) => HtmlPart;
  readonly columns: readonly NumberColumn<Row>[];
  /** Rows among which the best is marked. */
  readonly isRanked: (row: Row) => boolean;
}

/** A table that scrolls by itself when there is no room; columns without a value are left out. */
export function tableOf<Row>(content: TableContent<Row>): Html {
  const { caption, rowHead, rows, headOf } = content;
  const columns = content.columns
    .filter((column) => rows.some((row) => isKnown(column.read(row))))
    .map((column) => ({ ...column, best: bestTextOf(content, column) }));
  const cells = (row: Row): Html[] =>
    columns.map((column) => {
      const value = column.read(row);
      if (!isKnown(value)) return html`<td>–</td>`;
      const text = column.format(value);
      // What reads alike is alike.
      const isBest = column.best === text && content.isRanked(row);
      if (!isBest) return html`<td>${text}</td>`;
      return html`<td class="best">${text}<span class="unseen"> (best)</span></td>`;
    });
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}">
    <table>
      <caption class="unseen">
        ${caption}
      </caption>
      <thead>
        ${groupRow(columns)}
        <tr>
          <th scope="col">${rowHead}</th>
          ${columns.map(({ head }) => columnHead(head))}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              <th scope="row">${headOf(row)}</th>
              ${cells(row)}
            </tr> `,
        )}
      </tbody>
    </table>
  </div>`;
}

/** How a column of times is written: in seconds when half of them are long and none is short. */
export interface TimeUnit {
  readonly unit: 'ms' | 's';
  readonly format: (ms: number) => string;
}

/** Shorter times would be read as fractions of a second with hardly a digit that counts. */
const SHORT_MS = 200;

/** The unit for these times, in milliseconds. */
export function timeUnitOf(times: readonly (number | null)[]): TimeUnit {
  const known = times.filter(isKnown).sort((left, right) => left - right);
  const median = known[Math.floor(known.length / 2)] ?? 0;
  const isLong = median >= 1000 && (known[0] ?? 0) >= SHORT_MS;
  return {
    unit: isLong ? 's' : 'ms',
    format: (ms) => formatNumber(isLong ? ms / 1000 : ms),
  };
}

/** A column of times in one unit. */
export function timeColumn<Row>(
  rows: readonly Row[],
  column: Pick<NumberColumn<Row>, 'head' | 'read'>,
): NumberColumn<Row> {
  const { unit, format } = timeUnitOf(rows.map(column.read));
  return { ...column, group: '', better: 'lower', head: `${column.head}, ${unit}`, format };
}

/** Letters of a head that would stand in many lines where there is no room. */
const LONG_HEAD = 16;

function columnHead(head: string): Html {
  if (head.length < LONG_HEAD) return html`<th scope="col">${head}</th>`;
  return html`<th scope="col" class="long">${head}</th>`;
}

/** Null for a column without groups. */
function groupRow(columns: readonly { readonly group: string }[]): Html | null {
  if (columns.every(({ group }) => group === '')) return null;
  const groups: { name: string; span: number }[] = [];
  for (const { group } of columns) {
    const last = groups.at(-1);
    if (last?.name === group) last.span += 1;
    else groups.push({ name: group, span: 1 });
  }
  const heads = groups.map(
    ({ name, span }) => html`<th scope="colgroup" colspan="${span}">${name}</th>`,
  );
  return html`<tr class="groups">
    <td></td>
    ${heads}
  </tr>`;
}

/** As it reads; null when there is nothing to compare, or when all read the same. */
function bestTextOf<Row>(content: TableContent<Row>, column: NumberColumn<Row>): string | null {
  if (column.better === null) return null;
  const values = content.rows.filter(content.isRanked).map(column.read).filter(isKnown);
  const least = values.reduce((low, value) => Math.min(low, value), Infinity);
  const most = values.reduce((high, value) => Math.max(high, value), -Infinity);
  if (values.length < 2 || column.format(least) === column.format(most)) return null;
  return column.format(column.better === 'higher' ? most : least);
}

function isKnown(value: number | null): value is number {
  return value !== null && Number.isFinite(value);
}
