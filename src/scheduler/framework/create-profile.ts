import type { Rng } from '../../core/rng.ts';
import type { Result } from '../../core/result.ts';
import { fail, succeed } from '../../core/result.ts';
import type { LatencyModel } from '../latency/latency-model.ts';
import type { PrefixHoldings } from '../ports.ts';
import { Profile } from '../profile.ts';
import type { Filter, Picker, Scorer, WeightedScorer } from '../types.ts';
import { parseOptions } from './options.ts';
import type { PluginContext, PluginDefinition, PluginInstance, ProfileSpec } from './plugin.ts';
import { PrefixMatches } from './prefix-matches.ts';
import type { Registry } from './registry.ts';

/** What profiles are built with. */
export interface ProfileParts {
  readonly registry: Registry;
  readonly rng: Rng;
  readonly prefixIndex: PrefixHoldings;
  readonly latency: LatencyModel;
  onPluginFault(name: string, cause: unknown): void;
}

/** Why a profile cannot be used. */
export interface ProfileProblem {
  /** Name of the plugin's instance; empty when the profile as a whole is wrong. */
  readonly plugin: string;
  /** Empty when no single option is to blame. */
  readonly option: string;
  /** What is wrong, to be read after the names. */
  readonly message: string;
}

/** One line for people: `plugin "queue": option "x" is unknown; …`. */
export function formatProfileProblem({ plugin, option, message }: ProfileProblem): string {
  const subject = option === '' ? '' : ` option "${option}"`;
  return plugin === '' ? message : `plugin "${plugin}":${subject} ${message}`;
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
  const problems: ProfileProblem[] = [];
  const matches = new PrefixMatches(parts.prefixIndex);
  const draft: Draft = { filters: [], scorers: [], picker: null };
  const names = new Set<string>();
  for (const instance of spec.plugins) {
    const { name } = instance;
    if (names.has(name)) problems.push(problemOf(instance, 'has a name that another one has'));
    names.add(name);
    const context = {
      name,
      rng: parts.rng,
      prefixIndex: parts.prefixIndex,
      latency: parts.latency,
      matches,
    };
    problems.push(...addInstance(instance, { draft, context, registry: parts.registry }));
  }
  if (!Number.isInteger(spec.rankedCount) || spec.rankedCount < 1) {
    problems.push({ plugin: '', option: '', message: 'rankedCount must be 1 or more' });
  }
  if (problems.length > 0) return fail(problems);
  return succeed(
    new Profile({
      name: spec.name,
      ...draft,
      rankedCount: spec.rankedCount,
      rng: parts.rng,
      matches,
      onPluginFault: (name, cause) => {
        parts.onPluginFault(name, cause);
      },
    }),
  );
}

function addInstance(
  instance: PluginInstance,
  target: { readonly draft: Draft; readonly context: PluginContext; readonly registry: Registry },
): readonly ProfileProblem[] {
  const { type, name } = instance;
  const definition = target.registry.find(type);
  if (definition === null) return [problemOf(instance, unknownType(type, target.registry))];
  const options = parseOptions(definition.options, instance.options);
  if (!options.ok) return options.error.map((problem) => ({ plugin: name, ...problem }));
  if (!(instance.weight >= 0 && Number.isFinite(instance.weight))) {
    return [problemOf(instance, 'needs a weight of 0 or more')];
  }
  try {
    return addPlugin(definition.create(options.value, target.context), {
      definition,
      instance,
      draft: target.draft,
    });
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    return [problemOf(instance, `could not be made: ${message}`)];
  }
}

function addPlugin(
  plugin: Filter | Scorer | Picker,
  target: {
    readonly definition: PluginDefinition;
    readonly instance: PluginInstance;
    readonly draft: Draft;
  },
): readonly ProfileProblem[] {
  const { definition, instance, draft } = target;
  const { kind } = definition;
  const isFilter = 'keep' in plugin;
  const isScorer = 'score' in plugin;
  const isPicker = 'order' in plugin;
  if (kind === 'filter' ? !isFilter : kind === 'scorer' ? !isScorer : !isPicker) {
    return [problemOf(instance, `is no ${kind}: its "create" returned something else`)];
  }
  if (isFilter) draft.filters.push(plugin);
  if (isScorer) draft.scorers.push({ scorer: plugin, weight: instance.weight });
  if (isPicker && draft.picker !== null) {
    return [problemOf(instance, 'is a second picker; a profile has one')];
  }
  if (isPicker) draft.picker = plugin;
  return [];
}

function unknownType(type: string, registry: Registry): string {
  const nearest = registry.nearest(type);
  const hint = nearest === null ? '' : `; did you mean "${nearest}"?`;
  return `is of the unknown type "${type}"${hint}`;
}

function problemOf({ name }: PluginInstance, message: string): ProfileProblem {
  return { plugin: name, option: '', message };
}
