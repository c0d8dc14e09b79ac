import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PresetName } from '../../scheduler/presets.ts';
import type { LabRequest } from '../workloads/types.ts';
import { createZipf } from '../workloads/zipf.ts';
import { createFleet, PolicyRun, quantile } from './testing/policy-run.ts';
import { createStream, draftRequest, drawLogUniform } from './testing/requests.ts';

function createDemoRun(count: number, requests: readonly LabRequest[]): PolicyRun {
  return new PolicyRun({
    policy: 'soonest',
    endpoints: createFleet(count, 'demo', { kvBlocks: 8192, maxNumBatchedTokens: 4096 }),
    requests,
    scrapeIntervalMs: 1000,
  });
}

function createBurst(atMs: number, count: number, outputTokens: number): LabRequest[] {
  return Array.from({ length: count }, (_, index) =>
    draftRequest(atMs, { ownTokens: 800, outputTokens }, index),
  );
}

test('200 simultaneous requests to 20 idle equal servers put exactly 10 on each', () => {
  const run = createDemoRun(20, createBurst(5, 200, 100)).advanceTo(6);
  assert.deepEqual(
    run.requestsInFlight,
    Array.from({ length: 20 }, () => 10),
  );
});

test('a burst after a long silence spreads evenly, whatever was learned before', () => {
  const before = createStream({ perSecond: 30, seconds: 20, seed: 3 }, (rng) => ({
    ownTokens: drawLogUniform(rng, 50, 3000),
    outputTokens: 60,
  }));
  const run = createDemoRun(10, [...before, ...createBurst(600_000, 100, 60)]);
  run.advanceTo(600_001);
  const counts = run.requestsInFlight;
  assert.equal(
    counts.reduce((sum, count) => sum + count, 0),
    100,
  );
  assert.ok(Math.min(...counts) >= 9 && Math.max(...counts) <= 11, counts.join(' '));
});

test('a shared prefix of 6,000 tokens sticks to few servers until they fill, then spreads', () => {
  const phases = [
    { fromMs: 0, perSecond: 2 },
    { fromMs: 30_000, perSecond: 15 },
    { fromMs: 60_000, perSecond: 150 },
  ];
  const requests = phases.flatMap(({ fromMs, perSecond }, index) =>
    createStream({ perSecond, seconds: 30, seed: index + 1, startMs: fromMs }, (rng) => ({
      shared: [{ id: 1, tokens: 6000 }],
      ownTokens: drawLogUniform(rng, 50, 300),
      outputTokens: drawLogUniform(rng, 50, 200),
    })),
  );
  const run = createDemoRun(12, requests).finish();
  const { answers } = run;
  assert.equal(answers.length, requests.length);
  // The last ten seconds of each phase; a cold prefill takes 300 ms, which nobody waits for.
  const [calm, busy, full] = phases.map(({ fromMs }) => {
    const some = answers.filter(
      ({ request }) => request.atMs >= fromMs + 20_000 && request.atMs < fromMs + 30_000,
    );
    const ttftMs = quantile(
      some.map((answer) => answer.ttftMs),
      0.9,
    );
    assert.ok(ttftMs < 200, `p90 of TTFT is ${ttftMs} ms`);
    return new Set(some.map(({ endpoint }) => endpoint)).size;
  });
  assert.ok(calm! <= 2, `${calm} servers for 2 requests a second`);
  assert.ok(busy! <= 5, `${busy} servers for 15 requests a second`);
  assert.equal(full, 12);
  assert.ok(run.world.result().prefixHitShare > 0.95);
});

const ADAPTERS = { slots: 8, cpuSlots: 8, loadMs: 500, activateMs: 50 };

function createAdapterRun(
  policy: PresetName,
  requests: readonly LabRequest[],
  engines = 8,
): PolicyRun {
  return new PolicyRun({
    policy,
    endpoints: createFleet(engines, 'demo', { kvBlocks: 8192, adapters: ADAPTERS }),
    adapters: [...new Set(requests.map(({ adapter }) => adapter!))],
    requests,
    scrapeIntervalMs: 1000,
  });
}

function createThrash(policy: PresetName, options: { zipf: number; seed: number }): PolicyRun {
  const draw = createZipf(64, options.zipf);
  const requests = createStream({ perSecond: 25, seconds: 60, seed: options.seed }, (rng) => ({
    adapter: `adapter-${draw(rng)}`,
    ownTokens: drawLogUniform(rng, 100, 1500),
    outputTokens: drawLogUniform(rng, 20, 200),
  }));
  return createAdapterRun(policy, requests);
}

// One run alone says little: chance decides which adapters come first, and so which must move.
const THRASH_SEEDS = [4, 5, 6];

test('64 adapters over 8 servers with 8 slots each: at least 80 % fewer loads than random', () => {
  for (const zipf of [0, 0.8]) {
    let loads = 0;
    let late = 0;
    for (const seed of THRASH_SEEDS) {
      const run = createThrash('soonest', { zipf, seed }).advanceTo(20_000);
      const early = run.adapterLoads;
      const all = run.finish().adapterLoads;
      loads += all / THRASH_SEEDS.length;
      late += (all - early) / THRASH_SEEDS.length;
    }
    const random = createThrash('random', { zipf, seed: 4 }).finish().adapterLoads;
    assert.ok(loads <= 0.2 * random, `${loads} loads against ${random} at Zipf ${zipf}`);
    // Once each adapter has its place, loads are rare.
    assert.ok(late <= 0.4 * loads, `${late} of ${loads} came after 20 seconds`);
  }
});

test('the seconds that a load takes are learned from first tokens', () => {
  const learned = createThrash('soonest', { zipf: 0, seed: 4 })
    .finish()
    .learnedLoadsMs.toSorted((a, b) => a - b);
  const median = learned[4]!;
  assert.ok(median > 300 && median < 900, `${median} ms, the engines take 500 ms`);
});

test('an adapter stays on one server while that has time, and spreads when it fills', () => {
  const serversFor = (perSecond: number): number => {
    const requests = createStream({ perSecond, seconds: 30, seed: 6 }, (rng) => ({
      adapter: 'one',
      ownTokens: drawLogUniform(rng, 100, 1500),
      outputTokens: drawLogUniform(rng, 20, 200),
    }));
    const { answers } = createAdapterRun('soonest', requests, 6).finish();
    const late = answers.filter(({ request }) => request.atMs > 10_000);
    return new Set(late.map(({ endpoint }) => endpoint)).size;
  };
  assert.equal(serversFor(0.5), 1);
  assert.equal(serversFor(60), 6);
});

test('a new adapter goes where a slot is free', () => {
  const requests = Array.from({ length: 15 }, (_, index) =>
    draftRequest(index * 2000, { adapter: `a${index}`, ownTokens: 200, outputTokens: 20 }, index),
  );
  const { answers } = createAdapterRun('soonest', requests, 2).finish();
  const counts = [0, 0];
  for (const { endpoint } of answers) counts[endpoint]! += 1;
  assert.equal(counts[0]! + counts[1]!, 15);
  assert.ok(Math.max(...counts) <= 8, `${counts.join(' and ')} adapters on 8 slots each`);
});
