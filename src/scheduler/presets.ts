import { findNearest } from '../core/nearest.ts';
import type { PluginInstance, ProfileSpec } from './framework/plugin.ts';

/** Policies that a configuration may name. */
export type PresetName =
  | 'soonest'
  | 'least-work'
  | 'round-robin'
  | 'random'
  | 'least-request'
  | 'power-of-two'
  | 'session'
  | 'consistent-hash'
  | 'prefix-hash'
  | 'llm-d-default'
  | 'llm-d-precise'
  | 'llm-d-affinity'
  | 'kserve-default'
  | 'sglang-cache-aware'
  | 'dynamo-kv';

/** The first choice and two fallbacks. */
export const DEFAULT_RANKED_COUNT = 3;

/** What is used when nothing is configured. */
export const DEFAULT_PRESET: PresetName = 'soonest';

function preset(name: PresetName, plugins: readonly PluginInstance[]): ProfileSpec {
  return Object.freeze({ name, plugins, rankedCount: DEFAULT_RANKED_COUNT });
}

function plugin(type: string, weight = 1): PluginInstance {
  return Object.freeze({ type, name: type, options: {}, weight });
}

/** A plugin that knows no more of caches than what was sent there, as in the system it is from. */
function assuming(type: string, weight = 1): PluginInstance {
  return Object.freeze({ type, name: type, options: { holdings: 'assumed' }, weight });
}

/**
 * Policies by name, ours and those of other systems, for comparison and migration. Weights of
 * llm-d are its built-in default and its optimized-baseline guide (August 2026), those of KServe
 * its LLMInferenceService scheduler template, which adds lora-affinity for services with adapters.
 * Both assume that caches hold what was sent there, as does SGLang's router. llm-d's precise picker
 * follows KV events of the engines, for which Penstock's corrected index stands in, as it does for
 * Dynamo's; its weights are those of llm-d's measurements of September 2025 (llm-d.ai/blog/
 * kvcache-wins-you-can-see), the same as of the default.
 */
export const PRESETS: Readonly<Record<PresetName, ProfileSpec>> = Object.freeze({
  soonest: preset('soonest', [plugin('soonest')]),
  // Work above all, then a resident adapter, as loading one costs seconds; KV-cache headroom
  // decides only where the work is about equal.
  'least-work': preset('least-work', [
    plugin('predicted-work', 4),
    plugin('adapter-residency', 2),
    plugin('kv-cache-headroom', 1),
  ]),
  'round-robin': preset('round-robin', [plugin('round-robin')]),
  random: preset('random', [plugin('random-picker')]),
  'least-request': preset('least-request', [plugin('active-request-scorer')]),
  'power-of-two': preset('power-of-two', [plugin('active-request-scorer'), plugin('power-of-two')]),
  // The session outweighs load; load places new sessions and orders the fallbacks.
  session: preset('session', [
    plugin('session-affinity-scorer', 2),
    plugin('active-request-scorer', 1),
  ]),
  'consistent-hash': preset('consistent-hash', [
    plugin('consistent-hash', 1000),
    plugin('active-request-scorer', 1),
  ]),
  'prefix-hash': preset('prefix-hash', [
    plugin('prefix-hash', 1000),
    plugin('active-request-scorer', 1),
  ]),
  'llm-d-default': preset('llm-d-default', [
    plugin('queue-scorer', 2),
    plugin('kv-cache-utilization-scorer', 2),
    assuming('prefix-cache-scorer', 3),
    plugin('max-score-picker'),
  ]),
  'llm-d-precise': preset('llm-d-precise', [
    plugin('queue-scorer', 2),
    plugin('kv-cache-utilization-scorer', 2),
    plugin('prefix-cache-scorer', 3),
    plugin('max-score-picker'),
  ]),
  'llm-d-affinity': preset('llm-d-affinity', [
    assuming('prefix-cache-affinity-filter'),
    assuming('token-load-scorer'),
    plugin('max-score-picker'),
  ]),
  'kserve-default': preset('kserve-default', [
    plugin('queue-scorer', 2),
    plugin('kv-cache-utilization-scorer', 2),
    assuming('prefix-cache-scorer', 3),
    assuming('no-hit-lru-scorer', 2),
    plugin('lora-affinity-scorer', 4),
    plugin('max-score-picker'),
  ]),
  'sglang-cache-aware': preset('sglang-cache-aware', [assuming('sglang-cache-aware')]),
  'dynamo-kv': preset('dynamo-kv', [plugin('dynamo-kv')]),
});

/** What each preset does, for the reference page. */
export const PRESET_SUMMARIES: Readonly<Record<PresetName, string>> = Object.freeze({
  soonest: 'The endpoint predicted to answer soonest, the delay inflicted on others included.',
  'least-work': 'The fewest tokens ahead, then a resident adapter, then free KV cache.',
  'round-robin': 'Endpoints by turns.',
  random: 'Any endpoint.',
  'least-request': 'The fewest requests of ours in flight.',
  'power-of-two': 'The one with fewer requests of ours of two random endpoints.',
  session: 'The endpoint of the client’s session token, else the fewest requests in flight.',
  'consistent-hash': 'The same endpoint for the same `x-session-id`, with bounded loads.',
  'prefix-hash': 'The same endpoint for prompts that begin alike, with bounded loads.',
  'llm-d-default': 'The default of llm-d’s endpoint picker: queue 2, KV cache 2, prefix 3.',
  'llm-d-precise': 'The same weights over the index that engines’ reports correct, for KV events.',
  'llm-d-affinity': 'llm-d’s optimized-baseline guide: sticks to who holds the prompt, else load.',
  'kserve-default': 'What KServe gives an LLMInferenceService: queue, KV cache, prefix, LRU, LoRA.',
  'sglang-cache-aware': 'The `cache_aware` policy of SGLang’s router, with its defaults.',
  'dynamo-kv': 'The worker selection of NVIDIA Dynamo’s router in `kv` mode, with its defaults.',
});

/** Names of the presets, in the order of the reference page. */
export const PRESET_NAMES: readonly PresetName[] = Object.freeze(
  Object.keys(PRESETS) as PresetName[],
);

/** The preset of that name, or null. */
export function findPreset(name: string): ProfileSpec | null {
  return Object.hasOwn(PRESETS, name) ? PRESETS[name as PresetName] : null;
}

/** What to say of a name that is no preset. */
export function describeUnknownPreset(name: string): string {
  const nearest = findNearest(name, PRESET_NAMES);
  const hint =
    nearest === null ? `presets are ${PRESET_NAMES.join(', ')}` : `did you mean "${nearest}"?`;
  return `"${name}" is no preset; ${hint}`;
}
