import type { Rng } from '../core/rng.ts';
import { Profile } from './profile.ts';
import { createAdapterResidencyScorer } from './scorers/adapter-residency.ts';
import { createKvCacheHeadroomScorer } from './scorers/kv-cache-headroom.ts';
import { createPredictedWorkScorer } from './scorers/predicted-work.ts';

/**
 * The default choice: least predicted work above all, then a resident adapter (loading one costs
 * seconds), then KV-cache headroom, which only decides where the work is about equal.
 */
export function createDefaultProfile(options: {
  readonly rankedCount: number;
  readonly rng: Rng;
}): Profile {
  return new Profile({
    ...options,
    scorers: [
      { scorer: createPredictedWorkScorer(), weight: 4 },
      { scorer: createAdapterResidencyScorer(), weight: 2 },
      { scorer: createKvCacheHeadroomScorer(), weight: 1 },
    ],
  });
}
