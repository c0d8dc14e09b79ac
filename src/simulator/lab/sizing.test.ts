import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';

import type { RunResult } from './results.ts';
import { judgeRuns, measureTerm, type ObjectiveTerm } from './sizing-objective.ts';
import { describeTerm, findSmallest, sizeFleet, type SizingOptions } from './sizing.ts';
import { createRun } from './testing/run-builders.ts';

const TTFT_P99: ObjectiveTerm = {
  kind: 'latency',
  measure: 'ttft',
  statistic: 'p99',
  limitMs: 1000,
};

/** A search over fleets whose time to first token is `ttftMs(replicas, seed)`. */
function sizingOptions(
  ttftMs: (replicas: number, seed: number) => number,
  changes: Partial<SizingOptions> = {},
): SizingOptions & { readonly asked: [number, readonly number[]][] } {
  const asked: [number, readonly number[]][] = [];
  return {
    asked,
    profile: { name: 'p', accelerators: 2, hourlyUsd: 3 },
    objective: [TTFT_P99],
    maxReplicas: 64,
    seeds: [1, 2, 3],
    evaluate: (replicas, seeds) => {
      asked.push([replicas, seeds]);
      return Promise.resolve(seeds.map((seed) => createRun({ ttftMs: ttftMs(replicas, seed) })));
    },
    evaluateAlone: () => Promise.resolve(createRun({ ttftMs: 50 })),
    shouldStop: () => false,
    onProbe: () => undefined,
    ...changes,
  };
}

test('the smallest count is found, each count asked once, whatever it is', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 300 }), fc.nat(300), async (max, needed) => {
      const asked: number[] = [];
      const meets = (count: number): Promise<boolean> => {
        asked.push(count);
        return Promise.resolve(count >= needed);
      };
      const found = await findSmallest(cached(meets), max);
      const expected = Math.max(1, needed);
      assert.equal(found.count, expected <= max ? expected : null);
      assert.equal(found.isMonotone, true);
      assert.equal(new Set(asked).size, asked.length);
      assert.ok(asked.every((count) => count >= 1 && count <= max));
      assert.ok(asked.length <= 2 * Math.log2(max + 1) + 2, `${asked.length} probes`);
    }),
  );
});

test('a count whose upper neighbour misses is passed over for two that both meet', async () => {
  const good = new Set([4, 6, 7, 8]);
  const found = await findSmallest(
    cached((count) => Promise.resolve(good.has(count))),
    8,
  );
  assert.deepEqual(found, { count: 6, isMonotone: false });
});

test('of erratic counts none is taken when no two neighbours meet', async () => {
  const found = await findSmallest(
    cached((count) => Promise.resolve(count === 2)),
    6,
  );
  assert.deepEqual(found, { count: null, isMonotone: false });
});

function cached(meets: (count: number) => Promise<boolean>): (count: number) => Promise<boolean> {
  const known = new Map<number, Promise<boolean>>();
  return (count) => {
    const answer = known.get(count) ?? meets(count);
    known.set(count, answer);
    return answer;
  };
}

test('a fleet is sized with accelerators, price and the headroom of its worst seed', async () => {
  const options = sizingOptions((replicas, seed) => (replicas >= 5 ? 700 + 20 * seed : 5000));
  const size = await sizeFleet(options);
  assert.equal(size.replicas, 5);
  assert.equal(size.accelerators, 10);
  assert.equal(size.hourlyUsd, 15);
  assert.ok(Math.abs((size.headroom ?? 0) - 0.24) < 1e-9);
  assert.equal(size.reason, null);
  assert.equal(size.runs.length, 3);
  assert.deepEqual(
    size.probes.map(({ replicas }) => replicas),
    [1, 2, 4, 8, 6, 5],
  );
});

test('a count that misses with the first seed is not run with the others', async () => {
  const options = sizingOptions((replicas) => (replicas >= 2 ? 100 : 5000));
  await sizeFleet(options);
  assert.deepEqual(options.asked.slice(0, 3), [
    [1, [1]],
    [2, [1]],
    [2, [2, 3]],
  ]);
});

