import type { ScorerDefinition } from '../framework/plugin.ts';
import type { Scorer } from '../types.ts';
import { scoreFewest } from './score-range.ts';

/**
 * (max − q) / (max − min) where q is the number of requests waiting in the engine by its last
 * report; 1 when all are equal. `queue-scorer` of llm-d's endpoint picker.
 */
export const QUEUE_SCORER: ScorerDefinition = {
  type: 'queue-scorer',
  kind: 'scorer',
  summary: '(max − q) / (max − min) of requests waiting in the engine; 1 when all are equal.',
  options: [],
  create(_options, { name }): Scorer {
    return {
      type: QUEUE_SCORER.type,
      name,
      score(input, candidates, scores): void {
        scoreFewest(input, candidates, { column: input.load.lastWaiting, scores });
      },
    };
  },
};
