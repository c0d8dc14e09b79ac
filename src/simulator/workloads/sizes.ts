import type { Rng } from '../../core/rng.ts';
import { WorkloadError } from './errors.ts';
import { drawNormal } from './random.ts';

/** A quantity that varies from request to request, by its mean and bounds. */
export interface SizeSpec {
  readonly mean: number;
  readonly min: number;
  readonly max: number;
}

/** Draws numbers of one `SizeSpec`. */
export interface SizeSampler {
  /** A whole number from `min` to `max` with the specified mean. */
  draw(rng: Rng): number;
  /** The same without rounding, for times. */
  drawReal(rng: Rng): number;
}

/** A `SizeSpec`; `min` is 1 when not given. All finite, `0 < min <= mean <= max`, or all 0. */
export function size(mean: number, max: number, min = 1): SizeSpec {
  return Object.freeze({ mean, min, max });
}

/** Widest log-normal that is used: its mean is 7 times its median. */
const WIDEST_SIGMA = 2;
/** Where the maximum lies: what lies beyond (0.13 % of a normal distribution) is clipped to it. */
const SIGMAS_TO_MAX = 3;

/**
 * A log-normal distribution clipped to the bounds. The catalogue of workloads gives means and
 * maxima only, so the width is chosen to put the maximum three standard deviations out, and the
 * location, by bisection, to keep the mean in spite of the clipping.
 */
export function createSizes(spec: SizeSpec): SizeSampler {
  assertSpec(spec);
  const { mean, min, max } = spec;
  if (min === max || mean === max) return constantSizes(mean);
  const sigma = sigmaOf(Math.log(max / mean));
  const location = locationOf(spec, sigma);
  const drawReal = (rng: Rng): number =>
    Math.min(max, Math.max(min, Math.exp(location + sigma * drawNormal(rng))));
  // Rounding up with the fraction's probability keeps the mean, for small numbers such as turns.
  return { drawReal, draw: (rng) => Math.floor(drawReal(rng) + rng.next()) };
}

function assertSpec({ mean, min, max }: SizeSpec): void {
  const isBelow = min > 0 || (min === 0 && max === 0);
  if (isBelow && min <= mean && mean <= max && Number.isFinite(max)) return;
  throw new WorkloadError('size_invalid', `no sizes from ${min} to ${max} have the mean ${mean}`);
}

function constantSizes(value: number): SizeSampler {
  return { drawReal: () => value, draw: (rng) => Math.floor(value + rng.next()) };
}

/** Solves `ln max = ln mean - s^2 / 2 + 3 s` for the smaller `s`. */
function sigmaOf(logRatio: number): number {
  const square = SIGMAS_TO_MAX ** 2 - 2 * logRatio;
  if (square <= (SIGMAS_TO_MAX - WIDEST_SIGMA) ** 2) return WIDEST_SIGMA;
  return SIGMAS_TO_MAX - Math.sqrt(square);
}

function locationOf(spec: SizeSpec, sigma: number): number {
  let low = Math.log(spec.min) - 3 * sigma;
  let high = Math.log(spec.max) + 3 * sigma;
  for (let round = 0; round < 60; round += 1) {
    const middle = (low + high) / 2;
    if (clippedMean(spec, middle, sigma) < spec.mean) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Mean of `exp(location + sigma Z)` clipped to the bounds. */
function clippedMean({ min, max }: SizeSpec, location: number, sigma: number): number {
  const low = (Math.log(min) - location) / sigma;
  const high = (Math.log(max) - location) / sigma;
  const inside = normalCdf(high - sigma) - normalCdf(low - sigma);
  const unclipped = Math.exp(location + sigma ** 2 / 2) * inside;
  return min * normalCdf(low) + unclipped + max * (1 - normalCdf(high));
}

/** Abramowitz and Stegun 26.2.17; the error is below 7.5e-8. */
function normalCdf(x: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(x));
  const density = Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
  const series =
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return x >= 0 ? 1 - density * series : density * series;
}
