import { createRng } from '../../core/rng.ts';
import { BUILTIN_PLUGINS } from '../framework/builtins.ts';
import type { ProfileParts } from '../framework/create-profile.ts';
import { formatProfileProblem } from '../framework/check-profile.ts';
import { createProfile } from '../framework/create-profile.ts';
import type { ParsedOptions } from '../framework/options.ts';
import { parseOptions } from '../framework/options.ts';
import type {
  FilterDefinition,
  PickerDefinition,
  PluginContext,
  PluginDefinition,
  ProfileSpec,
  ScorerDefinition,
} from '../framework/plugin.ts';
import { PrefixMatches } from '../framework/prefix-matches.ts';
import { createRegistry } from '../framework/registry.ts';
import { LatencyModel } from '../latency/latency-model.ts';
import type { PrefixHoldings } from '../ports.ts';
import type { Profile } from '../profile.ts';
import type { Filter, Picker, Scorer } from '../types.ts';

/** An index that says what a test wants: matched blocks by slot. */
export function createFixedIndex(matched: readonly number[]): PrefixHoldings {
  return {
    blocksOf: (slot) => matched[slot] ?? 0,
    match(_blocks, members, { positions, count }, out): void {
      for (let i = 0; i < count; i += 1) {
        const position = positions[i]!;
        out[position] = matched[members[position]!] ?? 0;
      }
    },
  };
}

/** What a test says of a plugin's surroundings. */
export interface TestContext {
  readonly seed?: number;
  /** Blocks of any prompt that each slot holds. */
  readonly matched?: readonly number[];
  /** The same by assumption alone. */
  readonly assumed?: readonly number[];
  readonly latency?: LatencyModel;
}

/** A context in which the index holds what the test says. */
export function createTestContext(test: TestContext = {}): PluginContext {
  const prefixIndex = createFixedIndex(test.matched ?? []);
  const assumedIndex = createFixedIndex(test.assumed ?? []);
  const matches = new PrefixMatches(prefixIndex);
  const assumed = new PrefixMatches(assumedIndex);
  return {
    name: 'tested',
    rng: createRng(test.seed ?? 1),
    prefixIndex,
    latency: test.latency ?? new LatencyModel(),
    matches,
    matchesIn: (source) => (source === 'corrected' ? matches : assumed),
  };
}

/** Makes a filter with the options of a test, which must be right. */
export function createTestFilter(
  definition: FilterDefinition,
  options: Readonly<Record<string, unknown>> = {},
  context: PluginContext = createTestContext(),
): Filter {
  return definition.create(parseTestOptions(definition, options), context);
}

/** Makes a scorer with the options of a test, which must be right. */
export function createTestScorer(
  definition: ScorerDefinition,
  options: Readonly<Record<string, unknown>> = {},
  context: PluginContext = createTestContext(),
): Scorer {
  return definition.create(parseTestOptions(definition, options), context);
}

/** Makes a picker with the options of a test, which must be right. */
export function createTestPicker(
  definition: PickerDefinition,
  options: Readonly<Record<string, unknown>> = {},
  context: PluginContext = createTestContext(),
): Picker {
  return definition.create(parseTestOptions(definition, options), context);
}

function parseTestOptions(
  definition: PluginDefinition,
  options: Readonly<Record<string, unknown>>,
): ParsedOptions {
  const parsed = parseOptions(definition.options, options);
  if (!parsed.ok) throw new TypeError(parsed.error.map(({ message }) => message).join('; '));
  return parsed.value;
}

/** Builds a profile of built-in and given plugins that must be right. */
export function createTestProfile(
  spec: ProfileSpec,
  parts: Partial<ProfileParts> & { readonly plugins?: readonly PluginDefinition[] } = {},
): Profile {
  const { plugins = [], ...given } = parts;
  const built = createProfile(spec, {
    registry: createRegistry([...BUILTIN_PLUGINS, ...plugins]),
    rng: createRng(1),
    prefixIndex: createFixedIndex([]),
    latency: new LatencyModel(),
    openAssumed: () => createFixedIndex([]),
    onPluginFault: (name, cause) => {
      throw new TypeError(`plugin ${name} failed`, { cause });
    },
    ...given,
  });
  if (!built.ok) throw new TypeError(built.error.map(formatProfileProblem).join('; '));
  return built.value;
}
