import type { StepCosts } from './step-time.ts';

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
  readonly wakeMs: number;
}

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
  fields: Pick<EngineProfile, 'name' | 'summary' | 'model'>,
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
  wakeMs: 200,
});

/** Every profile, in the order help shows them. */
export const ENGINE_PROFILES: readonly EngineProfile[] = Object.freeze([
  DEMO,
  define(
    { name: 'a10g-7b', summary: 'Qwen2.5-7B on one A10G', model: 'Qwen/Qwen2.5-7B-Instruct' },
    QWEN_2_5_7B,
    A10G,
    { maxModelLenTokens: 32_768, maxNumBatchedTokens: 2048 },
  ),
  define(
    {
      name: 'l4-8b',
      summary: 'Llama 3.1 8B on one L4',
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
