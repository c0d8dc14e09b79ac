import { hashText, IdHashes } from '../framework/hash.ts';
import type { ScorerDefinition } from '../framework/plugin.ts';
import type { Scorer } from '../types.ts';
import { LOAD_FACTOR, scoreByHash } from './bounded-hash.ts';

/**
 * Sends equal values of a request header to the same endpoint, whatever replica of the gateway
 * decides, by rendezvous hashing with bounded loads; 1 for all without the header. SGLang's router
 * and others call it `consistent_hashing`.
 */
export const CONSISTENT_HASH_SCORER: ScorerDefinition = {
  type: 'consistent-hash',
  kind: 'scorer',
  summary: 'Same header value, same endpoint: rendezvous hashing with bounded loads.',
  options: [
    {
      name: 'headerName',
      kind: 'text',
      default: 'x-session-id',
      doc: 'Request header with the key; case does not matter.',
    },
    LOAD_FACTOR,
  ],
  create(options, { name }): Scorer {
    const header = options.text('headerName').toLowerCase();
    const loadFactor = options.number('loadFactor');
    const ids = new IdHashes();
    return {
      type: CONSISTENT_HASH_SCORER.type,
      name,
      score(input, candidates, scores): void {
        const key = input.header(header);
        if (key === null || key === '') scores.fill(1, 0, candidates.count);
        else scoreByHash(input, candidates, { key: hashText(key), ids, loadFactor, scores });
      },
    };
  },
};
