import { must } from '../../core/assert.ts';
import type { AdapterOptions } from '../engine/adapter-store.ts';
import type { EngineModelOptions } from '../engine/engine-model.ts';
import { createStepCosts, type Calibration, type StepCosts } from '../engine/step-time.ts';
import { createProfile, NO_CALIBRATION, type ProfileOptions } from './create-profile.ts';
import { findModelShape } from './models.ts';
import type { Precision } from './precision.ts';
import type { StartUpPhases } from './start-up.ts';

/** A named machine and model: how fast steps are and how much fits. Times in milliseconds. */
export interface EngineProfile {
  readonly name: string;
  /** Other names that find it. */
  readonly aliases: readonly string[];
  /** One sentence for help. */
  readonly summary: string;
  /** Model name served when none is given. */
  readonly model: string;
  readonly precision: Precision;
  /** Accelerator's name, such as `h100`; `none` for the demo. */
  readonly accelerator: string;
  /** How many of them one engine occupies. */
  readonly accelerators: number;
  /** List price of all of them together per hour; null when none is known. */
  readonly hourlyUsd: number | null;
  readonly costs: StepCosts;
  /** Factors that `costs` contains already. */
  readonly calibration: Calibration;
  readonly kvBlocks: number;
  readonly blockSizeTokens: number;
  /** Bytes of weights on all accelerators together. */
  readonly weightBytes: number;
  readonly maxModelLenTokens: number;
  readonly maxNumSeqs: number;
  readonly maxNumBatchedTokens: number;
  /** Loading an adapter from storage. */
  readonly adapterLoadMs: number;
  /** Host memory to accelerator. */
  readonly adapterActivateMs: number;
  /** From `wake` to the first step after a sleep of level 1, weights in host memory. */
  readonly wakeMs: number;
  /** The same after level 2, weights on disk. */
  readonly deepWakeMs: number;
  readonly startUp: StartUpPhases;
}

/**
 * `demo` is no machine: quick enough to try things on a laptop, slow enough to see tokens arrive
 * (about 60 tokens/s a stream, 20,000 prompt tokens/s), with a KV cache that a demo can fill.
 */
const DEMO: EngineProfile = Object.freeze({
  name: 'demo',
  aliases: [],
  summary: 'no real machine: fast, for laptops and demos',
  model: 'demo-model',
  precision: 'bf16',
  accelerator: 'none',
  accelerators: 1,
  hourlyUsd: null,
  costs: createStepCosts({
    baseMs: 15,
    prefillTokenMs: 0.05,
    decodeSequenceMs: 0.05,
    decodeContextTokenMs: 0.00002,
  }),
  calibration: NO_CALIBRATION,
  kvBlocks: 4096,
  blockSizeTokens: 16,
  weightBytes: 0,
  maxModelLenTokens: 32_768,
  maxNumSeqs: 64,
  maxNumBatchedTokens: 2048,
  adapterLoadMs: 300,
  adapterActivateMs: 30,
  wakeMs: 200,
  deepWakeMs: 1000,
  startUp: Object.freeze({
    nodeMs: 0,
    imageMs: 0,
    processMs: 1000,
    weightsMs: 1000,
    cachedWeightsMs: 200,
    compileMs: 1000,
    cachedCompileMs: 100,
    warmUpMs: 500,
  }),
});

function define(model: string, accelerator: string, options: ProfileOptions): EngineProfile {
  const shape = must(findModelShape(model), `model ${model}`);
  const made = createProfile(shape, accelerator, options);
  return must(made.ok ? made.value : null, `profile of ${model} on ${accelerator}`);
}

const LLAMA_8B = 'Llama-3.1-8B-Instruct';
const LLAMA_70B = 'Llama-3.3-70B-Instruct';

/** Every profile, in the order help shows them. */
export const ENGINE_PROFILES: readonly EngineProfile[] = Object.freeze([
  DEMO,
  define('Qwen2.5-7B-Instruct', 'a10g', { name: 'a10g-qwen2.5-7b', aliases: ['a10g-7b'] }),
  define(LLAMA_8B, 'l4', {
    name: 'l4-llama-3.1-8b',
    aliases: ['l4-8b'],
    maxModelLenTokens: 8192,
  }),
  define(LLAMA_8B, 'a100-40', { name: 'a100-40-llama-3.1-8b' }),
  define(LLAMA_8B, 'a100-80', { name: 'a100-80-llama-3.1-8b' }),
  define(LLAMA_8B, 'h100', { name: 'h100-llama-3.1-8b', aliases: ['h100-8b'] }),
  define(LLAMA_70B, 'h100', {
    name: 'h100x2-llama-3.3-70b-fp8',
    precision: 'fp8',
    tensorParallel: 2,
  }),
  define(LLAMA_70B, 'l4', { name: 'l4x8-llama-3.3-70b', tensorParallel: 8 }),
  define(LLAMA_70B, 'l4', {
    name: 'l4x8-llama-3.3-70b-fp8',
    precision: 'fp8',
    tensorParallel: 8,
  }),
  define('Qwen3-32B', 'h100', { name: 'h100x2-qwen3-32b', tensorParallel: 2 }),
  // One H100 is a tight fit: vLLM's recipe for it has these two settings.
  define('gpt-oss-120b', 'h100', {
    name: 'h100-gpt-oss-120b',
    memoryUtilization: 0.95,
    maxNumBatchedTokens: 1024,
  }),
  define('DeepSeek-R1', 'h200', { name: 'h200x8-deepseek-r1', tensorParallel: 8 }),
]);

/** Every name that `findProfile` knows, aliases after their own names. */
export const PROFILE_NAMES: readonly string[] = Object.freeze(
  ENGINE_PROFILES.flatMap(({ name, aliases }) => [name, ...aliases]),
);

/** The profile of that name or alias, or null. */
export function findProfile(name: string): EngineProfile | null {
  const isMeant = (profile: EngineProfile): boolean =>
    profile.name === name || profile.aliases.includes(name);
  return ENGINE_PROFILES.find(isMeant) ?? null;
}

// Queues of real engines have no bound; this one keeps a hopeless overload finite.
const MAX_QUEUE = 100_000;

/** Engine settings in place of a profile's; of those of adapters, too, only some may be given. */
export type EngineOverrides = Partial<Omit<EngineModelOptions, 'adapters'>> & {
  readonly adapters?: Partial<AdapterOptions>;
};

/**
 * What an engine model needs to behave as the profile says: prefix caching on, 4 adapter slots and
 * 16 in host memory, exact stepping. `overrides` win.
 */
export function engineOptionsOf(
  profile: EngineProfile,
  { adapters, ...overrides }: EngineOverrides = {},
): EngineModelOptions {
  return {
    costs: profile.costs,
    kvBlocks: profile.kvBlocks,
    blockSizeTokens: profile.blockSizeTokens,
    maxModelLenTokens: profile.maxModelLenTokens,
    maxNumSeqs: profile.maxNumSeqs,
    maxNumBatchedTokens: profile.maxNumBatchedTokens,
    maxQueue: MAX_QUEUE,
    isPrefixCaching: true,
    adapters: {
      slots: 4,
      cpuSlots: 16,
      loadMs: profile.adapterLoadMs,
      activateMs: profile.adapterActivateMs,
      ...adapters,
    },
    wakeMs: profile.wakeMs,
    deepWakeMs: profile.deepWakeMs,
    maxCatchUpMs: 0,
    ...overrides,
  };
}
