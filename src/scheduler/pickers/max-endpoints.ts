import type { NumberOption } from '../framework/options.ts';

/**
 * Option of the field's pickers, there with 1 as its default. Here an answer names its fallbacks,
 * too, as many as the profile ranks, unless this asks for fewer.
 */
export const MAX_ENDPOINTS: NumberOption = {
  name: 'maxNumOfEndpoints',
  kind: 'integer',
  default: 0,
  min: 0,
  max: 1000,
  unit: '',
  doc: 'Endpoints in the answer; 0: as many as the profile ranks.',
};

/** Places of `out` to fill. */
export function countPlaces(out: Int32Array, maxEndpoints: number): number {
  return maxEndpoints === 0 ? out.length : Math.min(out.length, maxEndpoints);
}
