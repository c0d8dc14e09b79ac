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
 * Repeats of a prompt of ten blocks where slot i holds `held[i]` blocks, after `prompts` of which
 * the endpoints held all, or nothing.
 */
function repeatsOf(
  held: readonly number[],
  { prompts = 0, areFound = true }: { readonly prompts?: number; readonly areFound?: boolean } = {},
): number[] {
  const matches = new PrefixMatches({
    blocksOf: (slot) => held[slot] ?? 0,
    match(_blocks, _members, { positions, count }, out) {
      for (let i = 0; i < count; i += 1) out[positions[i]!] = areFound ? 10 : 0;
    },
  });
  const blocks = createTestBlocks(Array.from({ length: 10 }, (_, index) => index));
  const input = createTestInput(createLoad(held.length), { blocks, promptTokens: 640 });
  const candidates = allCandidates(input);
  const repeated = new RepeatedWork(matches);
  matches.of(input, candidates);
  repeated.fill(input, candidates);
  for (let i = 0; i < prompts; i += 1) repeated.noteBooked();
  repeated.fill(input, candidates);
  return [...repeated.repeats.subarray(0, held.length)];
}

function assertNear(value: number | undefined, expected: number): void {
  assert.ok(value !== undefined && Math.abs(value - expected) < 1e-6, `${value} for ${expected}`);
}

test('nothing is done again where caches are empty, or where no prompt is ever found', () => {
  assert.deepEqual(repeatsOf([0, 0], { prompts: 1000 }), [0, 0]);
  for (const value of repeatsOf([100, 90], { prompts: 10_000, areFound: false })) {
    assertNear(value, 0);
  }
});

test('what full caches put out is done again once where prompts are found', () => {
  assert.deepEqual(repeatsOf([100, 100], { prompts: 5000 }), [1, 1]);
  const [half] = repeatsOf([50, 50], { prompts: 5000 });
  assert.equal(half, 0.5);
  const [seldom] = repeatsOf([100, 100], { prompts: 20 });
  assert.ok(seldom! > 0.05 && seldom! < 0.1, `${seldom}`);
});

test('new blocks go where the least is held, within bounds', () => {
  const [least, more, most] = repeatsOf([40, 42, 50], { prompts: 5000 });
  assertNear(least, 0.4);
  assertNear(more, 0.42 + (15 * 2) / 44);
  assertNear(most, 0.5 + 15 * 0.1);
});

test('an endpoint that holds far less than the others does not get everything', () => {
  const [newcomer, usual, other] = repeatsOf([5, 60, 60], { prompts: 5000 });
  assertNear(newcomer, 0.05);
  assertNear(usual, 0.6);
  assertNear(other, 0.6);
});
