import type { Rng } from '../../core/rng.ts';
import { assertPositive } from './errors.ts';
import { drawExponential, drawGamma } from './random.ts';

/** Times of arrival, one after the other, in milliseconds from 0; without an end. */
export interface Arrivals {
  next(): number;
}

/** Requests or conversations per second. */
type PerSecond = number;

function assertRate(perSecond: PerSecond): void {
  assertPositive(perSecond, 'a rate per second', 'rate_invalid');
}

/** One arrival every `1 / perSecond` seconds, the first after one such gap. */
export function createConstantArrivals(perSecond: PerSecond): Arrivals {
  assertRate(perSecond);
  let count = 0;
  return { next: () => ((count += 1) * 1000) / perSecond };
}

/** Independent arrivals: exponential gaps. */
export function createPoissonArrivals(rng: Rng, perSecond: PerSecond): Arrivals {
  assertRate(perSecond);
  return sumGaps(() => (drawExponential(rng) * 1000) / perSecond);
}

/**
 * Bursty arrivals: Gamma gaps with the coefficient of variation `cv` (1 is Poisson, more comes in
 * bursts, less is more regular), as vLLM's serving benchmark makes them (`--burstiness` = 1 /
 * cv^2).
 */
export function createGammaArrivals(rng: Rng, perSecond: PerSecond, cv: number): Arrivals {
  assertRate(perSecond);
  assertPositive(cv, 'a coefficient of variation', 'rate_invalid');
  const shape = 1 / cv ** 2;
  return sumGaps(() => (drawGamma(rng, shape) * 1000) / perSecond);
}

function sumGaps(drawGapMs: () => number): Arrivals {
  let atMs = 0;
  return { next: () => (atMs += drawGapMs()) };
}

/** A rate that changes with time. */
export interface VaryingRate {
  /** Never exceeded by `perSecondAt`. */
  readonly peakPerSecond: PerSecond;
  perSecondAt(atMs: number): PerSecond;
}

/** Candidates that may be rejected in a row before the next one is taken as it is. */
const MOST_REJECTED = 100_000;

/**
 * A Poisson process whose rate follows `rate`, by thinning (Lewis and Shedler, 1979): candidates
 * come at the peak rate and are kept with probability rate / peak.
 */
export function createVaryingArrivals(rng: Rng, rate: VaryingRate): Arrivals {
  const candidates = createPoissonArrivals(rng, rate.peakPerSecond);
  const next = (): number => {
    for (let rejected = 0; rejected < MOST_REJECTED; rejected += 1) {
      const atMs = candidates.next();
      if (rng.next() * rate.peakPerSecond < rate.perSecondAt(atMs)) return atMs;
    }
    return candidates.next();
  };
  return { next };
}
