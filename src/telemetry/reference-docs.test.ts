import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ERRORS, OUTCOMES } from '../core/errors.ts';
import { METRICS } from './metric-table.ts';
import { readTables } from './testing/reference-page.ts';

test('docs/reference/metrics.md has exactly the metrics of the table', () => {
  const expected = METRICS.map(({ name, kind, unit, labels, help }) => [
    name,
    kind,
    unit,
    labels.length === 0 ? '-' : labels.join('`, `'),
    help,
  ]);
  assert.deepEqual(readTables('metrics.md', 'Metric').map(withPlainLabels), expected);
});

/** A cell of several labels keeps its inner backquotes; the outer ones are taken off here. */
function withPlainLabels(row: string[]): string[] {
  return row.map((cell, column) => (column === 3 ? cell.replaceAll(/^`|`$/g, '') : cell));
}

test('docs/reference/metrics.md has exactly the buckets of the histograms', () => {
  const expected = METRICS.flatMap(({ name, buckets }) =>
    buckets === null ? [] : [[name, buckets.bounds.join(', '), buckets.reason]],
  );
  assert.deepEqual(readTables('metrics.md', 'Histogram'), expected);
});

test('docs/reference/metrics.md explains exactly the labels in use', () => {
  const labels = new Set(METRICS.flatMap((metric) => metric.labels));
  assert.deepEqual(
    readTables('metrics.md', 'Label').map(([label]) => label),
    [...labels].sort(),
  );
});

test('docs/reference/errors.md has exactly the errors of the table', () => {
  const expected = Object.entries(ERRORS).map(([code, { status, type, isRetryable, summary }]) => [
    code,
    String(status),
    type,
    isRetryable ? 'yes' : 'no',
    summary,
  ]);
  assert.deepEqual(readTables('errors.md', 'Code'), expected);
});

test('docs/reference/errors.md has exactly the outcomes', () => {
  assert.deepEqual(
    readTables('errors.md', 'Outcome').map(([outcome]) => outcome),
    OUTCOMES,
  );
});
