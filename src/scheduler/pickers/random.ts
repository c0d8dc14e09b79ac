import type { PickerDefinition } from '../framework/plugin.ts';
import type { Picker } from '../types.ts';
import { takeBest } from './best-first.ts';
import { countPlaces, MAX_ENDPOINTS } from './max-endpoints.ts';

/** Any candidate, whatever its score. `random-picker` of llm-d's endpoint picker. */
export const RANDOM_PICKER: PickerDefinition = {
  type: 'random-picker',
  kind: 'picker',
  summary: 'Any candidate with the same probability, whatever its score.',
  options: [MAX_ENDPOINTS],
  create(options, { name, rng }): Picker {
    const maxEndpoints = options.number('maxNumOfEndpoints');
    return {
      type: RANDOM_PICKER.type,
      name,
      order(_input, { count }, totals, out): number {
        totals.fill(0, 0, count);
        const to = Math.min(count, countPlaces(out, maxEndpoints));
        return takeBest(totals, count, { out, from: 0, to, rng });
      },
    };
  },
};
