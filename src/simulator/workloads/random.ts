import { createRng, type Rng } from '../../core/rng.ts';

/**
 * A generator of its own for each purpose, so that what one part of a workload draws does not
 * depend on how often another has drawn: conversation 7 is the same whichever policy answers it.
 * The mix is MurmurHash3's finalizer, once for each number.
 */
export function createStream(seed: number, ...path: readonly number[]): Rng {
  let state = seed | 0;
  for (const part of path) {
    state = Math.imul(state ^ (part | 0), 0x85ebca6b);
    state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
    state = (state ^ (state >>> 16)) + 0x9e3779b9;
  }
  return createRng(state);
}

/** A standard normal number, by Box and Muller's transform of two uniform ones. */
export function drawNormal(rng: Rng): number {
  const radius = Math.sqrt(-2 * Math.log(1 - rng.next()));
  return radius * Math.cos(2 * Math.PI * rng.next());
}

/** An exponential number with mean 1. */
export function drawExponential(rng: Rng): number {
  return -Math.log(1 - rng.next());
}

/** Tries before `drawGamma` gives up; each succeeds with more than 95 % (Marsaglia and Tsang). */
const GAMMA_TRIES = 64;

/**
 * A Gamma number with the given shape and mean 1. Marsaglia and Tsang, "A simple method for
 * generating gamma variables" (2000), with their boost for shapes below 1.
 */
export function drawGamma(rng: Rng, shape: number): number {
  if (shape < 1) {
    const boosted = drawGamma(rng, shape + 1) * (shape + 1);
    return (boosted * (1 - rng.next()) ** (1 / shape)) / shape;
  }
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (let attempt = 0; attempt < GAMMA_TRIES; attempt += 1) {
    const normal = drawNormal(rng);
    const v = (1 + c * normal) ** 3;
    if (v <= 0) continue;
    const u = 1 - rng.next();
    if (Math.log(u) < normal ** 2 / 2 + d - d * v + d * Math.log(v)) return (d * v) / shape;
  }
  return 1;
}
