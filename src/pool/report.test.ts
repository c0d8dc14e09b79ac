import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DEFAULT_REPORT_OPTIONS, weightOfReport } from './report.ts';
import { SLOT_REST_MS } from './roster.ts';
import { addPool, createFleetWorld, factsOf, failTimes, reportOf } from './testing/builders.ts';

const { staleAfterMs, forgetAfterMs } = DEFAULT_REPORT_OPTIONS;

test('a report counts in full, then linearly less, then not at all', () => {
  const halfwayMs = (staleAfterMs + forgetAfterMs) / 2;
  assert.equal(weightOfReport(0, DEFAULT_REPORT_OPTIONS), 1);
  assert.equal(weightOfReport(staleAfterMs, DEFAULT_REPORT_OPTIONS), 1);
  assert.equal(weightOfReport(halfwayMs, DEFAULT_REPORT_OPTIONS), 0.5);
  assert.equal(weightOfReport(forgetAfterMs, DEFAULT_REPORT_OPTIONS), 0);
  assert.equal(weightOfReport(Number.POSITIVE_INFINITY, DEFAULT_REPORT_OPTIONS), 0);
  const same = { staleAfterMs: 5_000, forgetAfterMs: 5_000 };
  assert.equal(weightOfReport(5_000, same), 1);
  assert.equal(weightOfReport(5_001, same), 0);
});

test('the weight never grows with age', () => {
  fc.assert(
    fc.property(fc.nat(60_000), fc.nat(60_000), (ageMs, moreMs) => {
      const weight = weightOfReport(ageMs, DEFAULT_REPORT_OPTIONS);
      assert.ok(weight >= 0 && weight <= 1);
      assert.ok(weightOfReport(ageMs + moreMs, DEFAULT_REPORT_OPTIONS) <= weight);
    }),
  );
});

test('reported load fades to nothing in the load table by itself', () => {
  const { clock, fleet } = createFleetWorld();
  const endpoint = addPool(fleet, 1)[0]!;
  const { slot } = endpoint;
  fleet.setReport(endpoint, reportOf({ waiting: 4, running: 6, kvCacheUsage: 0.8 }));
  const read = (): readonly unknown[] => {
    const { load } = fleet;
    return [load.reportedWaiting[slot], load.foreignRequests[slot], load.kvCacheUsage[slot]];
  };
  assert.deepEqual(read(), [4, 10, 0.8]);
  clock.advance(staleAfterMs);
  assert.deepEqual(read(), [4, 10, 0.8]);
  clock.advance((forgetAfterMs - staleAfterMs) / 2);
  assert.deepEqual(read(), [2, 5, 0.8]);
  clock.advance(forgetAfterMs);
  assert.deepEqual(read(), [0, 0, Number.NaN]);
  assert.equal(fleet.load.isAvailable[slot], 1);
  fleet.setReport(endpoint, reportOf({ waiting: 1, running: 0, kvCacheUsage: 1.7 }));
  assert.deepEqual(read(), [1, 1, 1]);
});

test('what we sent ourselves is not foreign', () => {
  const { fleet } = createFleetWorld();
  const endpoint = addPool(fleet, 1)[0]!;
  for (let request = 0; request < 7; request += 1) fleet.book(endpoint.slot, 10, 10);
  fleet.setReport(endpoint, reportOf({ waiting: 3, running: 6 }));
  assert.equal(fleet.load.foreignRequests[endpoint.slot], 2);
  assert.equal(fleet.load.reportedWaiting[endpoint.slot], 3);
  fleet.setReport(endpoint, reportOf({ waiting: 0, running: 2 }));
  assert.equal(fleet.load.foreignRequests[endpoint.slot], 0);
});

test('requests of ours that ended while the report was made are not foreign either', () => {
  const { clock, fleet } = createFleetWorld();
  const endpoint = addPool(fleet, 1)[0]!;
  const { slot } = endpoint;
  const report = reportOf({ waiting: 0, running: 5 });
  const bookings = Array.from({ length: 5 }, () => fleet.book(slot, 10, 10));
  clock.advance(20_000);
  for (const booking of bookings) booking.release();
  clock.advance(300);
  fleet.setReport(endpoint, report);
  assert.equal(fleet.load.foreignRequests[slot], 0);
  clock.advance(2_000);
  fleet.setReport(endpoint, report);
  assert.equal(fleet.load.foreignRequests[slot], 5);
});

