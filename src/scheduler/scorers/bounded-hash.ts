import type { IdHashes } from '../framework/hash.ts';
import { mixWords } from '../framework/hash.ts';
import { requestsOn } from '../framework/ledger-numbers.ts';
import type { NumberOption } from '../framework/options.ts';
import type { CandidateSet, PickInput } from '../types.ts';

const WORD_RANGE = 2 ** 32;

/** How much more than its share an endpoint takes before the next in the order does. */
export const LOAD_FACTOR: NumberOption = {
  name: 'loadFactor',
  kind: 'number',
  default: 1.25,
  min: 1,
  max: 1_000_000,
  unit: '',
  doc: 'Requests on an endpoint relative to the mean from which it is passed over.',
};

/**
 * Rendezvous hashing with bounded loads (Thaler and Ravishankar 1998; Mirrokni, Thorup and
 * Zadimoghaddam 2018): every endpoint gets a pseudo-random height from `key` and its id, and the
 * highest wins, so that only the keys of an endpoint that comes or goes move. One with as many
 * requests as `loadFactor` times the mean, this one included, is ranked below all others.
 */
export function scoreByHash(
  input: PickInput,
  { positions, count }: CandidateSet,
  options: {
    readonly key: number;
    readonly ids: IdHashes;
    readonly loadFactor: number;
    readonly scores: Float64Array;
  },
): void {
  const { key, ids, loadFactor, scores } = options;
  const { members, traits } = input;
  let requests = 1;
  for (let i = 0; i < count; i += 1) {
    requests += requestsOn(input, members[positions[i] as number] as number);
  }
  const bound = Math.ceil((requests / count) * loadFactor);
  for (let i = 0; i < count; i += 1) {
    const slot = members[positions[i] as number] as number;
    const height = mixWords(key, ids.of(traits.idOf(slot), slot)) / WORD_RANGE;
    scores[i] = (requestsOn(input, slot) < bound ? 0.5 : 0) + height / 2;
  }
}
