import type { ChoiceOption, ParsedOptions } from './options.ts';
import type { HoldingsSource, PluginContext } from './plugin.ts';
import type { PrefixMatches } from './prefix-matches.ts';

/** Option of plugins that look at what endpoints hold, as other systems may know less of it. */
export const HOLDINGS_OPTION: ChoiceOption = {
  name: 'holdings',
  kind: 'choice',
  default: 'corrected',
  choices: ['corrected', 'assumed'],
  doc:
    'What endpoints are taken to hold: `corrected` by what engines report of each answer, or ' +
    '`assumed`: all that was sent there, up to the size of the cache.',
};

/** The matches that a plugin with `HOLDINGS_OPTION` is to read. */
export function matchesFor(options: ParsedOptions, context: PluginContext): PrefixMatches {
  return context.matchesIn(options.text(HOLDINGS_OPTION.name) as HoldingsSource);
}
