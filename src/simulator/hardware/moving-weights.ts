import type { Accelerator } from './accelerators.ts';
import type { ModelShape } from './model-shape.ts';
import type { StartUpPhases } from './start-up.ts';

// vLLM's default --max-lora-rank.
const ADAPTER_RANK = 16;
const ADAPTER_BYTES = 2;
// Query, key, value, output, gate, up and down, two matrices each, are copied one by one.
const ADAPTER_COPIES_PER_LAYER = 14;
const COPY_MS = 0.01;
// Finding, opening and parsing an adapter's files; no published figure, an estimate.
const ADAPTER_OPEN_MS = 350;
// Network storage as in start-up.ts: 51.75 GiB in 62 s.
const STORAGE_BYTES_PER_MS = (51.75 * 2 ** 30) / 62_000;
// Unmapping, mapping and resuming beside the copy: vLLM's sleep-mode figures begin at 0.1 s.
const WAKE_MS = 100;

/** Times of bringing weights back and adapters in, in milliseconds. */
export interface MovingTimes {
  readonly adapterLoadMs: number;
  readonly adapterActivateMs: number;
  readonly wakeMs: number;
  readonly deepWakeMs: number;
}

/**
 * Adapters of rank 16 on all linear layers outside of experts: from network storage into host
 * memory, and from there over the host link. Waking copies the weights of each accelerator over
 * its own link (level 1), or reads them from the local disk (level 2): vLLM's blog of 2025-10-26
 * has 0.1 to 6 s and 0.8 to 2.6 s for models of up to 235B and 4B parameters.
 */
export function movingTimesOf(
  shape: ModelShape,
  machine: {
    readonly accelerator: Accelerator;
    readonly tensorParallel: number;
    readonly weightBytes: number;
    readonly startUp: StartUpPhases;
  },
): MovingTimes {
  const hostBytesPerMs = machine.accelerator.hostBytesPerSecond / 1000;
  const bytes = adapterBytesOf(shape);
  const copyMs = (ADAPTER_COPIES_PER_LAYER * shape.layers * COPY_MS) / machine.tensorParallel;
  const activateMs = bytes / hostBytesPerMs + copyMs;
  return {
    adapterLoadMs: ADAPTER_OPEN_MS + bytes / STORAGE_BYTES_PER_MS + activateMs,
    adapterActivateMs: activateMs,
    wakeMs: WAKE_MS + machine.weightBytes / machine.tensorParallel / hostBytesPerMs,
    deepWakeMs: WAKE_MS + machine.startUp.cachedWeightsMs,
  };
}

/** Bytes of one adapter: rank times inputs plus outputs of every matrix it changes. */
function adapterBytesOf(shape: ModelShape): number {
  const { hiddenSize, heads, kvHeads, headDim, layers } = shape;
  const attention = 4 * hiddenSize + 2 * headDim * (heads + kvHeads);
  const attentionParameters = 2 * hiddenSize * headDim * (heads + kvHeads);
  const perLayer = (shape.parameters - shape.embeddingParameters) / layers;
  const isDense = shape.experts === null;
  const width = isDense ? Math.max(0, perLayer - attentionParameters) / (3 * hiddenSize) : 0;
  const feedForward = isDense ? 3 * (hiddenSize + width) : 0;
  return ADAPTER_RANK * layers * (attention + feedForward) * ADAPTER_BYTES;
}
