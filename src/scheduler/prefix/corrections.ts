import type { PromptBlocks } from '../types.ts';
import type { Lanes } from './lanes.ts';
import type { Predictions } from './predictions.ts';

/** Blocks by which prediction and report may differ: the engine counts in blocks of its own. */
const TOLERATED_BLOCKS = 2;
/** The same as a share of the prediction, as a power of two: an eighth. */
const TOLERATED_SHIFT = 3;
/**
 * What was used an epoch ago or less may still be on its way when the next prompt asks for it: that
 * it was not cached is no sign of evictions. Two are needed for one to have passed in full.
 */
const LEAST_TELLING_AGE = 2;
/** So many predictions in a row that found nothing cached mean that nothing is ever cached. */
const MISSES_TO_MUTE = 16;
/** Weight of what was learned before, per prompt: about the last 64 count. */
const MEMORY = 1 - 1 / 64;

/**
 * Learns from the engine's own figures how much it really keeps: of the blocks that it was taken to
 * hold, the share that it had. Nothing is forgotten for a miss. An engine orders its blocks by when
 * requests end and counts answers as well, so which of them it lost cannot be told; and a prompt
 * that is sent elsewhere since its place may have lost it takes up room twice.
 */
export class Corrections {
  readonly #lanes: Lanes;
  readonly #predictions: Predictions;

  constructor(lanes: Lanes, predictions: Predictions) {
    this.#lanes = lanes;
    this.#predictions = predictions;
  }

  /** Whether the engine behind `lane` turned out to cache no prompts. */
  isMuted(lane: number): boolean {
    return (this.#lanes.missesInRow[lane] as number) >= MISSES_TO_MUTE;
  }

  /** The engine had cached `cachedBlocks` of the prompt when it began with it. */
  learn(lane: number, blocks: PromptBlocks, cachedBlocks: number): void {
    const { missesInRow } = this.#lanes;
    const prediction = this.#predictions.take(lane, blocks, blocks.count);
    if (cachedBlocks >= 1) missesInRow[lane] = 0;
    if (prediction === null || this.isMuted(lane)) return;
    const promised = prediction.blocks;
    const tolerated = Math.max(TOLERATED_BLOCKS, promised >> TOLERATED_SHIFT);
    const isMiss = cachedBlocks + tolerated < promised;
    if (isMiss && cachedBlocks < 1) missesInRow[lane] = (missesInRow[lane] as number) + 1;
    if (isMiss && prediction.age < LEAST_TELLING_AGE) return;
    this.#remember(lane, promised, isMiss ? cachedBlocks : promised);
  }

  #remember(lane: number, promisedBlocks: number, keptBlocks: number): void {
    const { promised, kept } = this.#lanes;
    promised[lane] = (promised[lane] as number) * MEMORY + promisedBlocks;
    kept[lane] = (kept[lane] as number) * MEMORY + keptBlocks;
  }
}
