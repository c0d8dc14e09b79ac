import type { Accelerator } from './accelerators.ts';
import { kvBytesOf, weightBytesOf, type ModelShape } from './model-shape.ts';
import { KV_BYTES, type KvPrecision } from './precision.ts';

// Buffers and norms kept in wider types, and padding (KAITO's memory estimator).
const WEIGHT_MARGIN = 1.02;
// 1.7 GiB of activations and 0.6 GiB outside of the framework's allocator (KAITO's memory
// estimator; vLLM pull request 10511 shows 1.3 and 1.8).
const OVERHEAD_BYTES = 2.3 * 2 ** 30;
// A machine that cannot hold one such sequence is of no use (KAITO sizes for the same).
const LEAST_CONTEXT_TOKENS = 2048;

/** How a model is put on accelerators. */
export interface Placement {
  readonly accelerator: Accelerator;
  readonly tensorParallel: number;
  readonly kvPrecision: KvPrecision;
  readonly blockSizeTokens: number;
  /** Share of memory that the engine may use (vLLM `--gpu-memory-utilization`). */
  readonly memoryUtilization: number;
}

/** How a model fits. */
export interface Fit {
  /** Bytes of weights on all accelerators together, margin included. */
  readonly weightBytes: number;
  /** Blocks of the KV cache; 0 or less when nothing is left for it. */
  readonly kvBlocks: number;
  /** What is missing on each accelerator to hold one sequence of 2,048 tokens; 0 when it fits. */
  readonly missingBytes: number;
}

/**
 * Memory of each accelerator: the usable share, less the weights' part and a fixed overhead, is KV
 * cache. Layers with a sliding window keep their last tokens only; engines take them from the same
 * pool, which is spread here over a sequence of 2,048 tokens.
 */
export function fitModel(shape: ModelShape, placement: Placement): Fit {
  const { accelerator, tensorParallel, blockSizeTokens } = placement;
  const weights = weightBytesOf(shape);
  const weightBytes = (weights.shared + weights.experts) * WEIGHT_MARGIN;
  const freeBytes =
    accelerator.memoryBytes * placement.memoryUtilization -
    weightBytes / tensorParallel -
    OVERHEAD_BYTES;
  const tokenBytes = cachedTokenBytes(shape, placement);
  const kvBlocks = Math.floor(freeBytes / (tokenBytes * blockSizeTokens));
  const least = Math.min(LEAST_CONTEXT_TOKENS, shape.maxPositionTokens) * tokenBytes;
  return { weightBytes, kvBlocks, missingBytes: Math.max(0, least - freeBytes) };
}

function cachedTokenBytes(shape: ModelShape, placement: Placement): number {
  const bytes = kvBytesOf(shape, {
    bytesPerValue: KV_BYTES[placement.kvPrecision],
    tensorParallel: placement.tensorParallel,
  });
  if (shape.window === null) return bytes.full;
  const kept = Math.min(shape.window.tokens + placement.blockSizeTokens, LEAST_CONTEXT_TOKENS);
  // A model of windowed layers only would otherwise seem to need next to nothing.
  return Math.max(bytes.full, 1) + (bytes.windowed * kept) / LEAST_CONTEXT_TOKENS;
}

/** Tensor-parallel sizes that engines offer on one machine and that divide the model's heads. */
export function possibleParallelism(shape: ModelShape): readonly number[] {
  return [1, 2, 4, 8, 16].filter((size) => shape.heads % size === 0);
}
