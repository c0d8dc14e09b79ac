import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { LogHistogram } from './log-histogram.ts';

it('gives every quantile within one per cent or one step of the resolution', () => {
  const value = fc.oneof(
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.double({ min: 0, max: 2_000_000, noNaN: true }),
  );
  fc.assert(
    fc.property(
      fc.array(value, { minLength: 1, maxLength: 200 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (values, share) => {
        const histogram = new LogHistogram(0.001);
        for (const each of values) histogram.record(each);
        const rising = values.toSorted((a, b) => a - b);
        const exact = rising[Math.floor(share * (values.length - 1))]!;
        const found = histogram.quantile(share);
        assert.ok(
          Math.abs(found - exact) <= 0.01 * exact + 0.001,
          `${found} in place of ${exact} at ${share}`,
        );
        assert.ok(found >= rising[0]! && found <= rising.at(-1)!);
        assert.equal(histogram.min, rising[0]);
        assert.equal(histogram.max, rising.at(-1));
        assert.equal(histogram.count, values.length);
        assert.equal(
          histogram.sum,
          values.reduce((sum, each) => sum + each, 0),
        );
      },
    ),
  );
});

it('counts values beyond its range as the largest, and knows the true one', () => {
  const histogram = new LogHistogram(1);
  histogram.record(1e12);
  histogram.record(Number.POSITIVE_INFINITY);
  assert.equal(histogram.count, 2);
  assert.equal(histogram.max, Number.POSITIVE_INFINITY);
  assert.ok(histogram.quantile(0) >= 1e12);
});

it('says nothing of no values', () => {
  const histogram = new LogHistogram(1);
  assert.equal(histogram.count, 0);
  assert.ok(Number.isNaN(histogram.quantile(0.5)));
});
