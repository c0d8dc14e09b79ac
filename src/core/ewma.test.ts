import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Ewma } from './ewma.ts';

test('there is no average before the first sample, which then is the average', () => {
  const average = new Ewma(1_000);
  assert.ok(Number.isNaN(average.value));
  average.add(42, 5);
  assert.equal(average.value, 42);
});

test('after one half-life the old value and the new sample weigh the same', () => {
  const average = new Ewma(1_000);
  average.add(100, 0);
  average.add(0, 1_000);
  assert.equal(average.value, 50);
  average.add(0, 3_000);
  assert.equal(average.value, 12.5);
});

test('samples within one instant still move the average by an eighth each', () => {
  const average = new Ewma(1_000);
  average.add(0, 10);
  average.add(80, 10);
  assert.equal(average.value, 10);
  // A clock that steps back counts as standing still.
  average.add(80, 9);
  assert.equal(average.value, 18.75);
});

test('the average stays between the smallest and the largest sample', () => {
  const sample = fc.tuple(fc.integer({ min: -1_000, max: 1_000 }), fc.nat(5_000));
  fc.assert(
    fc.property(fc.array(sample, { minLength: 1 }), (samples) => {
      const average = new Ewma(700);
      let nowMs = 0;
      for (const [value, gapMs] of samples) {
        nowMs += gapMs;
        average.add(value, nowMs);
      }
      const values = samples.map(([value]) => value);
      assert.ok(average.value >= Math.min(...values) - 1e-9);
      assert.ok(average.value <= Math.max(...values) + 1e-9);
    }),
  );
});

test('a half-life must be positive', () => {
  for (const halfLifeMs of [0, -1, Number.NaN]) {
    assert.throws(() => new Ewma(halfLifeMs), { name: 'AssertionError' });
  }
});
