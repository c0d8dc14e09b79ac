import type { ScorerDefinition } from '../framework/plugin.ts';
import type { Scorer } from '../types.ts';

/**
 * 1 − KV-cache use by the last report; an unknown use counts as 0, as in the original.
 * `kv-cache-utilization-scorer` of llm-d's endpoint picker.
 */
export const KV_CACHE_UTILIZATION_SCORER: ScorerDefinition = {
  type: 'kv-cache-utilization-scorer',
  kind: 'scorer',
  summary: '1 − KV-cache use; an unknown use counts as 0.',
  options: [],
  create(_options, { name }): Scorer {
    return {
      type: KV_CACHE_UTILIZATION_SCORER.type,
      name,
      score({ load, members }, { positions, count }, scores): void {
        const { kvCacheUsage } = load;
        for (let i = 0; i < count; i += 1) {
          const usage = kvCacheUsage[members[positions[i] as number] as number] as number;
          scores[i] = usage >= 0 ? 1 - usage : 1;
        }
      },
    };
  },
};
