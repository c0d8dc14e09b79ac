import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { PickerDefinition } from '../framework/plugin.ts';
import type { Picker } from '../types.ts';
import { allCandidates, createTestInput, createTestLoad } from '../testing/pick-world.ts';
import { createTestContext, createTestPicker } from '../testing/test-parts.ts';
import { MAX_SCORE_PICKER } from './max-score.ts';
import { POWER_OF_TWO_PICKER } from './power-of-two.ts';
import { RANDOM_PICKER } from './random.ts';
import { ROUND_ROBIN_PICKER } from './round-robin.ts';
import { WEIGHTED_RANDOM_PICKER } from './weighted-random.ts';

const ALL: readonly PickerDefinition[] = [
  MAX_SCORE_PICKER,
  RANDOM_PICKER,
  WEIGHTED_RANDOM_PICKER,
  POWER_OF_TWO_PICKER,
  ROUND_ROBIN_PICKER,
];

function order(picker: Picker, totals: readonly number[], places = 3): number[] {
  const input = createTestInput(createTestLoad(totals.length));
  const out = new Int32Array(places);
  const count = picker.order(input, allCandidates(input), Float64Array.from(totals), out);
  return [...out.subarray(0, count)];
}

/** How often each index is first in 4,000 picks. */
function countFirst(picker: Picker, totals: readonly number[]): number[] {
  const counts = totals.map(() => 0);
  for (let pick = 0; pick < 4000; pick += 1) counts[order(picker, totals)[0]!]! += 1;
  return counts;
}

function assertNear(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) < 150, `${actual} is not about ${expected}`);
}

for (const definition of ALL) {
  test(`${definition.type} orders distinct candidates, as many as there is room for`, () => {
    const score = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(score, { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 6 }),
        fc.integer(),
        (totals, places, seed) => {
          const run = (): number[] =>
            order(createTestPicker(definition, {}, createTestContext({ seed })), totals, places);
          const chosen = run();
          assert.equal(chosen.length, Math.min(places, totals.length));
          assert.equal(new Set(chosen).size, chosen.length);
          for (const index of chosen) assert.ok(index >= 0 && index < totals.length);
          assert.deepEqual(run(), chosen);
        },
      ),
    );
  });
}

test('max-score-picker takes the highest first', () => {
  assert.deepEqual(order(createTestPicker(MAX_SCORE_PICKER), [0.1, 0.9, 0.5, 0.7]), [1, 3, 2]);
});

test('max-score-picker takes equals in any order', () => {
  const counts = countFirst(createTestPicker(MAX_SCORE_PICKER), [0.5, 0.2, 0.5, 0.5, 0.5]);
  assert.equal(counts[1], 0);
  for (const index of [0, 2, 3, 4]) assertNear(counts[index]!, 1000);
});

test('maxNumOfEndpoints shortens the list', () => {
  for (const definition of [MAX_SCORE_PICKER, RANDOM_PICKER, WEIGHTED_RANDOM_PICKER]) {
    const picker = createTestPicker(definition, { maxNumOfEndpoints: 2 });
    assert.equal(order(picker, [0.1, 0.9, 0.5, 0.7]).length, 2, definition.type);
  }
});

test('random-picker does not look at scores', () => {
  const counts = countFirst(createTestPicker(RANDOM_PICKER), [0, 1, 0.5, 0.1]);
  for (const count of counts) assertNear(count, 1000);
});

test('weighted-random-picker goes by scores in proportion', () => {
  const counts = countFirst(createTestPicker(WEIGHTED_RANDOM_PICKER), [0.1, 0.3, 0.6, 0]);
  assertNear(counts[0]!, 400);
  assertNear(counts[1]!, 1200);
  assertNear(counts[2]!, 2400);
  assert.equal(counts[3], 0);
});

test('weighted-random-picker takes any when all scores are 0, and those with 0 last', () => {
  const picker = createTestPicker(WEIGHTED_RANDOM_PICKER);
  for (const count of countFirst(picker, [0, 0, 0, 0])) assertNear(count, 1000);
  assert.equal(order(picker, [0, 0.5, 0]).indexOf(1), 0);
});

test('power-of-two takes the better of two random ones: the worst never, the best most often', () => {
  const counts = countFirst(createTestPicker(POWER_OF_TWO_PICKER), [0, 0.25, 0.5, 1]);
  assert.equal(counts[0], 0);
  // Of the 6 pairs, 1, 2 and 3 have these as their better one.
  assertNear(counts[1]!, 4000 / 6);
  assertNear(counts[2]!, 8000 / 6);
  assertNear(counts[3]!, 12_000 / 6);
});

test('round-robin gives turns, which an endpoint that is out does not upset', () => {
  const picker = createTestPicker(ROUND_ROBIN_PICKER);
  const input = createTestInput(createTestLoad(4));
  const out = new Int32Array(2);
  const turn = (positions: readonly number[]): number[] => {
    const candidates = { positions: Int32Array.from(positions), count: positions.length };
    const count = picker.order(input, candidates, new Float64Array(4), out);
    return [...out.subarray(0, count)].map((index) => positions[index]!);
  };
  assert.deepEqual(turn([0, 1, 2, 3]), [0, 1]);
  assert.deepEqual(turn([0, 1, 2, 3]), [1, 2]);
  assert.deepEqual(turn([0, 1, 3]), [3, 0]);
  assert.deepEqual(turn([0, 1, 2, 3]), [0, 1]);
  assert.deepEqual(turn([2, 3]), [2, 3]);
});

test('round-robin counts separately for each set of members', () => {
  const picker = createTestPicker(ROUND_ROBIN_PICKER);
  const firsts = [2, 2, 3, 3].map((count) => {
    const input = createTestInput(createTestLoad(count));
    const out = new Int32Array(1);
    picker.order(input, allCandidates(input), new Float64Array(count), out);
    return out[0];
  });
  assert.deepEqual(firsts, [0, 0, 0, 0]);
});
