import type { Rng } from '../../core/rng.ts';
import type { Result } from '../../core/result.ts';
import { fail, succeed } from '../../core/result.ts';
import type { LatencyModel } from '../latency/latency-model.ts';
import type { PrefixHoldings } from '../ports.ts';
import { Profile } from '../profile.ts';
import type { Filter, Picker, Scorer, WeightedScorer } from '../types.ts';
import type { CheckedPlugin, ProfileProblem } from './check-profile.ts';
import { resolveProfile } from './check-profile.ts';
import { ASSUMED_PROMPT_BLOCKS } from '../prefix/assumed-holdings.ts';
import type { HoldingsSource, PluginContext, PluginKind, ProfileSpec } from './plugin.ts';
import { PrefixMatches } from './prefix-matches.ts';
import type { Registry } from './registry.ts';

/** What profiles are built with. */
export interface ProfileParts {
  readonly registry: Registry;
  readonly rng: Rng;
  readonly prefixIndex: PrefixHoldings;
  readonly latency: LatencyModel;
  /** The index of what is only assumed; asked for at most once, when a plugin wants it. */
  openAssumed(): PrefixHoldings;
  onPluginFault(name: string, cause: unknown): void;
}

/** Instances sorted by what they do. */
interface Draft {
  readonly filters: Filter[];
  readonly scorers: WeightedScorer[];
  picker: Picker | null;
}

/** Builds the profile that `spec` describes, or says everything that is wrong with it. */
export function createProfile(
  spec: ProfileSpec,
  parts: ProfileParts,
): Result<Profile, readonly ProfileProblem[]> {
  const { registry, rng, prefixIndex, latency } = parts;
  const resolved = resolveProfile(spec, registry);
  if (!resolved.ok) return resolved;
  const matches = new PrefixMatches(prefixIndex);
  let assumed: PrefixMatches | null = null;
  const matchesIn = (source: HoldingsSource): PrefixMatches => {
    if (source === 'corrected') return matches;
    return (assumed ??= new PrefixMatches(parts.openAssumed(), ASSUMED_PROMPT_BLOCKS));
  };
  const draft: Draft = { filters: [], scorers: [], picker: null };
  const problems: ProfileProblem[] = [];
  for (const [index, plugin] of resolved.value.entries()) {
    const { name } = plugin.instance;
    const context = { name, rng, prefixIndex, latency, matches, matchesIn };
    const message = addPlugin(draft, plugin, context);
    if (message !== null) problems.push({ index, plugin: name, option: '', message });
  }
  if (problems.length > 0) return fail(problems);
  return succeed(
    new Profile({
      name: spec.name,
      ...draft,
      rankedCount: spec.rankedCount,
      rng,
      matches,
      assumed,
      onPluginFault: (name, cause) => {
        parts.onPluginFault(name, cause);
      },
    }),
  );
}

/** Makes one plugin; what went wrong, or null. Plugins are not only ours: they may throw. */
function addPlugin(
  draft: Draft,
  { definition, instance, options }: CheckedPlugin,
  context: PluginContext,
): string | null {
  try {
    return sortPlugin(draft, definition.create(options, context), {
      kind: definition.kind,
      weight: instance.weight,
    });
  } catch (cause) {
    return `could not be made: ${cause instanceof Error ? cause.message : String(cause)}`;
  }
}

function sortPlugin(
  draft: Draft,
  plugin: Filter | Scorer | Picker,
  { kind, weight }: { readonly kind: PluginKind; readonly weight: number },
): string | null {
  const isFilter = 'keep' in plugin;
  const isScorer = 'score' in plugin;
  const isPicker = 'order' in plugin;
  if (kind === 'filter' ? !isFilter : kind === 'scorer' ? !isScorer : !isPicker) {
    return `is no ${kind}: its "create" returned something else`;
  }
  if (isFilter) draft.filters.push(plugin);
  if (isScorer) draft.scorers.push({ scorer: plugin, weight });
  if (isPicker) draft.picker = plugin;
  return null;
}
