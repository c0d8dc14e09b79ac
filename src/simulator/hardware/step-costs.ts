import { createStepCosts, type StepCosts } from '../engine/step-time.ts';
import type { Accelerator } from './accelerators.ts';
import { expertParametersOf, kvBytesOf, weightBytesOf, type ModelShape } from './model-shape.ts';
import { KV_BYTES, type KvPrecision, type Precision } from './precision.ts';

/** Share of a data sheet's peak that kernels reach, each above 0 and up to 1. */
export interface Efficiency {
  /** Dense matrix products and attention of prompts. */
  readonly compute: number;
  /** Products of experts. */
  readonly expertCompute: number;
  /** Reading weights and KV cache. */
  readonly memory: number;
}

/**
 * Compute: published utilisations are 0.3 to 0.5 of dense peak. Experts: their products are many
 * and small, so that tiles are half empty, and 4-bit weights are widened on the way; 0.18 puts the
 * published throughputs of four such models within 30 % (published-throughput.ts), the only
 * constant chosen with them in view. Memory: published 0.6 to 0.8; 0.75 gives the 7 ms between
 * tokens that engines reach with Llama 3.1 8B in bf16 on an H100 (floor 4.8 ms, host 1.2 ms).
 */
export const TYPICAL_EFFICIENCY: Efficiency = Object.freeze({
  compute: 0.45,
  expertCompute: 0.18,
  memory: 0.75,
});

/** Peaks themselves: for floors, which nothing can beat. */
export const FULL_EFFICIENCY: Efficiency = Object.freeze({
  compute: 1,
  expertCompute: 1,
  memory: 1,
});

// Scheduling, sampling and streaming that do not hide behind the accelerator, with the scheduler in
// a process of its own (vLLM V1): about 1 ms a step and 10 microseconds a sequence. Kernels of one
// layer follow each other with about 5 microseconds in all between them when they are replayed as
// a graph. Estimates; `calibration.overhead` corrects them.
const STEP_HOST_MS = 1;
const LAYER_GAP_MS = 0.005;
const SEQUENCE_HOST_MS = 0.01;
// One after attention and one after the feed-forward part (Megatron-LM, arXiv 1909.08053).
const ALL_REDUCES_PER_LAYER = 2;
const ACTIVATION_BYTES = 2;

/** What a model runs on and how. */
export interface Machine {
  readonly accelerator: Accelerator;
  readonly tensorParallel: number;
  readonly kvPrecision: KvPrecision;
  readonly efficiency: Efficiency;
}

/**
 * Times of the parts of a step from a roofline: 2 operations a parameter and token, 4 a head
 * dimension and token pair in attention, weights read once a step, the KV of its context once a
 * decoded token, and a ring all-reduce of 2 (n - 1) / n of the activations twice a layer. Products
 * run in the weights' format where the accelerator has a unit for it, else in bf16; attention
 * always in bf16.
 */
export function stepCostsOf(shape: ModelShape, machine: Machine): StepCosts {
  const { accelerator, tensorParallel, efficiency } = machine;
  const exchangeBytes =
    ALL_REDUCES_PER_LAYER *
    shape.layers *
    shape.hiddenSize *
    ACTIVATION_BYTES *
    ((2 * (tensorParallel - 1)) / tensorParallel);
  const exchangeMs =
    tensorParallel === 1 ? 0 : ALL_REDUCES_PER_LAYER * shape.layers * accelerator.linkLatencyMs;
  const tokenMs = linearTokenMs(shape, machine);
  const bytesPerMs = (accelerator.memoryBytesPerSecond * efficiency.memory) / 1000;
  const weights = weightBytesOf(shape);
  const { experts } = shape;
  return createStepCosts({
    baseMs: STEP_HOST_MS + LAYER_GAP_MS * shape.layers + exchangeMs,
    weightsMs: weights.shared / tensorParallel / bytesPerMs,
    expertsMs: weights.experts / tensorParallel / bytesPerMs,
    expertMissShare: experts === null ? 0 : 1 - experts.active / experts.count,
    prefillTokenMs: tokenMs,
    decodeTokenMs: tokenMs,
    ...attentionCosts(shape, machine),
    decodeSequenceMs: SEQUENCE_HOST_MS,
    exchangeTokenMs: (exchangeBytes / accelerator.linkBytesPerSecond) * 1000,
    windowTokens: shape.window?.tokens ?? 0,
  });
}

