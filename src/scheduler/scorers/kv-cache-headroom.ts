import type { CandidateSet, PickInput, Scorer } from '../types.ts';

/** Score of an endpoint that does not report its KV-cache use: neither preferred nor avoided. */
const UNKNOWN_HEADROOM = 0.5;

/** Prefers free KV cache: 1 minus the reported use; half when the use is unknown or stale. */
export function createKvCacheHeadroomScorer(): Scorer {
  return {
    type: 'kv-cache-headroom',
    name: 'kv-cache-headroom',
    score(input: PickInput, candidates: CandidateSet, scores: Float64Array): void {
      const { members } = input;
      const { kvCacheUsage } = input.load;
      const { positions, count } = candidates;
      for (let i = 0; i < count; i += 1) {
        const usage = kvCacheUsage[members[positions[i] as number] as number] as number;
        scores[i] = usage >= 0 ? 1 - usage : UNKNOWN_HEADROOM;
      }
    },
  };
}