test('numbers that an engine does not report stay unknown', () => {
  const { fleet } = createFleetWorld();
  const endpoint = addPool(fleet, 1)[0]!;
  fleet.setReport(endpoint, reportOf({ waiting: Number.NaN, running: -3 }));
  const { load } = fleet;
  assert.equal(load.reportedWaiting[endpoint.slot], 0);
  assert.equal(load.foreignRequests[endpoint.slot], 0);
  assert.ok(Number.isNaN(load.kvCacheUsage[endpoint.slot]));
  const status = fleet.statusOf(endpoint.slot);
  assert.deepEqual([status.kvCacheUsage, status.reportAgeMs], [null, 0]);
});

test('counters that go back or a later process start are a restart; nothing else is', () => {
  const { fleet } = createFleetWorld();
  const endpoint = addPool(fleet, 1)[0]!;
  const steps = [
    [{ promptTokensTotal: 500, processStartTimeSeconds: 1_000 }, 0],
    [{ promptTokensTotal: 900, processStartTimeSeconds: 1_000.4 }, 0],
    [{ promptTokensTotal: null, processStartTimeSeconds: null }, 0],
    [{ promptTokensTotal: 950, processStartTimeSeconds: 2_000 }, 1],
    [{ promptTokensTotal: 960, processStartTimeSeconds: 1_000 }, 1],
    [{ promptTokensTotal: 970, processStartTimeSeconds: 2_000 }, 1],
    [{ promptTokensTotal: 0, processStartTimeSeconds: 2_000 }, 2],
    [{ promptTokensTotal: 0, generationTokensTotal: 7 }, 2],
    [{ promptTokensTotal: 10, generationTokensTotal: 6 }, 3],
  ] as const;
  for (const [index, [change, restarts]] of steps.entries()) {
    fleet.setReport(endpoint, reportOf(change));
    assert.equal(endpoint.restarts, restarts, `report ${index}`);
  }
});

test('a restart gives an ejected endpoint its probe request at once', () => {
  const { fleet } = createFleetWorld();
  const endpoint = addPool(fleet, 2)[0]!;
  fleet.setReport(endpoint, reportOf({ promptTokensTotal: 500 }));
  failTimes(fleet, endpoint.slot, 3);
  fleet.setReport(endpoint, reportOf({ promptTokensTotal: 600 }));
  assert.equal(fleet.load.isAvailable[endpoint.slot], 0);
  fleet.setReport(endpoint, reportOf({ promptTokensTotal: 3 }));
  assert.equal(endpoint.health.state, 'half_open');
  assert.equal(fleet.load.isAvailable[endpoint.slot], 1);
});

test('a late report or probe of a removed endpoint does not touch the slot’s next owner', () => {
  const { clock, fleet } = createFleetWorld();
  const old = addPool(fleet, 1)[0]!;
  fleet.setReport(old, reportOf({ waiting: 5, running: 5, kvCacheUsage: 0.5 }));
  addPool(fleet, 1, 'p', 'b');
  clock.advance(SLOT_REST_MS + 1);
  fleet.setPool(null, []);
  const next = addPool(fleet, 1, 'q', 'c')[0]!;
  assert.equal(next.slot, old.slot);
  assert.equal(fleet.load.foreignRequests[next.slot], 0);
  assert.ok(Number.isNaN(fleet.load.kvCacheUsage[next.slot]));
  const { version } = fleet;
  fleet.setReport(old, reportOf({ waiting: 9, running: 9, kvCacheUsage: 1 }));
  fleet.setUnreachable(old, 'gone');
  fleet.setFacts(old, factsOf());
  assert.equal(fleet.load.reportedWaiting[next.slot], 0);
  assert.equal(fleet.load.isAvailable[next.slot], 1);
  assert.equal(fleet.version, version);
});
