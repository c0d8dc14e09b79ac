import type { EngineModelOptions } from '../engine/engine-model.ts';
import type { StepCosts } from '../engine/step-time.ts';

/** A model as far as serving it costs time and memory. */
interface ModelShape {
  readonly parameters: number;
  readonly layers: number;
  /** Heads times head size: the width of attention. */
  readonly attentionWidth: number;
  readonly kvBytesPerToken: number;
}

/** One accelerator, dense bfloat16. */
interface Accelerator {
  readonly flops: number;
  readonly memoryBytesPerSecond: number;
  readonly memoryBytes: number;
}

/** A named machine and model: how fast steps are and how much fits. */
export interface EngineProfile {
  readonly name: string;
  /** One sentence for help. */
  readonly summary: string;
  /** Model name served when none is given. */
  readonly model: string;
  readonly costs: StepCosts;
  readonly kvBlocks: number;
  readonly blockSizeTokens: number;
  readonly maxModelLenTokens: number;
  readonly maxNumSeqs: number;
  readonly maxNumBatchedTokens: number;
  /** Loading an adapter from storage, in milliseconds. */
  readonly adapterLoadMs: number;
  /** Host memory to accelerator. */
  readonly adapterActivateMs: number;
  readonly wakeMs: number;
  /** Accelerator's name, such as `h100`; `none` for the demo. */
  readonly accelerator: string;
  /** How many of them one engine occupies. */
  readonly accelerators: number;
  /** List price of all of them together per hour; null when none is known. */
  readonly hourlyUsd: number | null;
  /** Factors on the computed times, each 1 until a measured run says otherwise. */
  readonly calibration: Calibration;
}

/** Factors on computed times; above 1 is slower. */
export interface Calibration {
  /** Compute of prompt tokens. */
  readonly prefill: number;
  /** Reading of weights and KV cache. */
  readonly decode: number;
  /** Per step and per sequence on the host, and between accelerators. */
  readonly overhead: number;
}

/** Uncalibrated. */
export const NO_CALIBRATION: Calibration = Object.freeze({ prefill: 1, decode: 1, overhead: 1 });

// bfloat16: two bytes a parameter, plus 2 % for buffers and norms kept in wider types.
const WEIGHT_BYTES = 2 * 1.02;
// Share of peak that engines reach: prefill is bound by compute, decode by memory. Both are in the
// middle of the published ranges (model FLOPs utilisation 0.3 to 0.5, bandwidth 0.6 to 0.8).
const COMPUTE_EFFICIENCY = 0.45;
const MEMORY_EFFICIENCY = 0.7;
// vLLM's default --gpu-memory-utilization, and what activations and the runtime take beside
// weights.
const MEMORY_SHARE = 0.9;
const RUNTIME_BYTES = 2.3 * 2 ** 30;
// Sampling, detokenizing and scheduling per sequence and step on the host; compute of one decoded
// token hides behind the reading of the weights until batches far above 256.
const DECODE_SEQUENCE_MS = 0.02;
// vLLM's default block size.
const BLOCK_SIZE_TOKENS = 16;

const LLAMA_3_1_8B: ModelShape = {
  parameters: 8.03e9,
  layers: 32,
  attentionWidth: 4096,
  kvBytesPerToken: 128 * 1024,
};
const QWEN_2_5_7B: ModelShape = {
  parameters: 7.62e9,
  layers: 28,
  attentionWidth: 3584,
  kvBytesPerToken: 56 * 1024,
};

const A10G: Accelerator = { flops: 70e12, memoryBytesPerSecond: 0.6e12, memoryBytes: 24e9 };
const L4: Accelerator = { flops: 121e12, memoryBytesPerSecond: 0.3e12, memoryBytes: 24e9 };
const H100: Accelerator = { flops: 989e12, memoryBytesPerSecond: 3.35e12, memoryBytes: 80e9 };

/** Roofline of one forward pass: 2 FLOPs a parameter and token, weights and KV read once a step. */
function costsOf(model: ModelShape, accelerator: Accelerator): StepCosts {
  const flopsPerMs = (accelerator.flops * COMPUTE_EFFICIENCY) / 1000;
  const bytesPerMs = (accelerator.memoryBytesPerSecond * MEMORY_EFFICIENCY) / 1000;
  return Object.freeze({
    baseMs: (model.parameters * WEIGHT_BYTES) / bytesPerMs,
    prefillTokenMs: (2 * model.parameters) / flopsPerMs,
    prefillContextPairMs: (4 * model.layers * model.attentionWidth) / flopsPerMs,
    decodeSequenceMs: DECODE_SEQUENCE_MS,
    decodeContextTokenMs: model.kvBytesPerToken / bytesPerMs,
  });
}

