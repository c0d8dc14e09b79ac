import type { Rng } from '../../core/rng.ts';
import { assertPositive } from './errors.ts';

/** Draws ranks from 0, the most frequent, to `count - 1`: rank r has weight `(r + 1)^-exponent`. */
export function createZipf(count: number, exponent: number): (rng: Rng) => number {
  assertPositive(count, 'a number of ranks', 'size_invalid');
  const cumulative = new Float64Array(count);
  let sum = 0;
  for (let rank = 0; rank < count; rank += 1) {
    sum += (rank + 1) ** -exponent;
    cumulative[rank] = sum;
  }
  return (rng) => firstAbove(cumulative, rng.next() * sum);
}

/** Index of the first value above `wanted` in an ascending array; the last when none is. */
function firstAbove(ascending: Float64Array, wanted: number): number {
  let low = 0;
  let high = ascending.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ascending[middle] as number) > wanted) high = middle;
    else low = middle + 1;
  }
  return low;
}
