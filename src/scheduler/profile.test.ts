import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createRng } from '../core/rng.ts';
import { PRESETS } from './presets.ts';
import type { Profile } from './profile.ts';
import { createTestInput, createTestLoad } from './testing/pick-world.ts';
import { createTestProfile } from './testing/test-parts.ts';
import type { PickInput } from './types.ts';

function createLeastWork(rankedCount: number, seed: number): Profile {
  return createTestProfile({ ...PRESETS['least-work'], rankedCount }, { rng: createRng(seed) });
}

function bestSlot(input: PickInput, seed = 1): number {
  return createLeastWork(3, seed).rank(input).ranked[0]!.slot;
}

test('200 picks that are booked one by one put exactly 10 on each of 20 idle endpoints', () => {
  const load = createTestLoad(20);
  const profile = createLeastWork(3, 7);
  for (let i = 0; i < 200; i += 1) {
    const slot = profile.rank(createTestInput(load)).ranked[0]!.slot;
    load.tokensInFlight[slot]! += 200;
    load.requestsInFlight[slot]! += 1;
  }
  assert.deepEqual(
    [...load.requestsInFlight],
    Array.from({ length: 20 }, () => 10),
  );
});

test('requests that only the engine knows of count as work', () => {
  const load = createTestLoad(2);
  load.foreignRequests[0] = 3;
  load.tokensInFlight[1] = 400;
  assert.equal(bestSlot(createTestInput(load)), 1);
});

test('a fuller KV cache decides between endpoints with equal work', () => {
  const load = createTestLoad(2);
  load.kvCacheUsage.set([0.9, 0.2]);
  assert.equal(bestSlot(createTestInput(load)), 1);
});

test('an endpoint with the adapter resident wins over an equal one without', () => {
  const load = createTestLoad(3);
  assert.equal(bestSlot(createTestInput(load, { residency: Uint8Array.of(0, 2, 0) })), 1);
});

test('a resident adapter does not outweigh a long queue', () => {
  const load = createTestLoad(2);
  load.tokensInFlight[0] = 50_000;
  assert.equal(bestSlot(createTestInput(load, { residency: Uint8Array.of(2, 0) })), 1);
});

test('equal endpoints are each the first choice about equally often', () => {
  const load = createTestLoad(4);
  const profile = createLeastWork(1, 3);
  const counts = [0, 0, 0, 0];
  for (let i = 0; i < 4000; i += 1)
    counts[profile.rank(createTestInput(load)).ranked[0]!.slot]! += 1;
  for (const count of counts) assert.ok(count > 850 && count < 1150, `${count} of 4000`);
});

test('nothing is ranked when no member is available', () => {
  const load = createTestLoad(3);
  load.isAvailable.fill(0);
  const ranking = createLeastWork(3, 1).rank(createTestInput(load));
  assert.deepEqual(ranking.ranked, []);
  assert.equal(ranking.candidateCount, 3);
  assert.equal(ranking.availableCount, 0);
});

test('a ranking holds only available members, each once, best first, and the seed decides it', () => {
  const endpoint = fc.record({
    isAvailable: fc.boolean(),
    tokens: fc.nat(100_000),
    foreign: fc.nat(50),
    kv: fc.oneof(fc.constant(Number.NaN), fc.double({ min: 0, max: 1, noNaN: true })),
    isMember: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(endpoint, { maxLength: 40 }), fc.integer(), (endpoints, seed) => {
      const load = createTestLoad(endpoints.length);
      endpoints.forEach((each, slot) => {
        load.isAvailable[slot] = each.isAvailable ? 1 : 0;
        load.tokensInFlight[slot] = each.tokens;
        load.foreignRequests[slot] = each.foreign;
        load.kvCacheUsage[slot] = each.kv;
      });
      const members = Int32Array.from(
        endpoints.flatMap((each, slot) => (each.isMember ? [slot] : [])),
      );
      const rank = () => createLeastWork(3, seed).rank(createTestInput(load, { members }));
      const { ranked, availableCount } = rank();
      const slots = ranked.map(({ slot }) => slot);
      assert.equal(new Set(slots).size, slots.length);
      assert.equal(slots.length, Math.min(3, availableCount));
      for (const slot of slots) {
        assert.ok(members.includes(slot));
        assert.equal(load.isAvailable[slot], 1);
      }
      for (let i = 1; i < ranked.length; i += 1) {
        assert.ok(ranked[i - 1]!.score >= ranked[i]!.score);
      }
      assert.deepEqual(rank().ranked, ranked);
    }),
  );
});
