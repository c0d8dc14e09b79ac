import type { ScorerDefinition } from '../framework/plugin.ts';
import type { Scorer } from '../types.ts';
import { scoreFewest } from './score-range.ts';

/**
 * (max − r) / (max − min) where r is the number of requests running in the engine by its last
 * report; 1 when all are equal. `running-requests-size-scorer` of llm-d's endpoint picker.
 */
export const RUNNING_REQUESTS_SIZE_SCORER: ScorerDefinition = {
  type: 'running-requests-size-scorer',
  kind: 'scorer',
  summary: '(max − r) / (max − min) of requests running in the engine; 1 when all are equal.',
  options: [],
  create(_options, { name }): Scorer {
    return {
      type: RUNNING_REQUESTS_SIZE_SCORER.type,
      name,
      score(input, candidates, scores): void {
        scoreFewest(input, candidates, { column: input.load.lastRunning, scores });
      },
    };
  },
};
