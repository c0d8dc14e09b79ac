// A third-party plugin of Penstock, as an operator or a vendor would write one.
//
//     scheduling:
//       plugins: [./spot-first.ts]
//       profile:
//         scorers:
//           - { type: soonest, weight: 2 }
//           - { type: spot-first, weight: 1, options: { full: 0.7 } }
//
// In a package of your own the types come from 'penstock/plugins'. They are erased: the module
// needs nothing to run. Plain JavaScript works as well.
import type {
  LoadTable,
  ParsedOptions,
  PluginContext,
  PluginDefinition,
  Scorer,
} from '../../src/plugins.ts';

/** Score of an endpoint that is not preferred. */
const OTHERS = 0.5;

function createSpotFirst(options: ParsedOptions, { name }: PluginContext): Scorer {
  const label = options.text('label');
  const value = options.text('value');
  const full = options.number('full');
  return {
    type: 'spot-first',
    name,
    // Called for every request: loops and typed arrays, nothing that allocates.
    score({ load, members, traits }, { positions, count }, scores): void {
      for (let i = 0; i < count; i += 1) {
        const slot = members[positions[i] as number] as number;
        const isSpot = traits.labelsOf(slot)[label] === value;
        scores[i] = isSpot ? scoreSpot(load, slot, full) : OTHERS;
      }
    },
  };
}

/** 1 while there is room, falling to 0 as the KV cache fills up. */
function scoreSpot({ kvCacheUsage }: LoadTable, slot: number, full: number): number {
  const usage = kvCacheUsage[slot] as number;
  // An endpoint that does not report its KV cache shows NaN, which is not above anything.
  return usage > full ? (1 - usage) / (1 - full) : 1;
}

/** What Penstock looks for in a module of plugins. */
export const plugins: readonly PluginDefinition[] = [
  {
    type: 'spot-first',
    kind: 'scorer',
    summary: 'Prefers cheap capacity until its KV cache fills up.',
    options: [
      {
        name: 'label',
        kind: 'text',
        default: 'capacity',
        doc: 'Label of endpoints that tells cheap capacity.',
      },
      { name: 'value', kind: 'text', default: 'spot', doc: 'Its value on cheap endpoints.' },
      {
        name: 'full',
        kind: 'number',
        default: 0.8,
        min: 0,
        max: 0.99,
        unit: '',
        doc: 'KV-cache use from which cheap endpoints are preferred less and less.',
      },
    ],
    create: createSpotFirst,
  },
];
