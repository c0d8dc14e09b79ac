import { WEIGHT_BYTES, type Precision } from './precision.ts';

/** Multi-head latent attention (DeepSeek): one compressed vector per token and layer is cached. */
export interface LatentAttention {
  readonly kvLoraRank: number;
  readonly ropeHeadDim: number;
  readonly nopeHeadDim: number;
  readonly valueHeadDim: number;
}

/** Experts of which a router picks some for each token. */
export interface ExpertShape {
  /** Routed experts of one layer. */
  readonly count: number;
  /** Those that a token goes through. */
  readonly active: number;
  /** Layers that have experts. */
  readonly layers: number;
  /** Parameters of one expert in one layer. */
  readonly parameters: number;
}

/** Layers whose attention sees only the last `tokens` tokens. */
export interface WindowShape {
  readonly layers: number;
  readonly tokens: number;
}

/** A model as far as serving it costs time and memory. */
export interface ModelShape {
  /** Name under which it is served, such as `meta-llama/Llama-3.1-8B-Instruct`. */
  readonly name: string;
  readonly layers: number;
  readonly hiddenSize: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly latent: LatentAttention | null;
  readonly experts: ExpertShape | null;
  readonly window: WindowShape | null;
  /** All parameters, embeddings included. */
  readonly parameters: number;
  /** Parameters that one token goes through, embeddings included. */
  readonly activeParameters: number;
  /** Input and output embeddings, which stay in bf16 when weights are quantized. */
  readonly embeddingParameters: number;
  readonly precision: Precision;
  /** What is quantized: all linear layers, or the experts only. */
  readonly quantized: 'linear' | 'experts';
  readonly maxPositionTokens: number;
}

/** Parameters of all routed experts. */
export function expertParametersOf(shape: ModelShape): number {
  const { experts } = shape;
  return experts === null ? 0 : experts.parameters * experts.count * experts.layers;
}

/** Bytes of weights: those that every token uses, and those of routed experts. */
export function weightBytesOf(shape: ModelShape): { shared: number; experts: number } {
  const bytes = WEIGHT_BYTES[shape.precision];
  const experts = expertParametersOf(shape);
  const linear = shape.parameters - experts - shape.embeddingParameters;
  const linearBytes = shape.quantized === 'linear' ? bytes : WEIGHT_BYTES.bf16;
  return {
    shared: shape.embeddingParameters * WEIGHT_BYTES.bf16 + linear * linearBytes,
    experts: experts * bytes,
  };
}

/** KV bytes that one token adds on one accelerator, by kind of layer. */
export interface KvBytes {
  readonly full: number;
  /** In layers with a sliding window, which keep their last tokens only. */
  readonly windowed: number;
}

/**
 * KV bytes of one token on each of `tensorParallel` accelerators. Tensor parallelism divides KV
 * heads until each accelerator has one and then repeats them; the latent vector of MLA is on every
 * accelerator (https://kaito-project.github.io/kaito/docs/memory-estimator).
 */
export function kvBytesOf(
  shape: ModelShape,
  options: { readonly bytesPerValue: number; readonly tensorParallel: number },
): KvBytes {
  const { latent, window } = shape;
  const values =
    latent === null
      ? 2 * Math.max(1, shape.kvHeads / options.tensorParallel) * shape.headDim
      : latent.kvLoraRank + latent.ropeHeadDim;
  const perLayer = values * options.bytesPerValue;
  const windowLayers = window === null ? 0 : window.layers;
  return { full: perLayer * (shape.layers - windowLayers), windowed: perLayer * windowLayers };
}

/** The same model with its weights in another precision. */
export function withPrecision(shape: ModelShape, precision: Precision): ModelShape {
  return precision === shape.precision ? shape : { ...shape, precision };
}
