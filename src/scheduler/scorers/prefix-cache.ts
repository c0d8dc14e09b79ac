import { HOLDINGS_OPTION, matchesFor } from '../framework/holdings-option.ts';
import type { OptionTable } from '../framework/options.ts';
import type { ScorerDefinition } from '../framework/plugin.ts';
import type { Scorer } from '../types.ts';

const OPTIONS: OptionTable = [
  {
    name: 'matchLengthWeight',
    kind: 'number',
    default: 0,
    min: 0,
    max: 1,
    unit: '',
    doc: 'Part of the score that the matched length decides; the matched share decides the rest.',
  },
  {
    name: 'matchLengthScaleTokens',
    kind: 'integer',
    default: 8192,
    min: 1,
    max: 1e9,
    unit: 'tokens',
    doc: 'Matched tokens from which the length counts in full.',
  },
  HOLDINGS_OPTION,
];

/**
 * w × min(1, matched tokens / scale)² + (1 − w) × matched blocks / blocks of the prompt, with w =
 * `matchLengthWeight`. `prefix-cache-scorer` of llm-d's endpoint picker: over Penstock's own index,
 * or with `holdings: assumed` over what llm-d's approximate producer knows.
 */
export const PREFIX_CACHE_SCORER: ScorerDefinition = {
  type: 'prefix-cache-scorer',
  kind: 'scorer',
  summary: 'Share of the prompt’s leading blocks that the endpoint holds.',
  options: OPTIONS,
  create(options, context): Scorer {
    const { name } = context;
    const matches = matchesFor(options, context);
    const lengthWeight = options.number('matchLengthWeight');
    const scaleTokens = options.number('matchLengthScaleTokens');
    return {
      type: PREFIX_CACHE_SCORER.type,
      name,
      score(input, candidates, scores): void {
        const { positions, count } = candidates;
        const matched = matches.of(input, candidates);
        for (let i = 0; i < count; i += 1) {
          const share = matches.shareOf(input, matched[positions[i] as number] as number);
          const length = Math.min(1, (share * input.promptTokens) / scaleTokens);
          scores[i] = lengthWeight * length * length + (1 - lengthWeight) * share;
        }
      },
    };
  },
};
