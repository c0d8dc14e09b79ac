import type { OptionTable } from '../framework/options.ts';
import type { ScorerDefinition } from '../framework/plugin.ts';
import type { Scorer } from '../types.ts';

const OPTIONS: OptionTable = [
  {
    name: 'idleThreshold',
    kind: 'integer',
    default: 0,
    min: 0,
    max: 1_000_000,
    unit: 'requests',
    doc: 'Requests in flight up to which an endpoint counts as idle.',
  },
  {
    name: 'maxBusyScore',
    kind: 'number',
    default: 1,
    min: 0,
    max: 1,
    unit: '',
    doc: 'Highest score of an endpoint that is not idle.',
  },
];

/**
 * Of requests n that we have in flight on the endpoint: 1 when n ≤ `idleThreshold`, else (max − n)
 * / max × `maxBusyScore`. `active-request-scorer` of llm-d's endpoint picker.
 */
export const ACTIVE_REQUEST_SCORER: ScorerDefinition = {
  type: 'active-request-scorer',
  kind: 'scorer',
  summary: '1 when idle, else (max − n) / max × `maxBusyScore` of our requests in flight.',
  options: OPTIONS,
  create(options, { name }): Scorer {
    const idleThreshold = options.number('idleThreshold');
    const maxBusyScore = options.number('maxBusyScore');
    return {
      type: ACTIVE_REQUEST_SCORER.type,
      name,
      score({ load, members }, { positions, count }, scores): void {
        const { requestsInFlight } = load;
        let most = 0;
        for (let i = 0; i < count; i += 1) {
          const requests = requestsInFlight[members[positions[i] as number] as number] as number;
          scores[i] = requests;
          if (requests > most) most = requests;
        }
        for (let i = 0; i < count; i += 1) {
          const requests = scores[i] as number;
          scores[i] = requests <= idleThreshold ? 1 : ((most - requests) / most) * maxBusyScore;
        }
      },
    };
  },
};
