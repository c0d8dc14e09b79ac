import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createSweepResult, followedShare, offeredPerSecond, sweepLoads } from './sweep.ts';
import { createRun, type RunLook } from './testing/run-builders.ts';

const DURATION_MS = 40_000;
const STEADY: RunLook = { running: Array.from({ length: 40 }, () => 8) };
/** Three of ten requests a second are left over. */
const GROWING: RunLook = {
  running: Array.from({ length: 40 }, () => 8),
  waiting: Array.from({ length: 40 }, (_, second) => 3 * second),
};

function sweepOf(...looks: readonly RunLook[]): ReturnType<typeof createSweepResult> {
  const points = looks.map((look, index) => {
    return { load: index + 1, requestsPerSecond: 10, result: createRun(look) };
  });
  const setting = { workload: 'w', policy: 'p', durationMs: DURATION_MS };
  return createSweepResult(setting, points);
}

test('geometric stages have equal ratios, linear ones equal differences, ends included', () => {
  const stages = { from: 0.25, to: 4, stages: 5 };
  assert.deepEqual(sweepLoads({ ...stages, spacing: 'geometric' }), [0.25, 0.5, 1, 2, 4]);
  const linear = sweepLoads({ from: 1, to: 2, stages: 5, spacing: 'linear' });
  assert.deepEqual(linear, [1, 1.25, 1.5, 1.75, 2]);
});

test('the knee is the last load before requests pile up', () => {
  const sweep = sweepOf(STEADY, STEADY, GROWING, GROWING);
  assert.equal(sweep.kneeIndex, 1);
  assert.equal(sweep.saturatedFrom, 2);
});

test('a load at which fewer answers are good saturates, though everything is answered', () => {
  const sweep = sweepOf(
    { ...STEADY, goodShare: 0.8 },
    { ...STEADY, goodShare: 0.77 },
    { ...STEADY, goodShare: 0.7 },
  );
  assert.equal(sweep.kneeIndex, 1);
});

test('a load that was given up saturates', () => {
  assert.equal(sweepOf(STEADY, { ...STEADY, status: 'saturated' }).kneeIndex, 0);
});

test('no knee: when nothing saturates, and when everything does', () => {
  const never = sweepOf(STEADY, STEADY);
  assert.deepEqual([never.kneeIndex, never.saturatedFrom], [null, null]);
  const always = sweepOf(GROWING, GROWING);
  assert.deepEqual([always.kneeIndex, always.saturatedFrom], [null, 0]);
});

test('points come out by rising load, whatever order they were measured in', () => {
  const setting = { workload: 'w', policy: 'p', durationMs: DURATION_MS };
  const point = (load: number, look: RunLook): Parameters<typeof createSweepResult>[1][number] => {
    return { load, requestsPerSecond: load, result: createRun(look) };
  };
  const sweep = createSweepResult(setting, [point(2, GROWING), point(1, STEADY)]);
  assert.deepEqual(
    sweep.points.map(({ load }) => load),
    [1, 2],
  );
  assert.equal(sweep.kneeIndex, 0);
});

test('what a fleet follows is 1 less the share of offered requests that come to wait', () => {
  assert.equal(followedShare(createRun(STEADY), DURATION_MS), 1);
  assert.ok(Math.abs(followedShare(createRun(GROWING), DURATION_MS) - 0.7) < 1e-9);
});

test('running requests may grow, and what waits while the queue drains is not seen', () => {
  const filling = Array.from({ length: 40 }, (_, second) => 3 * second);
  assert.equal(followedShare(createRun({ running: filling }), DURATION_MS), 1);
  const waiting = Array.from({ length: 100 }, (_, second) => (second < 40 ? 20 : 60 - second / 2));
  const draining = createRun({ running: waiting.map(() => 8), waiting });
  assert.equal(followedShare(draining, DURATION_MS), 1);
});

test('a run without requests follows', () => {
  const idle = createRun({ running: [0, 0, 0, 0], picks: [0, 0, 0, 0], sent: 0 });
  assert.equal(followedShare(idle, 4000), 1);
});

test('the offered rate counts the time in which requests came, not the drain nor the warm-up', () => {
  const run = createRun({ ...STEADY, sent: 300 });
  assert.equal(offeredPerSecond(run, { durationMs: 35_000, warmUpMs: 5000 }), 10);
  assert.equal(offeredPerSecond(run, { durationMs: 5000, warmUpMs: 5000 }), 0);
});
