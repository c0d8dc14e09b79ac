import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PrefixMatches } from '../framework/prefix-matches.ts';
import type { LoadTable } from '../ports.ts';
import {
  allCandidates,
  createTestBlocks,
  createTestInput,
  createTestLoad,
} from '../testing/pick-world.ts';
import { RepeatedWork } from './soonest-repeats.ts';

/** Endpoints with caches of 100 blocks of 64 tokens. */
function createLoad(count: number): LoadTable {
  const load = createTestLoad(count);
  load.kvBlockCount.fill(400);
  load.kvBlockTokens.fill(16);
  return load;
}

/**
 * Repeats of a prompt of ten blocks where slot i holds `held[i]` blocks, after `hits` prompts that
 * were found whole.
 */
function repeatsOf(held: readonly number[], hits = 0): number[] {
  const matches = new PrefixMatches({
    blocksOf: (slot) => held[slot] ?? 0,
    match(_blocks, _members, { positions, count }, out) {
      for (let i = 0; i < count; i += 1) out[positions[i]!] = 10;
    },
  });
  const blocks = createTestBlocks(Array.from({ length: 10 }, (_, index) => index));
  const input = createTestInput(createLoad(held.length), { blocks, promptTokens: 640 });
  const candidates = allCandidates(input);
  const repeated = new RepeatedWork(matches);
  matches.of(input, candidates);
  repeated.fill(input, candidates);
  for (let i = 0; i < hits; i += 1) repeated.noteBooked();
  repeated.fill(input, candidates);
  return [...repeated.repeats.subarray(0, held.length)];
}

test('nothing is done again where caches are empty, or where no prompt is ever found', () => {
  assert.deepEqual(repeatsOf([0, 0], 1000), [0, 0]);
  assert.deepEqual(repeatsOf([100, 100]), [0, 0]);
});

test('what full caches put out is done again once where prompts are found', () => {
  assert.deepEqual(repeatsOf([100, 100], 5000), [1, 1]);
  const [half] = repeatsOf([50, 50], 5000);
  assert.equal(half, 0.5);
  const [seldom] = repeatsOf([100, 100], 20);
  assert.ok(seldom! > 0.05 && seldom! < 0.1, `${seldom}`);
});

test('new blocks go where the least is held, within bounds', () => {
  const [least, more] = repeatsOf([40, 42]);
  assert.equal(least, 0);
  assert.ok(Math.abs(more! - (10 * 2) / 41) < 1e-9, `${more}`);
  assert.deepEqual(repeatsOf([0, 80]), [0, 1.5], 'a newcomer does not get everything');
});
