import { pickIndex } from '../../core/rng.ts';
import type { PickerDefinition } from '../framework/plugin.ts';
import type { Picker } from '../types.ts';
import { takeBest } from './best-first.ts';

/**
 * The better of two random candidates, then the other, then the rest by their totals (Mitzenmacher
 * 2001: the power of two choices keeps stale load from drawing everybody to one place).
 */
export const POWER_OF_TWO_PICKER: PickerDefinition = {
  type: 'power-of-two',
  kind: 'picker',
  summary: 'The better of two random candidates, then the other, then the rest by score.',
  options: [],
  create(_options, { name, rng }): Picker {
    return {
      type: POWER_OF_TWO_PICKER.type,
      name,
      order(_input, { count }, totals, out): number {
        const to = Math.min(count, out.length);
        const first = pickIndex(rng, count);
        if (count === 1) {
          out[0] = first;
          return 1;
        }
        // Any of the others, with the same probability.
        const second = (first + 1 + pickIndex(rng, count - 1)) % count;
        const isFirstBetter = (totals[first] as number) >= (totals[second] as number);
        out[0] = isFirstBetter ? first : second;
        if (to === 1) return 1;
        out[1] = isFirstBetter ? second : first;
        totals[first] = Number.NEGATIVE_INFINITY;
        totals[second] = Number.NEGATIVE_INFINITY;
        return takeBest(totals, count, { out, from: 2, to, rng });
      },
    };
  },
};
