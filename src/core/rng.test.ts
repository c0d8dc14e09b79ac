import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createRng, pickIndex } from './rng.ts';

/** Computed with another implementation of sfc32, in unsigned arithmetic. */
const WORDS_OF_SEED_1 = [1299785925, 4001059704, 2906380172, 1047107358];

function draw(seed: number, count: number): number[] {
  const rng = createRng(seed);
  return Array.from({ length: count }, () => rng.next());
}

test('one seed gives one sequence, another seed another', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      assert.deepEqual(draw(seed, 5), draw(seed, 5));
      assert.notDeepEqual(draw(seed, 5), draw(seed + 1, 5));
    }),
  );
});

test('numbers lie in [0, 1) and fill it evenly', () => {
  const counts = Array.from({ length: 10 }, () => 0);
  for (const value of draw(7, 20_000)) {
    assert.ok(value >= 0 && value < 1);
    counts[Math.floor(value * 10)]! += 1;
  }
  // 2,000 are expected in each tenth; six standard deviations are 255.
  for (const count of counts) assert.ok(Math.abs(count - 2_000) < 255);
});

test('the sequence is the same on every machine and in every version', () => {
  const words = draw(1, 4).map((value) => value * 4294967296);
  assert.deepEqual(words, WORDS_OF_SEED_1);
});

test('pickIndex stays below its bound and reaches every index', () => {
  const rng = createRng(3);
  const seen = new Set(Array.from({ length: 200 }, () => pickIndex(rng, 5)));
  assert.deepEqual(
    [...seen].toSorted((a, b) => a - b),
    [0, 1, 2, 3, 4],
  );
  assert.equal(pickIndex(rng, 1), 0);
});
