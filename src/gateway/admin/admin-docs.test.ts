import assert from 'node:assert/strict';
import { test } from 'node:test';

import { completeRecord, createDecisionRecord } from '../../telemetry/testing/decision-records.ts';
import { readTables } from '../../telemetry/testing/reference-page.ts';
import { ADMIN_ERRORS } from './admin-errors.ts';
import { ADMIN_ROUTES } from './routes.ts';
import { SAMPLE_STATE } from './testing/admin-fixture.ts';

const PAGE = 'admin-api.md';
/** Objects whose keys are free. */
const FREE_KEYS = new Set(['endpoints[].labels', 'ordered[].reasons']);
/** Objects that may be null, which have a row of their own. */
const NULLABLE = new Set(['config.lastReloadError', 'endpoints[].report']);

/** Paths of all leaves: `pools[].id` for `{pools: [{id: 1}]}`. */
function pathsOf(value: unknown, path: string): string[] {
  if (Array.isArray(value)) return pathsOf(value[0], `${path}[]`);
  if (typeof value !== 'object' || value === null) return [path];
  if (FREE_KEYS.has(path)) return [`${path}.*`];
  const own = Object.entries(value).flatMap(([name, field]) =>
    pathsOf(field, path === '' ? name : `${path}.${name}`),
  );
  return NULLABLE.has(path) ? [path, ...own] : own;
}

test('the page has exactly the routes of the server', () => {
  assert.deepEqual(
    readTables(PAGE, 'Method'),
    ADMIN_ROUTES.map(({ method, path, exposure, summary }) => [method, path, exposure, summary]),
  );
});

test('the page has exactly the errors of the server', () => {
  assert.deepEqual(
    readTables(PAGE, 'Code'),
    Object.entries(ADMIN_ERRORS).map(([code, { status, summary }]) => [
      code,
      String(status),
      summary,
    ]),
  );
});

test('the page has exactly the fields of the state and of a decision', () => {
  const record = createDecisionRecord();
  completeRecord(record);
  assert.deepEqual(
    readTables(PAGE, 'Field').map(([field]) => field),
    [...pathsOf(SAMPLE_STATE, ''), ...pathsOf(record, '')],
  );
});
