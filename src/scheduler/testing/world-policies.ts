import { createRng } from '../../core/rng.ts';
import { BUILTIN_PLUGINS } from '../framework/builtins.ts';
import type { ProfileSpec } from '../framework/plugin.ts';
import { createRegistry } from '../framework/registry.ts';
import { PRESETS } from '../presets.ts';
import { Scheduler } from '../scheduler.ts';
import { SOONEST_SCORER } from '../scorers/soonest.ts';

const OTHERS = BUILTIN_PLUGINS.filter(({ type }) => type !== SOONEST_SCORER.type);

/** The policy under test, alone. */
export const SOONEST_PROFILE: ProfileSpec = Object.freeze({
  name: 'soonest',
  plugins: [{ type: SOONEST_SCORER.type, name: 'soonest', options: {}, weight: 1 }],
  rankedCount: 3,
});

/** Fewest requests of ours in flight. */
export const LEAST_REQUEST_PROFILE: ProfileSpec = PRESETS['least-request'];

/** Queue 2, KV cache 2, prefix 3: the default of the field's reference picker. */
export const PREFIX_AND_LOAD_PROFILE: ProfileSpec = PRESETS['llm-d-default'];

/** Any endpoint. */
export const RANDOM_PROFILE: ProfileSpec = PRESETS.random;

/** A scheduler with one profile, in which a plugin that fails ends the test. */
export function createTestScheduler(profile: ProfileSpec, seed = 7): Scheduler {
  return new Scheduler({
    profile,
    shadow: null,
    registry: createRegistry([...OTHERS, SOONEST_SCORER]),
    rng: createRng(seed),
    prefix: { maxBytes: 32 * 2 ** 20, defaultBlocksPerEndpoint: 4096 },
    onPluginFault: (name, cause) => {
      throw new TypeError(`${name} failed`, { cause });
    },
  });
}
