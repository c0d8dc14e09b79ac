/** One figure of a bench against its targets; the shape of the JSON line's `checks`. */
export interface Check {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /**
   * The bench fails beyond this value; whether a larger or a smaller value is better is part of the
   * check.
   */
  readonly must: number;
  /** The value worth working for; null where the project has set none. */
  readonly aim: number | null;
  readonly pass: boolean;
}

/** The targets of one check. */
export interface Targets {
  readonly unit: string;
  readonly must: number;
  readonly aim: number | null;
}

/** A check that passes when `value` is not below `targets.must`. */
export function checkAtLeast(name: string, value: number, targets: Targets): Check {
  return createCheck(name, value, targets, value >= targets.must);
}

/** A check that passes when `value` is not above `targets.must`. */
export function checkAtMost(name: string, value: number, targets: Targets): Check {
  return createCheck(name, value, targets, value <= targets.must);
}

/** A check for things that must not happen at all, such as failed requests. */
export function checkNone(name: string, value: number, unit: string): Check {
  return checkAtMost(name, value, { unit, must: 0, aim: 0 });
}

function createCheck(name: string, value: number, targets: Targets, pass: boolean): Check {
  const { unit, must, aim } = targets;
  return { name, value: roundForReport(value), unit, must, aim, pass };
}

/** Four significant digits: more would suggest a precision that no run here has. */
function roundForReport(value: number): number {
  return Number.isFinite(value) ? Number(value.toPrecision(4)) : value;
}

/** What one bench hands back to be printed. */
export interface BenchResult {
  /** What ours was compared with, for the JSON line. */
  readonly reference: string;
  readonly tables: readonly Table[];
  /** Lines printed under the tables: what to know when reading them. */
  readonly notes: readonly string[];
  readonly checks: readonly Check[];
}

/** Cells by row; the first row is the heading. */
export type Table = readonly (readonly string[])[];

/** Lays `table` out in columns: the first column left-aligned, figures right-aligned. */
export function formatTable(table: Table): string {
  const widths: number[] = [];
  for (const row of table) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    }
  }
  const lines = table.map((row) => formatRow(row, widths));
  lines.splice(1, 0, widths.map((width) => '-'.repeat(width)).join('  '));
  return lines.join('\n');
}

function formatRow(row: readonly string[], widths: readonly number[]): string {
  const cells = row.map((cell, column) => {
    const width = widths[column] ?? 0;
    return column === 0 ? cell.padEnd(width) : cell.padStart(width);
  });
  return cells.join('  ').trimEnd();
}

/** The checks as a table of their own. */
export function checkTable(checks: readonly Check[]): Table {
  const heading = ['check', 'value', 'must', 'aim', 'unit', 'result'];
  const rows = checks.map((check) => [
    check.name,
    String(check.value),
    String(check.must),
    check.aim === null ? '-' : String(check.aim),
    check.unit,
    check.pass ? 'pass' : 'FAIL',
  ]);
  return [heading, ...rows];
}

/** The last line of a bench's output. */
export function formatJsonLine(bench: string, reference: string, checks: readonly Check[]): string {
  return JSON.stringify({ bench, reference, checks });
}
