import type { FilterDefinition } from '../framework/plugin.ts';
import { SESSION_OPTIONS, SessionToken } from '../framework/session-token.ts';
import type { Filter } from '../types.ts';
import { keepWhere } from './keep-where.ts';

/**
 * Keeps only the endpoint that the request's session token names, when it is a candidate.
 * `session-affinity-filter` of llm-d's endpoint picker with its encoded endpoint.
 */
export const SESSION_AFFINITY_FILTER: FilterDefinition = {
  type: 'session-affinity-filter',
  kind: 'filter',
  summary: 'Keeps only the endpoint of the client’s session, if it is a candidate.',
  options: SESSION_OPTIONS,
  create(options, { name }): Filter {
    const session = new SessionToken(options);
    return {
      type: SESSION_AFFINITY_FILTER.type,
      name,
      isPreference: true,
      keep(input, candidates): number {
        const wanted = session.endpointIdOf(input);
        if (wanted === null) return candidates.count;
        const { traits } = input;
        const kept = keepWhere(input, candidates, (slot) => traits.idOf(slot) === wanted);
        return kept === 0 ? candidates.count : kept;
      },
      answerHeader: (slot, input) => session.answerHeader(slot, input),
    };
  },
};
