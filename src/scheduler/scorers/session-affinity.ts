import type { ScorerDefinition } from '../framework/plugin.ts';
import { SESSION_OPTIONS, SessionToken } from '../framework/session-token.ts';
import type { Scorer } from '../types.ts';

/**
 * 1 for the endpoint that the request's session token names, 0 for the others.
 * `session-affinity-scorer` of llm-d's endpoint picker with its encoded endpoint.
 */
export const SESSION_AFFINITY_SCORER: ScorerDefinition = {
  type: 'session-affinity-scorer',
  kind: 'scorer',
  summary: '1 for the endpoint of the client’s session, 0 for the others.',
  options: SESSION_OPTIONS,
  create(options, { name }): Scorer {
    const session = new SessionToken(options);
    return {
      type: SESSION_AFFINITY_SCORER.type,
      name,
      score(input, { positions, count }, scores): void {
        const wanted = session.endpointIdOf(input);
        scores.fill(0, 0, count);
        if (wanted === null) return;
        for (let i = 0; i < count; i += 1) {
          const slot = input.members[positions[i] as number] as number;
          if (input.traits.idOf(slot) === wanted) scores[i] = 1;
        }
      },
      answerHeader: (slot, input) => session.answerHeader(slot, input),
    };
  },
};
