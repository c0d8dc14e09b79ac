import assert from 'node:assert/strict';
import { it } from 'node:test';
import { EVENT_KINDS, EventQueue, LabClock } from './event-queue.ts';

it('runs events by time, then kind, then the order in which they were planned', () => {
  const queue = new EventQueue();
  const seen: string[] = [];
  const plan = (atMs: number, kind: number, name: string): void =>
    queue.plan(atMs, kind, () => seen.push(name));
  plan(2, EVENT_KINDS.endpoint, 'later');
  plan(1, EVENT_KINDS.delivery, 'delivery');
  plan(1, EVENT_KINDS.gateway, 'first at the gateway');
  plan(1, EVENT_KINDS.gateway, 'second at the gateway');
  plan(1, EVENT_KINDS.report, 'report');
  const times: number[] = [];
  while (queue.nextAtMs < Number.POSITIVE_INFINITY) {
    times.push(queue.nextAtMs);
    queue.runNext();
  }
  assert.deepEqual(seen, [
    'report',
    'first at the gateway',
    'second at the gateway',
    'delivery',
    'later',
  ]);
  assert.deepEqual(times, [1, 1, 1, 1, 2]);
});

it('has timers that are events, and forgets those that were cleared', () => {
  const queue = new EventQueue();
  const clock = new LabClock(queue);
  const fired: number[] = [];
  clock.nowMs = 5;
  clock.setTimer(10, () => fired.push(15));
  clock.clearTimer(clock.setTimer(3, () => fired.push(8)));
  assert.equal(queue.nextAtMs, 8);
  queue.runNext();
  queue.runNext();
  assert.deepEqual(fired, [15]);
  assert.equal(clock.wallMs() - clock.now(), Date.UTC(2026, 0, 1));
});
