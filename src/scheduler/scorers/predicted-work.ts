import type { ScorerDefinition } from '../framework/plugin.ts';
import type { CandidateSet, PickInput, Scorer } from '../types.ts';

/** Tokens assumed for a request that the engine reports and we did not send. */
const FOREIGN_REQUEST_TOKENS = 512;

/**
 * Prefers the endpoint with the least work ahead: tokens in our ledger plus requests that only the
 * engine knows of. The score is (least + own) / (work + own), where `own` is this request's tokens:
 * the time to finish here relative to the best place, if both worked at one rate. So a difference
 * counts as much as it delays this request, and equal endpoints score equally.
 */
export const PREDICTED_WORK_SCORER: ScorerDefinition = {
  type: 'predicted-work',
  kind: 'scorer',
  summary: '(least + own) / (work + own) of tokens ahead on the endpoint.',
  options: [],
  create(_options, { name }): Scorer {
    return {
      type: PREDICTED_WORK_SCORER.type,
      name,
      score(input: PickInput, candidates: CandidateSet, scores: Float64Array): void {
        const { load, members, promptTokens, outputTokens } = input;
        const { positions, count } = candidates;
        const own = Math.max(1, promptTokens + outputTokens);
        let least = Number.POSITIVE_INFINITY;
        for (let i = 0; i < count; i += 1) {
          const slot = members[positions[i] as number] as number;
          const foreign = load.foreignRequests[slot] as number;
          const work = (load.tokensInFlight[slot] as number) + foreign * FOREIGN_REQUEST_TOKENS;
          scores[i] = work;
          if (work < least) least = work;
        }
        for (let i = 0; i < count; i += 1)
          scores[i] = (least + own) / ((scores[i] as number) + own);
      },
    };
  },
};
