import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRng } from '../../core/rng.ts';
import {
  type Arrivals,
  createConstantArrivals,
  createGammaArrivals,
  createPoissonArrivals,
  createStretchedArrivals,
  createVaryingArrivals,
} from './arrivals.ts';
import { WorkloadError } from './errors.ts';

function gapsOf(arrivals: Arrivals, count: number): number[] {
  let lastMs = 0;
  return Array.from({ length: count }, () => {
    const atMs = arrivals.next();
    const gapMs = atMs - lastMs;
    lastMs = atMs;
    return gapMs;
  });
}

function momentsOf(gaps: readonly number[]): { mean: number; cv: number } {
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
  return { mean, cv: Math.sqrt(variance) / mean };
}

test('constant arrivals come at equal gaps without drift', () => {
  const gaps = gapsOf(createConstantArrivals(3), 3000);
  assert.ok(gaps.every((gap) => Math.abs(gap - 1000 / 3) < 1e-6));
});

test('Poisson arrivals have the rate and exponential gaps', () => {
  const { mean, cv } = momentsOf(gapsOf(createPoissonArrivals(createRng(3), 20), 100_000));
  assert.ok(Math.abs(mean / 50 - 1) < 0.02, `${mean}`);
  assert.ok(Math.abs(cv - 1) < 0.02, `${cv}`);
});

test('Gamma arrivals have the rate and the coefficient of variation', () => {
  for (const wanted of [0.3, 0.8, 1, 2, 3]) {
    const gaps = gapsOf(createGammaArrivals(createRng(4), 20, wanted), 200_000);
    const { mean, cv } = momentsOf(gaps);
    assert.ok(Math.abs(mean / 50 - 1) < 0.03, `mean ${mean} at ${wanted}`);
    assert.ok(Math.abs(cv / wanted - 1) < 0.03, `cv ${cv}, not ${wanted}`);
    assert.ok(gaps.every((gap) => gap >= 0 && Number.isFinite(gap)));
  }
});

test('a varying rate is followed', () => {
  const arrivals = createVaryingArrivals(createRng(5), {
    peakPerSecond: 40,
    perSecondAt: (atMs) => (atMs % 20_000 < 10_000 ? 40 : 4),
  });
  let high = 0;
  let low = 0;
  for (let atMs = arrivals.next(); atMs < 2_000_000; atMs = arrivals.next()) {
    if (atMs % 20_000 < 10_000) high += 1;
    else low += 1;
  }
  assert.ok(Math.abs(high / 40_000 - 1) < 0.03, `${high}`);
  assert.ok(Math.abs(low / 4000 - 1) < 0.06, `${low}`);
});

test('steady gaps stretched to a varying rate follow it exactly', () => {
  const rate = {
    peakPerSecond: 40,
    perSecondAt: (atMs: number): number => (atMs % 20_000 < 10_000 ? 40 : 4),
  };
  const arrivals = createStretchedArrivals(createRng(5), rate, { kind: 'constant' });
  const gaps = gapsOf(arrivals, 440);
  assert.ok(gaps.slice(1, 399).every((gap) => Math.abs(gap - 25) < 1e-6));
  assert.ok(gaps.slice(401).every((gap) => Math.abs(gap - 250) < 1e-6));
  const bursty = gapsOf(
    createStretchedArrivals(createRng(5), rate, { kind: 'gamma', cv: 3 }),
    90_000,
  );
  assert.ok(Math.abs(momentsOf(bursty).mean / (1000 / 22) - 1) < 0.05);
});

test('a rate that is nowhere above 0 gives arrivals that end every run, not a loop', () => {
  const arrivals = createVaryingArrivals(createRng(6), { peakPerSecond: 1, perSecondAt: () => 0 });
  assert.ok(arrivals.next() > 3600_000);
});

test('rates that are no rates are refused', () => {
  for (const rate of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
    const isRateError = (error: unknown): boolean =>
      error instanceof WorkloadError && error.code === 'rate_invalid';
    assert.throws(() => createConstantArrivals(rate), isRateError);
    assert.throws(() => createPoissonArrivals(createRng(1), rate), isRateError);
    assert.throws(() => createGammaArrivals(createRng(1), rate, 2), isRateError);
    assert.throws(() => createGammaArrivals(createRng(1), 2, rate), isRateError);
  }
});
