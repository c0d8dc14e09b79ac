import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProfileSpec } from './framework/plugin.ts';
import { PolicyWorld } from './testing/policy-world.ts';
import { createTestScheduler, RANDOM_PROFILE, SOONEST_PROFILE } from './testing/world-policies.ts';
import {
  createEngineOptions,
  createRequest,
  createStream,
  createZipf,
  drawLogUniform,
} from './testing/workloads.ts';

const ADAPTERS = { slots: 8, cpuSlots: 8, loadMs: 500, activateMs: 50 };

function createAdapterWorld(profile: ProfileSpec, engines = 8) {
  const scheduler = createTestScheduler(profile);
  const world = new PolicyWorld({
    engines: Array.from({ length: engines }, () =>
      createEngineOptions('demo', { kvBlocks: 8192, adapters: ADAPTERS }),
    ),
    scheduler,
    scrapeIntervalMs: 1000,
  });
  return { world, scheduler };
}

function runThrash(profile: ProfileSpec, exponent: number) {
  const { world, scheduler } = createAdapterWorld(profile);
  const draw = createZipf(64, exponent);
  world.arrive(
    createStream({ perSecond: 25, seconds: 60, seed: 4 }, (rng) => ({
      adapter: `adapter-${draw(rng)}`,
      ownTokens: drawLogUniform(rng, 100, 1500),
      outputTokens: drawLogUniform(rng, 20, 200),
    })),
  );
  world.run(20_000);
  const early = world.adapterLoads;
  world.run();
  return { world, scheduler, lateLoads: world.adapterLoads - early };
}

test('64 adapters over 8 servers with 8 slots each: at least 80 % fewer loads than random', () => {
  for (const exponent of [0, 0.8]) {
    const random = runThrash(RANDOM_PROFILE, exponent).world.adapterLoads;
    const { world, lateLoads } = runThrash(SOONEST_PROFILE, exponent);
    const loads = world.adapterLoads;
    assert.ok(loads <= 0.2 * random, `${loads} loads against ${random} at Zipf ${exponent}`);
    // Once each adapter has its place, loads are rare.
    assert.ok(lateLoads <= 0.4 * loads, `${lateLoads} of ${loads} came after 20 seconds`);
  }
});

test('the seconds that a load takes are learned from first tokens', () => {
  const { scheduler } = runThrash(SOONEST_PROFILE, 0);
  const learned = [...scheduler.latency.adapterLoad.loadMs.subarray(0, 8)].toSorted(
    (a, b) => a - b,
  );
  const median = learned[4]!;
  assert.ok(median > 300 && median < 900, `${median} ms, the engines take 500 ms`);
});

test('an adapter stays on one server while that has time, and spreads when it fills', () => {
  const serversFor = (perSecond: number): number => {
    const { world } = createAdapterWorld(SOONEST_PROFILE, 6);
    world.arrive(
      createStream({ perSecond, seconds: 30, seed: 6 }, (rng) => ({
        adapter: 'one',
        ownTokens: drawLogUniform(rng, 100, 1500),
        outputTokens: drawLogUniform(rng, 20, 200),
      })),
    );
    world.run();
    const late = world.outcomes.filter(({ request }) => request.atMs > 10_000);
    return new Set(late.map(({ slot }) => slot)).size;
  };
  assert.equal(serversFor(0.5), 1);
  assert.equal(serversFor(60), 6);
});

test('a new adapter goes where a slot is free', () => {
  const { world } = createAdapterWorld(SOONEST_PROFILE, 2);
  for (let i = 0; i < 15; i += 1) {
    world.at(i * 2000, () =>
      world.send(
        createRequest(world.nowMs, { adapter: `a${i}`, ownTokens: 200, outputTokens: 20 }),
      ),
    );
  }
  world.run();
  const counts = [0, 0];
  for (const { slot } of world.outcomes) counts[slot]! += 1;
  assert.ok(Math.max(...counts) <= 8, `${counts.join(' and ')} adapters on 8 slots each`);
});