test('one seed that misses makes its count miss', async () => {
  const size = await sizeFleet(
    sizingOptions((replicas, seed) => (replicas >= 6 || (replicas >= 4 && seed < 3) ? 100 : 5000)),
  );
  assert.equal(size.replicas, 6);
});

test('an unknown price stays unknown', async () => {
  const profile = { name: 'p', accelerators: 1, hourlyUsd: null };
  const size = await sizeFleet(sizingOptions(() => 100, { profile }));
  assert.equal(size.replicas, 1);
  assert.equal(size.hourlyUsd, null);
});

test('what a request alone already misses is said, with its value', async () => {
  const size = await sizeFleet(
    sizingOptions(() => 2000, {
      maxReplicas: 4,
      evaluateAlone: () => Promise.resolve(createRun({ ttftMs: 1500 })),
    }),
  );
  assert.equal(size.replicas, null);
  assert.match(size.reason ?? '', /alone .*ttft-p99 is 1\.50 s.*no number of replicas/);
});

test('when a request alone meets it, the largest fleet’s values are said', async () => {
  const size = await sizeFleet(sizingOptions(() => 2000, { maxReplicas: 4 }));
  assert.equal(size.reason, '4 replicas miss it (ttft-p99 is 2.00 s)');
  assert.deepEqual(size.runs, []);
});

test('nothing is searched when a replica alone cannot answer the requests', async () => {
  const options = sizingOptions(() => 100, {
    evaluateAlone: () => Promise.resolve(createRun({ sent: 50, failed: 20 })),
  });
  const size = await sizeFleet(options);
  assert.equal(size.replicas, null);
  assert.match(size.reason ?? '', /20 of 50 requests unanswered/);
  assert.deepEqual(options.asked, []);
});

test('a search that is told to stop says so and takes no answer for known', async () => {
  let calls = 0;
  const shouldStop = (): boolean => {
    calls += 1;
    return calls > 3;
  };
  const size = await sizeFleet(sizingOptions(() => 5000, { shouldStop }));
  assert.equal(size.replicas, null);
  assert.match(size.reason ?? '', /stopped before/);
  assert.equal(size.probes.length, 2);
});

test('a run that left requests unanswered meets no objective', () => {
  const verdict = judgeRuns([TTFT_P99], [createRun({ status: 'saturated' })]);
  assert.equal(verdict.meets, false);
  assert.equal(verdict.isSaturated, true);
  assert.equal(verdict.terms[0]?.meets, true);
});

test('failed requests count as endless: a percentile moves up by their share', () => {
  const run: RunResult = createRun({ sent: 100, failed: 5 });
  const quantiles = Array.from({ length: 101 }, (_, rank) => rank);
  const graded = { ...run, ttftMs: { ...run.ttftMs, quantiles, p50: 50, p90: 90 } };
  const term = { kind: 'latency', measure: 'ttft', limitMs: 1 } as const;
  assert.equal(measureTerm({ ...term, statistic: 'p50' }, graded), 53);
  assert.equal(measureTerm({ ...term, statistic: 'p90' }, graded), 95);
  assert.equal(measureTerm({ ...term, statistic: 'p99' }, graded), Number.POSITIVE_INFINITY);
  assert.equal(measureTerm({ ...term, statistic: 'mean' }, graded), Number.POSITIVE_INFINITY);
});

test('headroom of a goodput term is the share of allowed misses that is left', () => {
  const term: ObjectiveTerm = { kind: 'goodput', minShare: 0.9 };
  const { terms } = judgeRuns([term], [createRun({ goodShare: 0.95 }), createRun()]);
  assert.ok(Math.abs((terms[0]?.headroom ?? 0) - 0.5) < 1e-9);
  assert.equal(terms[0]?.worst, 0.95);
  assert.equal(describeTerm(term), 'goodput');
});
