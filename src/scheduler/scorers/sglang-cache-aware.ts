import { HOLDINGS_OPTION, matchesFor } from '../framework/holdings-option.ts';
import { requestsOn } from '../framework/ledger-numbers.ts';
import type { OptionTable } from '../framework/options.ts';
import type { ScorerDefinition } from '../framework/plugin.ts';
import type { Scorer } from '../types.ts';

const OPTIONS: OptionTable = [
  {
    name: 'cacheThreshold',
    kind: 'number',
    default: 0.3,
    min: 0,
    max: 1,
    unit: '',
    doc: 'Share of the prompt from which an endpoint that holds it is preferred.',
  },
  {
    name: 'balanceAbsThreshold',
    kind: 'number',
    default: 64,
    min: 0,
    max: 1_000_000,
    unit: 'requests',
    doc: 'Difference between most and fewest requests from which load alone may decide.',
  },
  {
    name: 'balanceRelThreshold',
    kind: 'number',
    default: 1.5,
    min: 1,
    max: 1_000_000,
    unit: '',
    doc: 'Ratio of most to fewest requests from which load alone may decide.',
  },
  HOLDINGS_OPTION,
];

/**
 * With requests from `fewest` to `most`: when most − fewest > `balanceAbsThreshold` and most >
 * `balanceRelThreshold` × fewest, 1 / (1 + requests − fewest); else, when some candidate holds more
 * than `cacheThreshold` of the prompt, the share that is held; else 1 / (1 + blocks held of any
 * prompt), which is the size of the worker's tree in SGLang's router, where this is `cache_aware`.
 * That tree knows only what was sent, as `holdings: assumed` does; but it is bounded by characters
 * (2^26 by default), not by the worker's cache.
 */
export const SGLANG_CACHE_AWARE_SCORER: ScorerDefinition = {
  type: 'sglang-cache-aware',
  kind: 'scorer',
  summary:
    'While load is even, the longest held prefix or the emptiest cache; else fewest requests.',
  options: OPTIONS,
  create(options, context): Scorer {
    const { name } = context;
    const matches = matchesFor(options, context);
    const threshold = options.number('cacheThreshold');
    const absolute = options.number('balanceAbsThreshold');
    const relative = options.number('balanceRelThreshold');
    return {
      type: SGLANG_CACHE_AWARE_SCORER.type,
      name,
      score(input, candidates, scores): void {
        const { positions, count } = candidates;
        const matched = matches.of(input, candidates);
        let fewest = Number.POSITIVE_INFINITY;
        let most = 0;
        let longest = 0;
        for (let i = 0; i < count; i += 1) {
          const position = positions[i] as number;
          const requests = requestsOn(input, input.members[position] as number);
          fewest = Math.min(fewest, requests);
          most = Math.max(most, requests);
          longest = Math.max(longest, matched[position] as number);
        }
        const isUneven = most - fewest > absolute && most > relative * fewest;
        const goesByPrefix = matches.shareOf(input, longest) > threshold;
        for (let i = 0; i < count; i += 1) {
          const position = positions[i] as number;
          const slot = input.members[position] as number;
          if (isUneven) scores[i] = 1 / (1 + requestsOn(input, slot) - fewest);
          else if (goesByPrefix) scores[i] = matches.shareOf(input, matched[position] as number);
          else scores[i] = 1 / (1 + matches.heldBlocks(slot));
        }
      },
    };
  },
};