function linearTokenMs(shape: ModelShape, machine: Machine): number {
  const { accelerator, tensorParallel, efficiency } = machine;
  const { experts } = shape;
  const active =
    experts === null ? 0 : (expertParametersOf(shape) * experts.active) / experts.count;
  const dense = shape.activeParameters - active;
  const expertFlops = flopsOf(accelerator, shape.precision);
  const denseFlops = shape.quantized === 'linear' ? expertFlops : accelerator.bf16Flops;
  const seconds =
    (2 * dense) / (denseFlops * efficiency.compute) +
    (2 * active) / (expertFlops * efficiency.expertCompute);
  return (seconds / tensorParallel) * 1000;
}

type AttentionCosts = Pick<
  StepCosts,
  | 'prefillContextPairMs'
  | 'prefillWindowPairMs'
  | 'prefillContextTokenMs'
  | 'decodeContextTokenMs'
  | 'decodeWindowTokenMs'
>;

function attentionCosts(shape: ModelShape, machine: Machine): AttentionCosts {
  const { accelerator, tensorParallel, efficiency } = machine;
  const flopsPerMs = (accelerator.bf16Flops * efficiency.compute) / 1000;
  const bytesPerMs = (accelerator.memoryBytesPerSecond * efficiency.memory) / 1000;
  const kv = kvBytesOf(shape, { bytesPerValue: KV_BYTES[machine.kvPrecision], tensorParallel });
  const layers = { windowed: shape.window?.layers ?? 0, full: 0 };
  layers.full = shape.layers - layers.windowed;
  const heads = shape.heads / tensorParallel;
  const prefillMs = (prefillPairOperations(shape) * heads) / flopsPerMs;
  const decodeMs = (decodePairOperations(shape) * heads) / flopsPerMs;
  return {
    prefillContextPairMs: prefillMs * layers.full,
    prefillWindowPairMs: prefillMs * layers.windowed,
    prefillContextTokenMs: kv.full / bytesPerMs,
    decodeContextTokenMs: Math.max(kv.full / bytesPerMs, decodeMs * layers.full),
    decodeWindowTokenMs: Math.max(kv.windowed / bytesPerMs, decodeMs * layers.windowed),
  };
}

/** Operations of one head in one layer for a token and a token it attends to, in a prompt. */
function prefillPairOperations(shape: ModelShape): number {
  const { latent } = shape;
  if (latent === null) return 4 * shape.headDim;
  return 2 * (latent.nopeHeadDim + latent.ropeHeadDim + latent.valueHeadDim);
}

/** The same for a decoded token: MLA works on the latent vectors then (arXiv 2405.04434, 2.1.2). */
function decodePairOperations(shape: ModelShape): number {
  const { latent } = shape;
  if (latent === null) return 4 * shape.headDim;
  return 2 * (2 * latent.kvLoraRank + latent.ropeHeadDim);
}

function flopsOf(accelerator: Accelerator, precision: Precision): number {
  const { bf16Flops, fp8Flops, fp4Flops } = accelerator;
  switch (precision) {
    case 'fp8':
    case 'int8':
      return fp8Flops ?? bf16Flops;
    case 'mxfp4':
    case 'nvfp4':
      return fp4Flops ?? bf16Flops;
    case 'bf16':
    case 'int4':
      // 4-bit integers are widened before the product.
      return bf16Flops;
  }
}
