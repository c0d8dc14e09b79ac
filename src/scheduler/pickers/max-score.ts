import type { PickerDefinition } from '../framework/plugin.ts';
import type { Picker } from '../types.ts';
import { takeBest } from './best-first.ts';
import { countPlaces, MAX_ENDPOINTS } from './max-endpoints.ts';

/** Highest total first, equals in random order. `max-score-picker` of llm-d's endpoint picker. */
export const MAX_SCORE_PICKER: PickerDefinition = {
  type: 'max-score-picker',
  kind: 'picker',
  summary: 'Highest weighted score first, equals in random order.',
  options: [MAX_ENDPOINTS],
  create(options, { name, rng }): Picker {
    const maxEndpoints = options.number('maxNumOfEndpoints');
    return {
      type: MAX_SCORE_PICKER.type,
      name,
      order: (_input, { count }, totals, out) =>
        takeBest(totals, count, {
          out,
          from: 0,
          to: Math.min(count, countPlaces(out, maxEndpoints)),
          rng,
        }),
    };
  },
};
