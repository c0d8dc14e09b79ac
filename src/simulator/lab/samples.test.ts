import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { distributionOf, NO_DISTRIBUTION, Samples } from './samples.ts';

/** By hand: sort, and go the share of the way between the two neighbours. */
function naiveQuantile(values: readonly number[], share: number): number {
  const rising = values.toSorted((a, b) => a - b);
  const place = share * (rising.length - 1);
  const low = rising[Math.floor(place)]!;
  const high = rising[Math.ceil(place)]!;
  return low + (high - low) * (place - Math.floor(place));
}

it('gives the percentiles of a plain sort', () => {
  const values = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), {
    minLength: 1,
    maxLength: 300,
  });
  fc.assert(
    fc.property(values, (list) => {
      const samples = new Samples();
      for (const value of list) samples.add(value);
      const shape = distributionOf(samples);
      assert.equal(shape.count, list.length);
      assert.equal(shape.p50, naiveQuantile(list, 0.5));
      assert.equal(shape.p90, naiveQuantile(list, 0.9));
      assert.equal(shape.p95, naiveQuantile(list, 0.95));
      assert.equal(shape.p99, naiveQuantile(list, 0.99));
      assert.equal(shape.p999, naiveQuantile(list, 0.999));
      assert.equal(shape.quantiles.length, 101);
      assert.equal(shape.quantiles[0], Math.min(...list));
      assert.equal(shape.quantiles[50], shape.p50);
      assert.equal(shape.quantiles[100], Math.max(...list));
      assert.ok(Math.abs(shape.mean * list.length - list.reduce((a, b) => a + b, 0)) < 1e-3);
    }),
  );
});

it('has nothing but zeros to say of no samples', () => {
  assert.deepEqual(distributionOf(new Samples()), NO_DISTRIBUTION);
});
