import type { OptionTable } from '../framework/options.ts';
import type { ScorerDefinition } from '../framework/plugin.ts';
import type { Scorer } from '../types.ts';

const OPTIONS: OptionTable = [
  {
    name: 'threshold',
    kind: 'integer',
    default: 128,
    min: 1,
    max: 1_000_000,
    unit: 'requests',
    doc: 'Waiting requests from which the score is 0.',
  },
];

/**
 * 0.5 × (1 − min(q, threshold) / threshold) where q is the number of requests waiting in the engine
 * by its last report. `load-aware-scorer` of llm-d's endpoint picker.
 */
export const LOAD_AWARE_SCORER: ScorerDefinition = {
  type: 'load-aware-scorer',
  kind: 'scorer',
  summary: '0.5 × (1 − q / threshold) of requests waiting in the engine, at least 0.',
  options: OPTIONS,
  create(options, { name }): Scorer {
    const threshold = options.number('threshold');
    return {
      type: LOAD_AWARE_SCORER.type,
      name,
      score({ load, members }, { positions, count }, scores): void {
        const { lastWaiting } = load;
        for (let i = 0; i < count; i += 1) {
          const waiting = lastWaiting[members[positions[i] as number] as number] as number;
          scores[i] = 0.5 * (1 - Math.min(waiting, threshold) / threshold);
        }
      },
    };
  },
};
