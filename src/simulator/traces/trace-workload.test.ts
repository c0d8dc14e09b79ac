import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { WorkloadError } from '../workloads/errors.ts';
import { playTraffic } from '../workloads/testing/play-traffic.ts';
import { readTrace } from './read-trace.ts';
import { createTraceWorkload } from './trace-workload.ts';

const GOLDEN = path.resolve(import.meta.dirname, '../../../test/golden/traces');
const trace = await readTrace(path.join(GOLDEN, 'mooncake.jsonl'), {});
const workload = createTraceWorkload(trace);

test('a trace is sent as it was recorded, whatever the seed and the answers', () => {
  const { durationMs } = workload.defaults;
  for (const seed of [1, 2]) {
    const source = workload.createTraffic({ seed, load: 1, durationMs });
    assert.equal(source.expectedCount, 4);
    const { requests } = playTraffic(source, () => 1e6 * seed);
    assert.deepEqual(
      requests,
      [0, 1, 2, 3].map((index) => trace.requestAt(index)),
    );
    assert.equal(source.nextAtMs(), Number.POSITIVE_INFINITY);
  }
});

test('a load of 2 sends everything in half the time', () => {
  const source = workload.createTraffic({ seed: 1, load: 2, durationMs: 2000 });
  const { requests } = playTraffic(source);
  assert.deepEqual(
    requests.map(({ atMs }) => atMs),
    [0, 125, 125, 2000],
  );
});

test('a run that is shorter than the trace leaves the end off', () => {
  const source = workload.createTraffic({ seed: 1, load: 1, durationMs: 250 });
  assert.equal(source.expectedCount, 3);
  assert.equal(playTraffic(source).requests.length, 3);
});

test('the workload says what it is', () => {
  assert.equal(workload.name, 'mooncake.jsonl');
  assert.equal(workload.summary, '4 requests of a mooncake trace');
  assert.equal(workload.loadUnit, '0.750 requests/s, as recorded');
  assert.deepEqual(workload.objective, { ttftMs: null, tpotMs: null, e2eMs: null });
  assert.equal(workload.defaults.durationMs, 4001);
  assert.equal(workload.defaults.warmUpMs, 400);
});

test('impossible options are refused', () => {
  for (const fields of [{ load: 0 }, { load: Number.NaN }, { durationMs: 0 }]) {
    assert.throws(
      () => workload.createTraffic({ seed: 1, load: 1, durationMs: 1000, ...fields }),
      WorkloadError,
    );
  }
});
