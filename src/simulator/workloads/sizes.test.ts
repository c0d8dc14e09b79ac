import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createRng } from '../../core/rng.ts';
import { WorkloadError } from './errors.ts';
import { createSizes, size } from './sizes.ts';

function draw(spec: ReturnType<typeof size>, count: number, seed = 1): number[] {
  const rng = createRng(seed);
  const sizes = createSizes(spec);
  return Array.from({ length: count }, () => sizes.draw(rng));
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

test('the mean is kept in spite of the bounds', () => {
  for (const spec of [size(4000, 15_000), size(4, 16), size(500, 15_000), size(659, 146_000)]) {
    const values = draw(spec, 200_000);
    assert.ok(Math.abs(meanOf(values) / spec.mean - 1) < 0.03, `${spec.mean}: ${meanOf(values)}`);
  }
});

test('every size is a whole number within the bounds', () => {
  const specs = fc
    .tuple(fc.integer({ min: 1, max: 1000 }), fc.nat(10_000), fc.nat(100_000))
    .map(([min, more, most]) => size(min + more, min + more + most, min));
  fc.assert(
    fc.property(specs, fc.integer(), (spec, seed) => {
      for (const value of draw(spec, 50, seed)) {
        assert.ok(Number.isInteger(value) && value >= spec.min && value <= spec.max);
      }
    }),
  );
});

test('sizes vary, and few reach the maximum', () => {
  const values = draw(size(4000, 15_000), 20_000);
  const deviation = Math.sqrt(meanOf(values.map((value) => (value - 4000) ** 2)));
  assert.ok(deviation > 1000, `${deviation}`);
  const atMaximum = values.filter((value) => value >= 15_000).length;
  assert.ok(atMaximum > 0 && atMaximum < 100, `${atMaximum}`);
});

test('equal bounds give one size, and 0 to 0 gives none', () => {
  assert.deepEqual([...new Set(draw(size(7, 7), 100))], [7]);
  assert.deepEqual([...new Set(draw(size(0, 0, 0), 100))], [0]);
});

test('bounds that no mean fits are refused', () => {
  const impossible = [size(5, 4), size(5, 9, 6), size(Number.NaN, 9), size(0, 9, 0), size(5, NaN)];
  for (const spec of impossible) {
    assert.throws(
      () => createSizes(spec),
      (error) => error instanceof WorkloadError && error.code === 'size_invalid',
    );
  }
});
