import { readFileSync } from 'node:fs';

/**
 * The rows of every table of a page under docs/reference whose first header cell is `header`, cells
 * without backquotes.
 */
export function readTables(page: string, header: string): string[][] {
  const path = new URL(`../../../docs/reference/${page}`, import.meta.url);
  const rows: string[][] = [];
  let isInside = false;
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    if (!line.startsWith('|')) {
      isInside = false;
      continue;
    }
    const cells = line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim());
    if (isInside) rows.push(cells.map((cell) => cell.replace(/^`([^`]*)`$/, '$1')));
    else isInside = cells[0] === header;
  }
  return rows.filter((row) => !/^-+$/.test(row[0] ?? ''));
}
