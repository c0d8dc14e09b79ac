import type { OptionTable } from '../framework/options.ts';
import type { FilterDefinition } from '../framework/plugin.ts';
import { SloHeadroom } from '../framework/slo-headroom.ts';
import type { Filter } from '../types.ts';
import { keepWhere } from './keep-where.ts';

const OPTIONS: OptionTable = [
  {
    name: 'epsilonExploreNeg',
    kind: 'number',
    default: 0.01,
    min: 0,
    max: 1,
    unit: '',
    doc: 'Share of the requests that go to the endpoints that will miss the objective.',
  },
];

/**
 * Keeps endpoints with headroom = objective − prediction ≥ 0 for both TTFT and TPOT; with
 * probability `epsilonExploreNeg` the others instead, so that they are seen to recover. Keeps all
 * when there is only one of both tiers. `slo-headroom-tier-filter` of llm-d's endpoint picker, fed
 * by Penstock's own latency model; without an objective all headroom is negative there as here.
 */
export const SLO_HEADROOM_TIER_FILTER: FilterDefinition = {
  type: 'slo-headroom-tier-filter',
  kind: 'filter',
  summary: 'Keeps endpoints predicted to meet the latency objective, if there are any.',
  options: OPTIONS,
  create(options, { name, rng, latency, matches }): Filter {
    const exploration = options.number('epsilonExploreNeg');
    const headroom = new SloHeadroom(latency);
    return {
      type: SLO_HEADROOM_TIER_FILTER.type,
      name,
      isPreference: true,
      keep(input, candidates): number {
        const { positions, count } = candidates;
        if (count <= 1) return count;
        headroom.prepare(input);
        const matched = matches.of(input, candidates);
        const isMet = (slot: number, position: number): boolean =>
          headroom.ttftMs(input, slot, matched[position] as number) >= 0 &&
          headroom.tpotMs(input, slot) >= 0;
        let met = 0;
        for (let i = 0; i < count; i += 1) {
          const position = positions[i] as number;
          if (isMet(input.members[position] as number, position)) met += 1;
        }
        if (met === 0 || met === count) return count;
        const explores = rng.next() < exploration;
        return keepWhere(input, candidates, (slot, position) => isMet(slot, position) !== explores);
      },
    };
  },
};
