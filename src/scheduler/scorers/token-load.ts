import { HOLDINGS_OPTION, matchesFor } from '../framework/holdings-option.ts';
import type { OptionTable } from '../framework/options.ts';
import type { ScorerDefinition } from '../framework/plugin.ts';
import type { Scorer } from '../types.ts';

const OPTIONS: OptionTable = [
  {
    name: 'queueThresholdTokens',
    kind: 'integer',
    default: 4_194_304,
    min: 1,
    max: 1e12,
    unit: 'tokens',
    doc: 'Tokens in flight from which the score is 0; the default is 128 requests of 32,768.',
  },
  HOLDINGS_OPTION,
];

/**
 * 1 − min(1, t / `queueThresholdTokens`) where t is the tokens we have in flight on the endpoint
 * plus the prompt tokens of this request that it does not hold. `token-load-scorer` of llm-d's
 * endpoint picker; our tokens in flight include expected output, as with its option
 * `addEstimatedOutputTokens`.
 */
export const TOKEN_LOAD_SCORER: ScorerDefinition = {
  type: 'token-load-scorer',
  kind: 'scorer',
  summary: '1 − tokens in flight, with this prompt’s uncached ones, over a threshold.',
  options: OPTIONS,
  create(options, context): Scorer {
    const { name } = context;
    const matches = matchesFor(options, context);
    const threshold = options.number('queueThresholdTokens');
    return {
      type: TOKEN_LOAD_SCORER.type,
      name,
      score(input, candidates, scores): void {
        const { members, promptTokens } = input;
        const { tokensInFlight } = input.load;
        const { positions, count } = candidates;
        const matched = matches.of(input, candidates);
        for (let i = 0; i < count; i += 1) {
          const position = positions[i] as number;
          const uncached = promptTokens * (1 - matches.shareOf(input, matched[position] as number));
          const tokens = (tokensInFlight[members[position] as number] as number) + uncached;
          scores[i] = 1 - Math.min(1, tokens / threshold);
        }
      },
    };
  },
};
