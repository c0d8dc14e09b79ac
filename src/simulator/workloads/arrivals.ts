import type { Rng } from '../../core/rng.ts';
import type { GapShape } from './arrival-spec.ts';
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

/** Arrivals at a steady rate with gaps of that shape. */
export function createArrivals(rng: Rng, perSecond: PerSecond, gaps: GapShape): Arrivals {
  switch (gaps.kind) {
    case 'constant':
      return createConstantArrivals(perSecond);
    case 'poisson':
      return createPoissonArrivals(rng, perSecond);
    case 'gamma':
      return createGammaArrivals(rng, perSecond, gaps.cv);
  }
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

/** Length of the pieces in which a changing rate is taken as steady. */
const PIECE_MS = 10;
/** Pieces that one gap may take; two weeks. */
const MOST_PIECES = 120_000_000;

/**
 * Arrivals with gaps of that shape whose rate follows `rate`: arrivals at a steady rate, with time
 * stretched where the rate is low and shortened where it is high (inversion of the integrated
 * rate, Cinlar 1975), in pieces of 10 ms.
 */
export function createStretchedArrivals(rng: Rng, rate: VaryingRate, gaps: GapShape): Arrivals {
  assertRate(rate.peakPerSecond);
  if (gaps.kind === 'poisson') return createVaryingArrivals(rng, rate);
  const steady = createArrivals(rng, 1, gaps);
  let startMs = 0;
  let sum = 0;
  const next = (): number => {
    const wanted = steady.next();
    for (let piece = 0; piece < MOST_PIECES; piece += 1) {
      const perMs = rate.perSecondAt(startMs + PIECE_MS / 2);
      // `sum` and `wanted` are in thousandths of an arrival.
      if (sum + perMs * PIECE_MS >= wanted) return startMs + (wanted - sum) / perMs;
      sum += perMs * PIECE_MS;
      startMs += PIECE_MS;
    }
    return Number.POSITIVE_INFINITY;
  };
  return { next };
}
