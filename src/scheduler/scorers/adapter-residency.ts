import type { ScorerDefinition } from '../framework/plugin.ts';
import type { CandidateSet, PickInput, Scorer } from '../types.ts';

/** Prefers endpoints where the adapter is resident (1) over those that must load it (0). */
export const ADAPTER_RESIDENCY_SCORER: ScorerDefinition = {
  type: 'adapter-residency',
  kind: 'scorer',
  summary: '1 where the adapter is resident, 0 where it must be loaded; 1 for base models.',
  options: [],
  create(_options, { name }): Scorer {
    return {
      type: ADAPTER_RESIDENCY_SCORER.type,
      name,
      score(input: PickInput, candidates: CandidateSet, scores: Float64Array): void {
        const { residency } = input;
        const { positions, count } = candidates;
        for (let i = 0; i < count; i += 1) {
          scores[i] =
            residency === null || (residency[positions[i] as number] as number) > 0 ? 1 : 0;
        }
      },
    };
  },
};
