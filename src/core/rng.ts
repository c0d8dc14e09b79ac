/** The only source of randomness below rank 4. */
export interface Rng {
  /** A number in [0, 1) with 32 random bits. */
  next(): number;
}

/**
 * A seeded generator: sfc32 (Chris Doty-Humphrey, PractRand), small state, passes BigCrush. The
 * same 32-bit `seed` gives the same sequence on every machine.
 */
export function createRng(seed: number): Rng {
  let a = 0;
  let b = 0;
  let c = seed | 0;
  let counter = 1;
  const next = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return (sum >>> 0) / 4294967296;
  };
  // The first outputs still show the seed's zero bits; sfc32's author discards 12.
  for (let round = 0; round < 12; round += 1) next();
  return { next };
}

/** An integer in [0, bound); `bound` is at least 1. */
export function pickIndex(rng: Rng, bound: number): number {
  return Math.floor(rng.next() * bound);
}
