import assert from 'node:assert/strict';
import { test } from 'node:test';
import { poolId } from '../core/ids.ts';
import type { HealthState } from './health.ts';
import {
  addPool,
  baseModel,
  createFleetWorld,
  endpointByUrl,
  factsOf,
  failTimes,
  specOf,
  specsOf,
} from './testing/builders.ts';

type Event =
  | 'fail'
  | 'succeed'
  | 'book'
  | 'first token'
  | 'release'
  | 'lose contact'
  | 'find again'
  | { readonly waitMs: number };

interface Row {
  readonly event: Event;
  readonly state: HealthState;
  readonly isAvailable: 0 | 1;
}

function row(event: Event, state: HealthState, isAvailable: 0 | 1): Row {
  return { event, state, isAvailable };
}

/** Plays the events on one endpoint of a pool of four and compares after each. */
function play(rows: readonly Row[]): void {
  const { clock, fleet } = createFleetWorld();
  const endpoint = addPool(fleet, 4)[0]!;
  const { slot } = endpoint;
  let booking = fleet.book(slot, 0, 0);
  booking.release();
  const actions: Record<Exclude<Event, object>, () => void> = {
    fail: () => fleet.recordFailure(slot),
    succeed: () => fleet.recordSuccess(slot),
    book: () => {
      booking = fleet.book(slot, 10, 10);
    },
    'first token': () => booking.releasePrompt(),
    release: () => booking.release(),
    'lose contact': () => fleet.setUnreachable(endpoint, 'connection refused'),
    'find again': () => fleet.setReachable(endpoint),
  };
  for (const [index, { event, state, isAvailable }] of rows.entries()) {
    if (typeof event === 'object') clock.advance(event.waitMs);
    else actions[event]();
    const seen = [fleet.load.isAvailable[slot], endpoint.health.state];
    assert.deepEqual(seen, [isAvailable, state], `row ${index}: ${JSON.stringify(event)}`);
  }
}

const EJECT: readonly Row[] = [
  row('fail', 'closed', 1),
  row('fail', 'closed', 1),
  row('fail', 'ejected', 0),
];

test('the third failure in a row ejects, a success in between starts the count anew', () => {
  play([...EJECT.slice(0, 2), row('succeed', 'closed', 1), ...EJECT]);
});

test('an ejection lasts at most its back-off and ends half open', () => {
  play([...EJECT, row({ waitMs: 700 }, 'ejected', 0), row({ waitMs: 400 }, 'half_open', 1)]);
});

test('half open lets exactly one request through; its success closes', () => {
  play([
    ...EJECT,
    row({ waitMs: 1_100 }, 'half_open', 1),
    row('book', 'half_open', 0),
    row({ waitMs: 60_000 }, 'half_open', 0),
    row('succeed', 'closed', 1),
    row('release', 'closed', 1),
    ...EJECT,
  ]);
});

test('a failed probe ejects for twice as long, up to the limit', () => {
  const rows: Row[] = [...EJECT];
  for (const backoffMs of [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]) {
    rows.push(
      row({ waitMs: backoffMs * 0.75 - 1 }, 'ejected', 0),
      row({ waitMs: backoffMs * 0.25 + 101 }, 'half_open', 1),
      row('book', 'half_open', 0),
      row('fail', 'ejected', 0),
      row('release', 'ejected', 0),
    );
  }
  play(rows);
});

test('the back-off starts anew after a success', () => {
  play([
    ...EJECT,
    row({ waitMs: 1_100 }, 'half_open', 1),
    row('fail', 'ejected', 0),
    row({ waitMs: 2_100 }, 'half_open', 1),
    row('succeed', 'closed', 1),
    ...EJECT,
    row({ waitMs: 1_100 }, 'half_open', 1),
  ]);
});

test('a probe that ends without a verdict makes room for another', () => {
  play([
    ...EJECT,
    row({ waitMs: 1_100 }, 'half_open', 1),
    row('book', 'half_open', 0),
    row('release', 'half_open', 1),
    row('book', 'half_open', 0),
  ]);
});

test('a probe’s first token is its success, and the end of a request sent before is not', () => {
  play([
    row('book', 'closed', 1),
    ...EJECT,
    row({ waitMs: 1_100 }, 'half_open', 1),
    row('first token', 'half_open', 1),
    row('release', 'half_open', 1),
    row('book', 'half_open', 0),
    row('first token', 'closed', 1),
    row('fail', 'closed', 1),
  ]);
});

test('requests sent before an ejection neither lengthen nor end it', () => {
  play([
    ...EJECT,
    row('fail', 'ejected', 0),
    row('succeed', 'ejected', 0),
    row({ waitMs: 1_100 }, 'half_open', 1),
  ]);
});

test('a server that probing lost and found again gets its probe request at once', () => {
  play([
    ...EJECT,
    row('lose contact', 'ejected', 0),
    row('find again', 'half_open', 1),
    row('lose contact', 'half_open', 0),
    row('find again', 'half_open', 1),
  ]);
});

test('a pool of one is never ejected', () => {
  const { fleet } = createFleetWorld();
  const { slot, health } = addPool(fleet, 1)[0]!;
  failTimes(fleet, slot, 50);
  assert.equal(fleet.load.isAvailable[slot], 1);
  assert.equal(health.ejections, 0);
});

