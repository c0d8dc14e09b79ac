import type { ScorerDefinition } from '../framework/plugin.ts';
import type { CandidateSet, PickInput, Scorer } from '../types.ts';

/** Score of an endpoint that does not report its KV-cache use: neither preferred nor avoided. */
const UNKNOWN_HEADROOM = 0.5;

/** Prefers free KV cache: 1 minus the reported use; half when the use is unknown or stale. */
export const KV_CACHE_HEADROOM_SCORER: ScorerDefinition = {
  type: 'kv-cache-headroom',
  kind: 'scorer',
  summary: '1 − KV-cache use; 0.5 when it is unknown.',
  options: [],
  create(_options, { name }): Scorer {
    return {
      type: KV_CACHE_HEADROOM_SCORER.type,
      name,
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
  },
};
