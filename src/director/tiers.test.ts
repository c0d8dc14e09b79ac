import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endpointId, modelName } from '../core/ids.ts';
import { EMPTY_REPORT } from '../protocol/engines/report.ts';
import { NO_OBJECTIVE } from '../scheduler/types.ts';
import { createHead, createTestWorld, createTierSpec, takeOff } from './testing/world.ts';
import type { TestWorld } from './testing/world.ts';

/** `auto` goes to `small` up to 1,000 prompt tokens, to `medium` up to 8,000, else to `large`. */
function createTieredWorld(): TestWorld {
  return createTestWorld({
    pools: { small: [['s']], medium: [['m']], large: [['l']] },
    routes: [
      {
        name: modelName('auto'),
        aliases: [],
        objective: { ttftMs: 500, tpotMs: null },
        tiers: [
          { ...createTierSpec(1000, [{ pool: 'small', model: 's' }]), outputTokensMax: 256 },
          createTierSpec(8000, [{ pool: 'medium', model: 'm' }]),
          createTierSpec(null, [{ pool: 'large', model: 'l' }]),
        ],
      },
    ],
  });
}

function routed(world: TestWorld, promptTokens: number, maxTokens: number | null = null): string {
  // Four bytes a token until usage has taught otherwise.
  const head = createHead('auto', { promptBytes: promptTokens * 4, maxTokens });
  return takeOff(world, head).upstreamModel;
}

function saturate(world: TestWorld, id: string): void {
  const endpoint = world.fleet.endpointById(endpointId(id))!;
  world.fleet.setReport(endpoint, { ...EMPTY_REPORT, waiting: 20, running: 8, kvCacheUsage: 0.97 });
  world.clock.advance(200);
}

test('a request goes to the first tier that takes a prompt of its size', () => {
  const world = createTieredWorld();
  assert.equal(routed(world, 900), 's');
  assert.equal(routed(world, 1100), 'm');
  assert.equal(routed(world, 9000), 'l');
});

test('a long output asked for counts as well; none asked for fits', () => {
  const world = createTieredWorld();
  assert.equal(routed(world, 100, 256), 's');
  assert.equal(routed(world, 100, 257), 'm');
  assert.equal(routed(world, 100, null), 's');
});

test('a saturated tier hands on to the next, never back to a smaller one', () => {
  const world = createTieredWorld();
  saturate(world, 'small-0:8000');
  assert.equal(routed(world, 100), 'm');
  saturate(world, 'medium-0:8000');
  assert.equal(routed(world, 100), 'l');
  saturate(world, 'large-0:8000');
  assert.equal(routed(world, 100), 's');
  assert.equal(routed(world, 9000), 'l');
});

test('a tier without available endpoints is passed over', () => {
  const world = createTieredWorld();
  world.fleet.drain(endpointId('small-0:8000'), true);
  assert.equal(routed(world, 100), 'm');
  assert.equal(world.decisions.latest(1)[0]!.tier, 1);
});

test('the model’s objective holds where the request asks for none, each part by itself', () => {
  const world = createTieredWorld();
  takeOff(world, createHead('auto'));
  assert.deepEqual(world.decisions.latest(1)[0]!.objective, { ttftMs: 500, tpotMs: null });
  takeOff(world, createHead('auto', { objective: { ttftMs: null, tpotMs: 20 } }));
  assert.deepEqual(world.decisions.latest(1)[0]!.objective, { ttftMs: 500, tpotMs: 20 });
  takeOff(world, createHead('auto', { objective: { ttftMs: 90, tpotMs: 20 } }));
  assert.deepEqual(world.decisions.latest(1)[0]!.objective, { ttftMs: 90, tpotMs: 20 });
  takeOff(world, createHead('s'));
  assert.deepEqual(world.decisions.latest(1)[0]!.objective, NO_OBJECTIVE);
});
