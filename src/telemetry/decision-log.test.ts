import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { DecisionLog } from './decision-log.ts';
import { completeRecord, createDecisionRecord } from './testing/decision-records.ts';

test('the log is the tail of everything added, newest first', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 20 }),
      fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 60 }),
      fc.integer({ min: 0, max: 30 }),
      (capacity, ids, limit) => {
        const log = new DecisionLog(capacity);
        const added = ids.map((id) => createDecisionRecord({ requestId: `r${id}` }));
        for (const record of added) log.add(record);
        const kept = capacity === 0 ? [] : added.slice(-capacity).reverse();
        assert.equal(log.size, kept.length);
        assert.deepEqual(log.latest(limit), kept.slice(0, limit));
        for (let id = 0; id <= 12; id += 1) {
          const expected = kept.find(({ requestId }) => requestId === `r${id}`) ?? null;
          assert.equal(log.find(`r${id}`), expected);
        }
      },
    ),
  );
});

test('a record completed in place is seen completed by readers', () => {
  const log = new DecisionLog(10);
  const record = createDecisionRecord();
  log.add(record);
  assert.equal(log.find('request-1')?.outcome, null);
  completeRecord(record);
  log.complete(record);
  assert.equal(log.find('request-1')?.outcome, 'completed');
  assert.equal(log.size, 1);
});

test('listeners hear of picks and ends until they leave, each on its own', () => {
  const log = new DecisionLog(2);
  const heard: string[] = [];
  const listener = (record: { requestId: string }, phase: string): void => {
    heard.push(`${record.requestId} ${phase}`);
  };
  const leave = log.subscribe(listener);
  const leaveAgain = log.subscribe(listener);
  const record = createDecisionRecord();
  log.add(record);
  leave();
  leave();
  log.complete(record);
  leaveAgain();
  log.add(createDecisionRecord());
  assert.deepEqual(heard, ['request-1 picked', 'request-1 picked', 'request-1 completed']);
});

test('a log that keeps nothing still tells listeners', () => {
  const log = new DecisionLog(0);
  let count = 0;
  log.subscribe(() => {
    count += 1;
  });
  log.add(createDecisionRecord());
  assert.equal(count, 1);
  assert.deepEqual(log.latest(5), []);
  assert.equal(log.find('request-1'), null);
});

test('the number of listeners is bounded', () => {
  const log = new DecisionLog(1);
  for (let index = 0; index < 8; index += 1) log.subscribe(() => {});
  assert.throws(() => log.subscribe(() => {}), /too many listeners/);
});