function kvBlocksOf(model: ModelShape, accelerator: Accelerator): number {
  const weights = model.parameters * WEIGHT_BYTES;
  const free = accelerator.memoryBytes * MEMORY_SHARE - weights - RUNTIME_BYTES;
  return Math.floor(free / (model.kvBytesPerToken * BLOCK_SIZE_TOKENS));
}

function define(
  fields: Pick<EngineProfile, 'name' | 'summary' | 'model' | 'accelerator' | 'hourlyUsd'>,
  model: ModelShape,
  accelerator: Accelerator,
  limits: { readonly maxModelLenTokens: number; readonly maxNumBatchedTokens: number },
): EngineProfile {
  return Object.freeze({
    ...fields,
    ...limits,
    costs: costsOf(model, accelerator),
    kvBlocks: kvBlocksOf(model, accelerator),
    blockSizeTokens: BLOCK_SIZE_TOKENS,
    maxNumSeqs: 256,
    adapterLoadMs: 500,
    adapterActivateMs: 50,
    accelerators: 1,
    calibration: NO_CALIBRATION,
    // Level 1 sleep: weights come back over PCIe at about 25 GB/s.
    wakeMs: (model.parameters * WEIGHT_BYTES) / 25e6,
  });
}

/**
 * `demo` is no machine: quick enough to try things on a laptop, slow enough to see tokens arrive
 * (about 60 tokens/s a stream, 20,000 prompt tokens/s), with a KV cache that a demo can fill.
 */
const DEMO: EngineProfile = Object.freeze({
  name: 'demo',
  summary: 'no real machine: fast, for laptops and demos',
  model: 'demo-model',
  costs: Object.freeze({
    baseMs: 15,
    prefillTokenMs: 0.05,
    prefillContextPairMs: 0,
    decodeSequenceMs: 0.05,
    decodeContextTokenMs: 0.00002,
  }),
  kvBlocks: 4096,
  blockSizeTokens: BLOCK_SIZE_TOKENS,
  maxModelLenTokens: 32_768,
  maxNumSeqs: 64,
  maxNumBatchedTokens: 2048,
  adapterLoadMs: 300,
  adapterActivateMs: 30,
  wakeMs: 200,
  accelerator: 'none',
  accelerators: 1,
  hourlyUsd: null,
  calibration: NO_CALIBRATION,
});

/** Every profile, in the order help shows them. */
export const ENGINE_PROFILES: readonly EngineProfile[] = Object.freeze([
  DEMO,
  define(
    {
      name: 'a10g-7b',
      summary: 'Qwen2.5-7B on one A10G',
      model: 'Qwen/Qwen2.5-7B-Instruct',
      accelerator: 'a10g',
      hourlyUsd: 1.006,
    },
    QWEN_2_5_7B,
    A10G,
    { maxModelLenTokens: 32_768, maxNumBatchedTokens: 2048 },
  ),
  define(
    {
      name: 'l4-8b',
      summary: 'Llama 3.1 8B on one L4',
      accelerator: 'l4',
      hourlyUsd: 0.7,
      model: 'meta-llama/Llama-3.1-8B-Instruct',
    },
    LLAMA_3_1_8B,
    L4,
    { maxModelLenTokens: 8192, maxNumBatchedTokens: 2048 },
  ),
  define(
    {
      name: 'h100-8b',
      summary: 'Llama 3.1 8B on one H100',
      accelerator: 'h100',
      hourlyUsd: 3.9,
      model: 'meta-llama/Llama-3.1-8B-Instruct',
    },
    LLAMA_3_1_8B,
    H100,
    { maxModelLenTokens: 131_072, maxNumBatchedTokens: 8192 },
  ),
]);

/** The profile of that name, or null. */
export function findProfile(name: string): EngineProfile | null {
  return ENGINE_PROFILES.find((profile) => profile.name === name) ?? null;
}

// Queues of real engines have no bound; this one keeps a hopeless overload finite.
const MAX_QUEUE = 100_000;

/**
 * What an engine model needs to behave as the profile says: prefix caching on, 4 adapter slots and
 * 16 in host memory, exact stepping. `overrides` win.
 */
export function engineOptionsOf(
  profile: EngineProfile,
  overrides: Partial<EngineModelOptions> = {},
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
    },
    wakeMs: profile.wakeMs,
    maxCatchUpMs: 0,
    ...overrides,
  };
}
