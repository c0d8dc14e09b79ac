import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Violation } from './finding.ts';
import { applyRatchet } from './ratchet.ts';

function violation(rule: string, file: string, extra: Partial<Violation> = {}): Violation {
  return { rule, file, line: 1, message: 'm', wayOut: 'w', ...extra };
}

test('an entry excuses a file up to its weight and no other rule or file', () => {
  const found = [
    violation('size', 'a.ts', { weight: 30 }),
    violation('size', 'a.ts', { weight: 20 }),
    violation('size', 'b.ts', { weight: 1 }),
    violation('name', 'a.ts'),
  ];
  const { violations, slack } = applyRatchet(found, { size: { 'a.ts': 50 } });
  assert.deepEqual(violations, found.slice(2));
  assert.deepEqual(slack, []);
});

test('one unit over the entry shows every finding of that file', () => {
  const found = [violation('size', 'a.ts', { weight: 51 })];
  const { violations, tightened } = applyRatchet(found, { size: { 'a.ts': 50 } });
  assert.deepEqual(violations, found);
  assert.deepEqual(tightened, { size: { 'a.ts': 50 } }, 'tightening never raises an entry');
});

test('an entry that grants more than is needed is reported and lowered', () => {
  const found = [violation('size', 'a.ts', { weight: 10 })];
  const result = applyRatchet(found, { size: { 'a.ts': 50, 'gone.ts': 3 } });
  assert.equal(result.slack.length, 2);
  assert.deepEqual(result.violations, []);
  assert.deepEqual(result.tightened, { size: { 'a.ts': 10 } });
});

test('a hard limit is never excused', () => {
  const found = [violation('size', 'a.ts', { weight: 300, isHard: true })];
  const { violations, tightened } = applyRatchet(found, { size: { 'a.ts': 900 } });
  assert.deepEqual(violations, found);
  assert.deepEqual(tightened, {});
});