test('at least half of a pool stays in', () => {
  for (const [size, ejected] of [
    [2, 1],
    [3, 1],
    [4, 2],
    [5, 2],
    [10, 5],
  ] as const) {
    const { fleet } = createFleetWorld();
    const endpoints = addPool(fleet, size);
    for (const { slot } of endpoints) failTimes(fleet, slot, 5);
    const out = endpoints.filter((endpoint) => endpoint.health.state !== 'closed').length;
    assert.equal(out, ejected, `pool of ${size}`);
  }
});

test('an endpoint on probation still counts as out', () => {
  const { clock, fleet } = createFleetWorld();
  const [first, second] = addPool(fleet, 2);
  failTimes(fleet, first!.slot, 3);
  clock.advance(2_000);
  assert.equal(fleet.load.isAvailable[first!.slot], 1);
  fleet.book(first!.slot, 1, 1);
  failTimes(fleet, second!.slot, 9);
  assert.equal(fleet.load.isAvailable[second!.slot], 1);
});

test('nobody is ejected when no other member can take requests', () => {
  const { fleet } = createFleetWorld();
  const [first, second] = addPool(fleet, 2);
  fleet.setUnreachable(second!, 'connection refused');
  failTimes(fleet, first!.slot, 9);
  assert.equal(fleet.load.isAvailable[first!.slot], 1);
});

test('a member of several pools is ejected only if each can spare it', () => {
  const { fleet } = createFleetWorld();
  fleet.setPool(null, specsOf(3));
  const [first, second, third] = fleet.endpoints();
  fleet.setFacts(first!, factsOf(baseModel('common'), baseModel('rare')));
  fleet.setFacts(second!, factsOf(baseModel('common')));
  fleet.setFacts(third!, factsOf(baseModel('common')));
  failTimes(fleet, first!.slot, 9);
  assert.equal(first!.health.state, 'closed');
  failTimes(fleet, second!.slot, 3);
  assert.equal(second!.health.state, 'ejected');
});

test('a reload that shrinks a pool brings back ejected members until half are in', () => {
  const { fleet } = createFleetWorld();
  const endpoints = addPool(fleet, 4);
  failTimes(fleet, endpoints[0]!.slot, 3);
  failTimes(fleet, endpoints[1]!.slot, 3);
  fleet.setPool(poolId('p'), specsOf(2));
  assert.equal(fleet.pools()[0]!.members.length, 2);
  const states = endpoints.slice(0, 2).map((endpoint) => endpoint.health.state);
  assert.deepEqual(states.toSorted(), ['closed', 'ejected']);
  fleet.setPool(poolId('p'), specsOf(1));
  assert.equal(fleet.pools()[0]!.members.length, 1);
  assert.equal(endpoints[0]!.health.state, 'closed');
  assert.equal(fleet.load.isAvailable[endpoints[0]!.slot], 1);
});

test('retryAfterMs names the end of the earliest ejection, and 0 while one is available', () => {
  const { clock, fleet } = createFleetWorld();
  const [first, second] = addPool(fleet, 2);
  const members = fleet.pools()[0]!.members;
  failTimes(fleet, first!.slot, 3);
  assert.equal(fleet.retryAfterMs(members), 0);
  const firstOnly = Int32Array.of(first!.slot);
  const waitMs = fleet.retryAfterMs(firstOnly);
  assert.ok(waitMs >= 750 && waitMs <= 1_000);
  clock.advance(waitMs);
  assert.equal(fleet.retryAfterMs(firstOnly), 0);
  assert.equal(fleet.load.isAvailable[first!.slot], 1);
  fleet.drain(second!.id, true);
  const hopeless = fleet.retryAfterMs(Int32Array.of(second!.slot));
  assert.ok(Number.isFinite(hopeless) && hopeless > waitMs);
  assert.equal(fleet.retryAfterMs(Int32Array.of()), hopeless);
});

test('the ejection counter and the state are shown for the admin API', () => {
  const { clock, fleet } = createFleetWorld();
  const { slot } = addPool(fleet, 2)[0]!;
  assert.equal(fleet.statusOf(slot).state, 'ready');
  assert.equal(fleet.statusOf(slot).reason, null);
  failTimes(fleet, slot, 3);
  const out = fleet.statusOf(slot);
  assert.deepEqual([out.state, out.ejections, out.consecutiveFailures], ['ejected', 1, 3]);
  assert.match(out.reason ?? '', /3 failures in a row/);
  clock.advance(1_200);
  assert.match(fleet.statusOf(slot).reason ?? '', /half open: waits/);
  fleet.book(slot, 1, 1);
  assert.match(fleet.statusOf(slot).reason ?? '', /half open: one request tries/);
});

test('a removed endpoint takes no more verdicts', () => {
  const { fleet } = createFleetWorld();
  const endpoint = addPool(fleet, 3)[0]!;
  fleet.setPool(poolId('p'), [specOf('http://a2:8000'), specOf('http://a3:8000')]);
  failTimes(fleet, endpoint.slot, 9);
  assert.deepEqual([endpoint.health.ejections, endpoint.health.consecutiveFailures], [0, 0]);
  assert.equal(fleet.statusOf(endpoint.slot).state, 'removed');
  assert.equal(endpointByUrl(fleet, 'http://a2:8000').health.consecutiveFailures, 0);
});
