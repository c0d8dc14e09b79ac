import type { Rng } from '../../core/rng.ts';

/** Where the best go: from index `from` up to `to` of `out`. */
export interface BestFirstOptions {
  readonly out: Int32Array;
  readonly from: number;
  readonly to: number;
  readonly rng: Rng;
}

/**
 * Writes the indices of the highest `values[0 … count)` into `out`, highest first and equals in
 * random order; returns the end of what was written. Uses up `values`: what was taken becomes minus
 * infinity, and what is minus infinity is not taken. One pass over all values and one random number
 * per place, so meant for a few places.
 */
export function takeBest(values: Float64Array, count: number, options: BestFirstOptions): number {
  const { out, from, to, rng } = options;
  for (let place = from; place < to; place += 1) {
    let best = Number.NEGATIVE_INFINITY;
    let equals = 0;
    for (let i = 0; i < count; i += 1) {
      const value = values[i] as number;
      if (value > best) {
        best = value;
        equals = 1;
      } else if (value === best) {
        equals += 1;
      }
    }
    if (best === Number.NEGATIVE_INFINITY) return place;
    const index = findEqual(values, best, equals === 1 ? 0 : Math.floor(rng.next() * equals));
    values[index] = Number.NEGATIVE_INFINITY;
    out[place] = index;
  }
  return to;
}

/** Index of the value that is equal to `wanted` after `skip` others that are. */
function findEqual(values: Float64Array, wanted: number, skip: number): number {
  let index = values.indexOf(wanted);
  for (let left = skip; left > 0; left -= 1) index = values.indexOf(wanted, index + 1);
  return index;
}
