import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createRng, type Rng } from '../../core/rng.ts';
import { OnlineRegression } from './online-regression.ts';

const OPTIONS = Object.freeze({
  start: [10, 10],
  lowest: [0.1, 0],
  highest: [10_000, 10_000],
  stiffnessFloor: [1, 1],
  follows: [-1, -1],
});

function createRegression(slots = 1): OnlineRegression {
  const regression = new OnlineRegression(OPTIONS);
  regression.reserve(slots);
  return regression;
}

/** Observes `count` samples of base + slope × x with up to 10 % of noise, one a second. */
function feed(
  regression: OnlineRegression,
  truth: { readonly base: number; readonly slope: number; readonly slot?: number },
  run: { readonly count: number; readonly rng: Rng; readonly startMs?: number },
): number {
  let nowMs = run.startMs ?? 0;
  for (let i = 0; i < run.count; i += 1) {
    nowMs += 1000;
    const x = run.rng.next() * 10;
    const noise = 1 + (run.rng.next() - 0.5) / 5;
    regression.features.set([1, x]);
    const value = (truth.base + truth.slope * x) * noise;
    regression.observe(truth.slot ?? 0, value, { weight: 1, nowMs });
  }
  return nowMs;
}

function predict(regression: OnlineRegression, x: number, slot = 0): number {
  regression.features.set([1, x]);
  return regression.predict(slot);
}

function assertNear(actual: number, expected: number, share: number): void {
  assert.ok(Math.abs(actual / expected - 1) <= share, `${actual} is not about ${expected}`);
}

test('predicts the start values before any sample', () => {
  assert.equal(predict(createRegression(), 3), 40);
});

test('learns a line that is far from the start values', () => {
  const regression = createRegression();
  feed(regression, { base: 100, slope: 40 }, { count: 60, rng: createRng(1) });
  assertNear(predict(regression, 0), 100, 0.1);
  assertNear(predict(regression, 10), 500, 0.06);
});

test('a sudden change is followed after three samples and fully learned after some more', () => {
  const regression = createRegression();
  const rng = createRng(2);
  const nowMs = feed(regression, { base: 100, slope: 40 }, { count: 60, rng });
  const then = feed(regression, { base: 500, slope: 200 }, { count: 4, rng, startMs: nowMs });
  assertNear(predict(regression, 5), 1500, 0.3);
  feed(regression, { base: 500, slope: 200 }, { count: 20, rng, startMs: then });
  assertNear(predict(regression, 5), 1500, 0.1);
  assertNear(predict(regression, 10), 2500, 0.15);
});

test('outliers move nothing, even when every fourth sample is one', () => {
  const regression = createRegression();
  const rng = createRng(3);
  let nowMs = feed(regression, { base: 100, slope: 40 }, { count: 30, rng });
  for (let i = 0; i < 40; i += 1) {
    nowMs = feed(regression, { base: 100, slope: 40 }, { count: 3, rng, startMs: nowMs });
    regression.features.set([1, 5]);
    regression.observe(0, 30_000, { weight: 1, nowMs });
  }
  assertNear(predict(regression, 5), 300, 0.1);
});

test('what a slot learned fades to the prior when samples stay out', () => {
  const regression = createRegression();
  regression.setPrior(0, Float64Array.of(50, 20));
  const nowMs = feed(regression, { base: 200, slope: 80 }, { count: 60, rng: createRng(4) });
  assertNear(predict(regression, 5), 600, 0.1);
  regression.fade(0, nowMs + 3_600_000);
  regression.solve(0, nowMs + 3_600_000);
  assertNear(predict(regression, 5), 150, 0.01);
});

test('a slot that does not differ significantly from its like is predicted as they are', () => {
  const regression = createRegression();
  regression.setPrior(0, Float64Array.of(100, 40));
  feed(regression, { base: 101, slope: 40 }, { count: 60, rng: createRng(5) });
  assert.equal(predict(regression, 5), 300);
});

test('slots are independent, and growth keeps what they learned', () => {
  const regression = createRegression(2);
  feed(regression, { base: 100, slope: 40 }, { count: 40, rng: createRng(6) });
  feed(regression, { base: 20, slope: 8, slot: 1 }, { count: 40, rng: createRng(7) });
  regression.reserve(100);
  assertNear(predict(regression, 5), 300, 0.1);
  assertNear(predict(regression, 5, 1), 60, 0.1);
  assert.equal(predict(regression, 5, 99), 60);
  regression.reset(0);
  assert.equal(predict(regression, 5), 60);
  assert.equal(regression.weightOf(0), 0);
});

test('whatever is observed, parameters stay within their bounds and predictions are finite', () => {
  const value = fc.oneof(
    fc.double({ noNaN: false }),
    fc.double({ min: 1e-3, max: 1e6, noNaN: true }),
  );
  const sample = fc.record({
    value,
    x: fc.double({ min: 0, max: 1000, noNaN: true }),
    afterMs: fc.double({ min: 0, max: 600_000, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(sample, { maxLength: 80 }), (samples) => {
      const regression = createRegression();
      let nowMs = 0;
      for (const { value: observed, x, afterMs } of samples) {
        nowMs += afterMs;
        regression.features.set([1, x]);
        regression.observe(0, observed, { weight: 1, nowMs });
        const [base, slope] = regression.parameters as unknown as [number, number];
        assert.ok(base >= 0.1 && base <= 10_000 && slope >= 0 && slope <= 10_000);
        assert.ok(Number.isFinite(predict(regression, x)) && predict(regression, x) > 0);
        assert.ok(regression.errorOf(0) > 0 && regression.errorOf(0) <= 1);
      }
    }),
  );
});
