import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PolicyWorld } from './testing/policy-world.ts';
import { createTestScheduler, SOONEST_PROFILE } from './testing/world-policies.ts';
import { quantile } from './testing/world-report.ts';
import {
  createEngineOptions,
  createRequest,
  createStream,
  drawLogUniform,
} from './testing/workloads.ts';

function createDemoWorld(count: number): PolicyWorld {
  return new PolicyWorld({
    engines: Array.from({ length: count }, () =>
      createEngineOptions('demo', { kvBlocks: 8192, maxNumBatchedTokens: 4096 }),
    ),
    scheduler: createTestScheduler(SOONEST_PROFILE),
    scrapeIntervalMs: 1000,
  });
}

test('200 simultaneous requests to 20 idle equal servers put exactly 10 on each', () => {
  const world = createDemoWorld(20);
  for (let i = 0; i < 200; i += 1) {
    world.send(createRequest(0, { ownTokens: 800, outputTokens: 100 }));
  }
  assert.deepEqual(
    [...world.load.requestsInFlight],
    Array.from({ length: 20 }, () => 10),
  );
});

test('a burst after a long silence spreads evenly, whatever was learned before', () => {
  const world = createDemoWorld(10);
  world.arrive(
    createStream({ perSecond: 30, seconds: 20, seed: 3 }, (rng) => ({
      ownTokens: drawLogUniform(rng, 50, 3000),
      outputTokens: 60,
    })),
  );
  world.run(600_000);
  for (let i = 0; i < 100; i += 1) {
    world.send(createRequest(world.nowMs, { ownTokens: 800, outputTokens: 60 }));
  }
  const counts = [...world.load.requestsInFlight];
  assert.ok(Math.min(...counts) >= 9 && Math.max(...counts) <= 11, counts.join(' '));
});

test('a shared prefix of 6,000 tokens sticks to few servers until they fill, then spreads', () => {
  const world = createDemoWorld(12);
  const phases = [
    { fromMs: 0, perSecond: 2 },
    { fromMs: 30_000, perSecond: 15 },
    { fromMs: 60_000, perSecond: 150 },
  ];
  for (const [index, { fromMs, perSecond }] of phases.entries()) {
    world.arrive(
      createStream({ perSecond, seconds: 30, seed: index + 1, startMs: fromMs }, (rng) => ({
        shared: [{ id: 1, tokens: 6000 }],
        ownTokens: drawLogUniform(rng, 50, 300),
        outputTokens: drawLogUniform(rng, 50, 200),
      })),
    );
  }
  world.run();
  // The last ten seconds of each phase; a cold prefill takes 300 ms, which nobody waits for.
  const [calm, busy, full] = phases.map(({ fromMs }) => {
    const some = world.outcomes.filter(
      ({ request }) => request.atMs >= fromMs + 20_000 && request.atMs < fromMs + 30_000,
    );
    const ttftMs = quantile(
      some.map((outcome) => outcome.ttftMs),
      0.9,
    );
    assert.ok(ttftMs < 200, `p90 of TTFT is ${ttftMs} ms`);
    return new Set(some.map(({ slot }) => slot)).size;
  });
  assert.ok(calm! <= 2, `${calm} servers for 2 requests a second`);
  assert.ok(busy! <= 5, `${busy} servers for 15 requests a second`);
  assert.equal(full, 12);
  assert.ok(world.prefixHitShare > 0.95);
});
