import type { ScorerDefinition } from '../framework/plugin.ts';
import type { Scorer } from '../types.ts';

const SERVING = 1;
const HAS_ROOM = 0.8;
const WAITING = 0.6;
/** Level of `PickInput.residency` at which an adapter serves requests now. */
const ACTIVE_LEVEL = 2;

/**
 * Of the request's adapter: 1 where it serves requests, else 0.8 where there are fewer active and
 * waiting adapters than slots, else 0.6 where it is waited for or resident, else 0.
 * `lora-affinity-scorer` of llm-d's endpoint picker; an idle resident adapter, which the original
 * does not see, counts like one that is waited for.
 */
export const LORA_AFFINITY_SCORER: ScorerDefinition = {
  type: 'lora-affinity-scorer',
  kind: 'scorer',
  summary: '1 where the adapter serves, 0.8 with a free slot, 0.6 where it waits or idles, else 0.',
  options: [],
  create(_options, { name }): Scorer {
    return {
      type: LORA_AFFINITY_SCORER.type,
      name,
      score({ load, members, residency }, { positions, count }, scores): void {
        const { adapterSlots, adaptersActive, adaptersWaiting } = load;
        for (let i = 0; i < count; i += 1) {
          const position = positions[i] as number;
          const slot = members[position] as number;
          const level = residency === null ? 0 : (residency[position] as number);
          const used = (adaptersActive[slot] as number) + (adaptersWaiting[slot] as number);
          if (level === ACTIVE_LEVEL) scores[i] = SERVING;
          else if (used < (adapterSlots[slot] as number)) scores[i] = HAS_ROOM;
          else scores[i] = level > 0 ? WAITING : 0;
        }
      },
    };
  },
};
