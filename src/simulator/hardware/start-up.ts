/** Milliseconds of the phases from nothing to the first request, one after another. */
export interface StartUpPhases {
  /** A machine is ordered and joins the cluster. */
  readonly nodeMs: number;
  /** The container image is pulled. */
  readonly imageMs: number;
  /** The process starts and imports its libraries; nothing caches this. */
  readonly processMs: number;
  /** Weights come from the network. */
  readonly weightsMs: number;
  /** The same from a local disk. */
  readonly cachedWeightsMs: number;
  readonly compileMs: number;
  /** Compiled artefacts are read from a cache. */
  readonly cachedCompileMs: number;
  /** Memory is profiled, graphs are captured; nothing caches this. */
  readonly warmUpMs: number;
}

/** What is there already. */
export interface StartUpCaches {
  readonly node: boolean;
  readonly image: boolean;
  readonly weights: boolean;
  readonly compile: boolean;
}

// KAITO issue 2325: 284 s for a machine and 126 s until it was ready; 101 s for an image of 5.6 GB;
// 21 s of preload; 62 s for 51.75 GiB of weights.
const NODE_MS = 410_000;
const IMAGE_MS = 101_000;
const PROCESS_MS = 21_000;
const NETWORK_BYTES_PER_MS = (51.75 * 2 ** 30) / 62_000;
// 70B in bf16 (141 GB) from a local disk in 40 to 45 s (Spheron); 3.1 GiB/s.
const DISK_BYTES_PER_MS = 141e9 / 42_500;
// torch.compile: 39 s for a small model (route179), 54.7 s for 80 layers (vLLM pull request 12569);
// a line through both at 32 and 80 layers. From its cache: 4.5 s (vLLM issue 33155).
const COMPILE_MS = 28_500;
const COMPILE_LAYER_MS = 327;
const CACHED_COMPILE_MS = 4500;
// Graphs 30 s and KV warm-up 10 s for 80 layers (Spheron).
const WARM_UP_LAYER_MS = 500;

/** Phases of a model with that many bytes of weights, read by all its accelerators at once. */
export function startUpPhasesOf(weightBytes: number, layers: number): StartUpPhases {
  return Object.freeze({
    nodeMs: NODE_MS,
    imageMs: IMAGE_MS,
    processMs: PROCESS_MS,
    weightsMs: weightBytes / NETWORK_BYTES_PER_MS,
    cachedWeightsMs: weightBytes / DISK_BYTES_PER_MS,
    compileMs: COMPILE_MS + COMPILE_LAYER_MS * layers,
    cachedCompileMs: CACHED_COMPILE_MS,
    warmUpMs: WARM_UP_LAYER_MS * layers,
  });
}

/** Milliseconds until the first request can be taken, with what is cached already. */
export function startUpMs(
  profile: { readonly startUp: StartUpPhases },
  options: { readonly cached: StartUpCaches },
): number {
  const { cached } = options;
  const phases = profile.startUp;
  return (
    (cached.node ? 0 : phases.nodeMs) +
    (cached.image ? 0 : phases.imageMs) +
    phases.processMs +
    (cached.weights ? phases.cachedWeightsMs : phases.weightsMs) +
    (cached.compile ? phases.cachedCompileMs : phases.compileMs) +
    phases.warmUpMs
  );
}
