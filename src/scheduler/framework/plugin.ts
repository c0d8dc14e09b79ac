import type { Rng } from '../../core/rng.ts';
import type { LatencyModel } from '../latency/latency-model.ts';
import type { PrefixHoldings } from '../ports.ts';
import type { Filter, Picker, Scorer } from '../types.ts';
import type { OptionTable, ParsedOptions } from './options.ts';
import type { PrefixMatches } from './prefix-matches.ts';

/** What a plugin does in a profile: removes, rates or orders candidates. */
export type PluginKind = 'filter' | 'scorer' | 'picker';

/**
 * Whence it is known what endpoints hold: `corrected` is Penstock's index, which learns from what
 * engines report; `assumed` is all that was sent there, as other systems have it.
 */
export type HoldingsSource = 'corrected' | 'assumed';

/** What an instance of a plugin may use. */
export interface PluginContext {
  /** Name of the instance in its profile. */
  readonly name: string;
  /** The one source of randomness, so that a seed decides every pick. */
  readonly rng: Rng;
  /** The index itself. Within a pick use `matches`, which looks a prompt up once for all. */
  readonly prefixIndex: PrefixHoldings;
  readonly latency: LatencyModel;
  /** Leading prompt blocks that each candidate of the present pick holds. */
  readonly matches: PrefixMatches;
  /**
   * `matches` for `corrected`. The first of a profile's plugins that asks for `assumed` while it is
   * made has that index kept from then on.
   */
  matchesIn(source: HoldingsSource): PrefixMatches;
}

interface DefinitionBase {
  /** Name in configurations, lower-case words joined by hyphens; unique in a registry. */
  readonly type: string;
  /** One sentence for the reference page: what it prefers or removes, with its formula. */
  readonly summary: string;
  /** Every option there is; others are refused by name. */
  readonly options: OptionTable;
}

/** A kind of filter that profiles may use. */
export interface FilterDefinition extends DefinitionBase {
  readonly kind: 'filter';
  create(options: ParsedOptions, context: PluginContext): Filter;
}

/** A kind of scorer that profiles may use. */
export interface ScorerDefinition extends DefinitionBase {
  readonly kind: 'scorer';
  create(options: ParsedOptions, context: PluginContext): Scorer;
}

/** A kind of picker that profiles may use. */
export interface PickerDefinition extends DefinitionBase {
  readonly kind: 'picker';
  create(options: ParsedOptions, context: PluginContext): Picker;
}

/** A kind of plugin: data that names it and its options, and a function that makes instances. */
export type PluginDefinition = FilterDefinition | ScorerDefinition | PickerDefinition;

/** One plugin of a profile, as configured. */
export interface PluginInstance {
  readonly type: string;
  /** Unique in the profile. */
  readonly name: string;
  /** As written; checked against the definition's table. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Share of a scorer in the total, 0 or more; meaningless for other kinds. */
  readonly weight: number;
}

/** A policy as data: filters in their order, weighted scorers, and at most one picker. */
export interface ProfileSpec {
  readonly name: string;
  readonly plugins: readonly PluginInstance[];
  /** Endpoints an answer holds at most: the first choice and its fallbacks. */
  readonly rankedCount: number;
}
