import type { Result } from '../../core/result.ts';
import { fail, succeed } from '../../core/result.ts';
import type { ParsedOptions } from './options.ts';
import { parseOptions } from './options.ts';
import type { PluginDefinition, PluginInstance, ProfileSpec } from './plugin.ts';
import type { Registry } from './registry.ts';

/** Why a profile cannot be used. */
export interface ProfileProblem {
  /** Place of the plugin in the specification; -1 when the profile as a whole is wrong. */
  readonly index: number;
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

/** A plugin of a profile with all that is needed to make it. */
export interface CheckedPlugin {
  readonly instance: PluginInstance;
  readonly definition: PluginDefinition;
  readonly options: ParsedOptions;
}

/** Looks up every plugin of a profile and parses its options; or all that is wrong. */
export function resolveProfile(
  spec: ProfileSpec,
  registry: Registry,
): Result<readonly CheckedPlugin[], readonly ProfileProblem[]> {
  const problems: ProfileProblem[] = [];
  const plugins: CheckedPlugin[] = [];
  const names = new Set<string>();
  let hasPicker = false;
  for (const [index, instance] of spec.plugins.entries()) {
    const { name: plugin } = instance;
    const report = (message: string): void => {
      problems.push({ index, plugin, option: '', message });
    };
    if (names.has(plugin)) report('has a name that another one has; give it a "name"');
    names.add(plugin);
    const checked = resolvePlugin(instance, registry);
    if (!checked.ok) {
      for (const problem of checked.error) problems.push({ index, plugin, ...problem });
      continue;
    }
    const isPicker = checked.value.definition.kind === 'picker';
    if (isPicker && hasPicker) report('is a second picker; a profile has one');
    hasPicker ||= isPicker;
    plugins.push(checked.value);
  }
  if (!Number.isInteger(spec.rankedCount) || spec.rankedCount < 1) {
    const message = 'rankedCount must be 1 or more';
    problems.push({ index: -1, plugin: '', option: '', message });
  }
  return problems.length > 0 ? fail(problems) : succeed(plugins);
}

/** Everything that keeps a profile from being used; nothing is made. */
export function checkProfileSpec(spec: ProfileSpec, registry: Registry): readonly ProfileProblem[] {
  const resolved = resolveProfile(spec, registry);
  return resolved.ok ? [] : resolved.error;
}

function resolvePlugin(
  instance: PluginInstance,
  registry: Registry,
): Result<CheckedPlugin, readonly { readonly option: string; readonly message: string }[]> {
  const { type, weight } = instance;
  const definition = registry.find(type);
  if (definition === null) {
    const nearest = registry.nearest(type);
    const hint = nearest === null ? '' : `; did you mean "${nearest}"?`;
    return fail([{ option: '', message: `is of the unknown type "${type}"${hint}` }]);
  }
  const options = parseOptions(definition.options, instance.options);
  if (!options.ok) return options;
  if (!(weight >= 0 && Number.isFinite(weight))) {
    return fail([{ option: '', message: 'needs a weight of 0 or more' }]);
  }
  return succeed({ instance, definition, options: options.value });
}
