import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProfileSpec } from './framework/plugin.ts';
import { PolicyWorld } from './testing/policy-world.ts';
import {
  createTestScheduler,
  LEAST_REQUEST_PROFILE,
  SOONEST_PROFILE,
} from './testing/world-policies.ts';
import { mean, quantile } from './testing/world-report.ts';
import { createEngineOptions, createStream, drawLogUniform } from './testing/workloads.ts';

interface Setting {
  readonly speeds: readonly number[];
  readonly perSecond: number;
  readonly seconds: number;
  readonly profile?: ProfileSpec;
}

function createWorld({ speeds, perSecond, seconds, profile = SOONEST_PROFILE }: Setting) {
  const scheduler = createTestScheduler(profile);
  const world = new PolicyWorld({
    engines: speeds.map((speed) => createEngineOptions('demo', { kvBlocks: 8192, speed })),
    scheduler,
    scrapeIntervalMs: 1000,
  });
  world.arrive(
    createStream({ perSecond, seconds, seed: 11 }, (rng) => ({
      ownTokens: drawLogUniform(rng, 50, 4000),
      outputTokens: drawLogUniform(rng, 20, 300),
    })),
  );
  return { world, scheduler };
}

test('servers of twice the speed get about twice the tokens and TTFT beats least-request', () => {
  const setting = { speeds: [1, 2, 1, 2, 1, 2, 1, 2], perSecond: 90, seconds: 40 };
  const { world } = createWorld(setting);
  world.run();
  const tokens = [0, 0];
  for (const { slot, promptTokens, request } of world.outcomes) {
    if (request.atMs > 10_000) tokens[slot % 2]! += promptTokens + request.outputTokens;
  }
  const ratio = tokens[1]! / tokens[0]!;
  assert.ok(ratio > 1.6 && ratio < 2.6, `${ratio} times the tokens`);

  const other = createWorld({ ...setting, profile: LEAST_REQUEST_PROFILE }).world;
  other.run();
  const p90 = (of: PolicyWorld): number =>
    quantile(
      of.outcomes.map(({ ttftMs }) => ttftMs),
      0.9,
    );
  assert.ok(p90(world) < p90(other), `${p90(world)} ms against ${p90(other)} ms`);
});

test('a server that becomes five times slower loses most of its share within seconds', () => {
  const { world, scheduler } = createWorld({
    speeds: [1, 1, 1, 1, 1, 1, 1, 1],
    perSecond: 50,
    seconds: 160,
  });
  world.at(30_000, () => world.slowDown(3, 5));
  world.at(50_000, () => world.slowDown(3, 1));
  world.run();
  const share = (fromMs: number, toMs: number): number => {
    const some = world.outcomes.filter(
      ({ request }) => request.atMs >= fromMs && request.atMs < toMs,
    );
    return some.filter(({ slot }) => slot === 3).length / some.length;
  };
  assert.ok(share(15_000, 30_000) > 0.08, `${share(15_000, 30_000)} before`);
  assert.ok(share(35_000, 50_000) < 0.05, `${share(35_000, 50_000)} while slow`);
  assert.ok(share(140_000, 160_000) > 0.06, `${share(140_000, 160_000)} after it has recovered`);
  // The others did not suffer: their prompts are answered as soon as before.
  const ttft = (fromMs: number, toMs: number): number =>
    mean(
      world.outcomes
        .filter(({ request, slot }) => request.atMs >= fromMs && request.atMs < toMs && slot !== 3)
        .map(({ ttftMs }) => ttftMs),
    );
  assert.ok(ttft(35_000, 50_000) < 2 * ttft(15_000, 30_000));
  assert.ok(scheduler.latency.confidence(3) > 0.5);
});

test('a server that restarts loses its prefix credit with the next report', () => {
  const scheduler = createTestScheduler(SOONEST_PROFILE);
  const world = new PolicyWorld({
    engines: Array.from({ length: 4 }, () => createEngineOptions('demo', { kvBlocks: 8192 })),
    scheduler,
    scrapeIntervalMs: 1000,
  });
  const shared = [{ id: 9, tokens: 6000 }];
  world.arrive(
    createStream({ perSecond: 3, seconds: 60, seed: 2 }, () => ({
      shared,
      ownTokens: 100,
      outputTokens: 50,
    })),
  );
  world.run(30_000);
  const home = world.outcomes.at(-1)!.slot;
  world.restart(home);
  world.run(31_001);
  const before = world.outcomes.length;
  world.run();
  const later = world.outcomes.slice(before);
  const wrong = later.filter(({ believedCachedTokens, cachedTokens }) => {
    return believedCachedTokens > cachedTokens + 200;
  });
  assert.ok(later.length > 50);
  assert.equal(wrong.length, 0, `${wrong.length} of ${later.length} were sent to an empty cache`);
});

test('predicted times to first token are within 20 % for half of the requests', () => {
  for (const profileName of ['demo', 'h100-8b'] as const) {
    const world = new PolicyWorld({
      engines: Array.from({ length: 6 }, () => createEngineOptions(profileName)),
      scheduler: createTestScheduler(SOONEST_PROFILE),
      scrapeIntervalMs: 1000,
    });
    const perSecond = profileName === 'demo' ? 30 : 40;
    world.arrive(
      createStream({ perSecond, seconds: 30, seed: 8 }, (rng) => ({
        ownTokens: drawLogUniform(rng, 200, 6000),
        outputTokens: drawLogUniform(rng, 20, 300),
      })),
    );
    world.run();
    const steady = world.outcomes.slice(world.outcomes.length >> 1);
    const ttftError = quantile(
      steady.map(({ ttftMs, predictedTtftMs }) => Math.abs(predictedTtftMs - ttftMs) / ttftMs),
      0.5,
    );
    const tpotError = quantile(
      steady.map(({ tpotMs, predictedTpotMs }) => Math.abs(predictedTpotMs - tpotMs) / tpotMs),
      0.5,
    );
    assert.ok(ttftError < 0.2, `TTFT off by ${ttftError} on ${profileName}`);
    assert.ok(tpotError < 0.2, `TPOT off by ${tpotError} on ${profileName}`);
  }
});
