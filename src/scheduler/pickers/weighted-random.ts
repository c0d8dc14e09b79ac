import type { PickerDefinition } from '../framework/plugin.ts';
import type { Picker } from '../types.ts';
import { takeBest } from './best-first.ts';
import { countPlaces, MAX_ENDPOINTS } from './max-endpoints.ts';

/** Smallest random number used, as 0 has no logarithm. */
const SMALLEST = 1e-10;
/** Key of a candidate with score 0: below all others, yet still taken when nothing else is left. */
const LAST = -Number.MAX_VALUE;

/**
 * Candidates in an order drawn by their totals w: highest u^(1/w) first, u random in (0, 1)
 * (Efraimidis and Spirakis, A-Res), compared as ln(u) / w. Any order when all totals are 0.
 * `weighted-random-picker` of llm-d's endpoint picker.
 */
export const WEIGHTED_RANDOM_PICKER: PickerDefinition = {
  type: 'weighted-random-picker',
  kind: 'picker',
  summary: 'A candidate drawn with a probability in proportion to its score.',
  options: [MAX_ENDPOINTS],
  create(options, { name, rng }): Picker {
    const maxEndpoints = options.number('maxNumOfEndpoints');
    return {
      type: WEIGHTED_RANDOM_PICKER.type,
      name,
      order(_input, { count }, totals, out): number {
        for (let i = 0; i < count; i += 1) {
          const total = totals[i] as number;
          const key = Math.log(Math.max(SMALLEST, rng.next())) / total;
          totals[i] = total > 0 ? Math.max(LAST, key) : LAST;
        }
        const to = Math.min(count, countPlaces(out, maxEndpoints));
        return takeBest(totals, count, { out, from: 0, to, rng });
      },
    };
  },
};
