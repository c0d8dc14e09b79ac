function scramble(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x7feb352d);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b);
  return mixed ^ (mixed >>> 16);
}

/**
 * A vector of length 1: the sum of a fixed pseudo-random direction per token, so that texts with
 * common tokens are near each other. Order of tokens does not count.
 */
export function embed(ids: readonly number[], dimensions: number): Float32Array {
  const vector = new Float32Array(dimensions);
  for (const id of ids) {
    const seed = scramble((id | 0) ^ Math.imul((id / 4294967296) | 0, 0x9e3779b1));
    for (let index = 0; index < dimensions; index += 1) {
      const direction = scramble(seed + Math.imul(index, 0x85ebca6b)) / 2147483648;
      vector[index] = (vector[index] as number) + direction;
    }
  }
  let square = 0;
  for (const value of vector) square += value * value;
  if (square === 0) return vector;
  const scale = 1 / Math.sqrt(square);
  return vector.map((value) => value * scale);
}

/** Dimensions that a comparison needs to tell unrelated texts from related ones. */
const COMPARED_DIMENSIONS = 64;

/** How near two texts are, from 0 to 1. */
export function similarity(left: readonly number[], right: readonly number[]): number {
  const a = embed(left, COMPARED_DIMENSIONS);
  const b = embed(right, COMPARED_DIMENSIONS);
  let product = 0;
  for (const [index, value] of a.entries()) product += value * (b[index] as number);
  return Math.min(1, Math.max(0, (product + 1) / 2));
}
