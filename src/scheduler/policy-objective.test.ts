import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PolicyWorld } from './testing/policy-world.ts';
import { createTestScheduler, SOONEST_PROFILE } from './testing/world-policies.ts';
import { createEngineOptions, createStream, drawLogUniform } from './testing/workloads.ts';
import { NO_OBJECTIVE, type LatencyObjective } from './types.ts';

const TIGHT = { ttftMs: 250, tpotMs: null };
const LAX = { ttftMs: 4000, tpotMs: null };

/** Half short prompts that are in a hurry, half long ones that are not. */
function runMixed(perSecond: number, honoursObjectives: boolean, seed = 1) {
  const world = new PolicyWorld({
    engines: Array.from({ length: 8 }, () => createEngineOptions('demo', { kvBlocks: 8192 })),
    scheduler: createTestScheduler(SOONEST_PROFILE),
    scrapeIntervalMs: 1000,
  });
  const goals: LatencyObjective[] = [];
  world.arrive(
    createStream({ perSecond, seconds: 40, seed }, (rng) => {
      const isTight = rng.next() < 0.5;
      const goal = isTight ? TIGHT : LAX;
      goals.push(goal);
      return {
        ownTokens: isTight ? drawLogUniform(rng, 50, 1000) : drawLogUniform(rng, 1000, 12_000),
        outputTokens: drawLogUniform(rng, 20, 400),
        objective: honoursObjectives ? goal : NO_OBJECTIVE,
      };
    }),
  );
  let busy = 0;
  let looks = 0;
  for (let atMs = 5000; atMs < 40_000; atMs += 500) {
    world.at(atMs, () => {
      looks += 1;
      busy += world.load.requestsInFlight.filter((count) => count > 0).length;
    });
  }
  world.run();
  const violations = world.outcomes.filter(
    ({ ttftMs, request }, index) => request.atMs > 5000 && ttftMs > goals[index]!.ttftMs!,
  ).length;
  return { violations, busyServers: busy / looks, count: world.outcomes.length };
}

test('requests with an objective are packed on few servers while it is met', () => {
  const calm = runMixed(10, true);
  assert.equal(calm.violations, 0);
  assert.ok(calm.busyServers < 5, `${calm.busyServers} of 8 servers busy`);
  assert.ok(runMixed(10, false).busyServers > 7);
});

test('objectives are missed less often when they are known', () => {
  let known = 0;
  let unknown = 0;
  for (const seed of [1, 2, 3]) {
    known += runMixed(38, true, seed).violations;
    unknown += runMixed(38, false, seed).violations;
  }
  assert.ok(known < 0.7 * unknown, `${known} against ${unknown}`);
});

test('an objective for the time per token is met as often as without one', () => {
  const violations = (objective: LatencyObjective): number => {
    const world = new PolicyWorld({
      engines: Array.from({ length: 8 }, () => createEngineOptions('demo', { kvBlocks: 8192 })),
      scheduler: createTestScheduler(SOONEST_PROFILE),
      scrapeIntervalMs: 1000,
    });
    world.arrive(
      createStream({ perSecond: 35, seconds: 30, seed: 2 }, (rng) => ({
        ownTokens: drawLogUniform(rng, 50, 4000),
        outputTokens: drawLogUniform(rng, 20, 400),
        objective,
      })),
    );
    world.run();
    return world.outcomes.filter(({ tpotMs }) => tpotMs > 35).length / world.outcomes.length;
  };
  const missed = violations({ ttftMs: null, tpotMs: 35 });
  assert.ok(missed <= violations(NO_OBJECTIVE) + 0.01, `${missed} missed`);
});
