import type { CandidateSet, PickInput, Scorer } from '../types.ts';

/** Prefers endpoints where the adapter is resident (1) over those that must load it (0). */
export function createAdapterResidencyScorer(): Scorer {
  return {
    type: 'adapter-residency',
    name: 'adapter-residency',
    score(input: PickInput, candidates: CandidateSet, scores: Float64Array): void {
      const { residency } = input;
      const { positions, count } = candidates;
      for (let i = 0; i < count; i += 1) {
        scores[i] = residency === null || (residency[positions[i] as number] as number) > 0 ? 1 : 0;
      }
    },
  };
}
