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

/**
 * Learns from the engine's own figures how much it really keeps. An engine that lost blocks which
 * the index still held has lost whatever was used longer ago as well, so the lane's limit moves
 * half-way to the age of what was lost; figures that agree, or are better, raise it again in small
 * steps. Ages count in blocks that came to the lane since, which is what makes an engine evict.
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
    const predicted = prediction.blocks;
    const tolerated = Math.max(TOLERATED_BLOCKS, predicted >> TOLERATED_SHIFT);
    if (cachedBlocks + tolerated < predicted) {
      if (cachedBlocks < 1) missesInRow[lane] = (missesInRow[lane] as number) + 1;
      this.#lower(lane, prediction.age);
    } else if (cachedBlocks > predicted + tolerated) {
      this.#raise(lane, this.#lanes.epochBlocks(lane));
    } else if (predicted > 0) {
      this.#confirm(lane, prediction.age);
    }
  }

  #lower(lane: number, age: number): void {
    if (age < LEAST_TELLING_AGE) return;
    const { limit } = this.#lanes;
    const epochBlocks = this.#lanes.epochBlocks(lane);
    const now = limit[lane] as number;
    const target = Math.min(now, age * epochBlocks);
    limit[lane] = Math.min(now, Math.max(epochBlocks, (now + target) >> 1));
  }

  #raise(lane: number, blocks: number): void {
    const { limit, capacity } = this.#lanes;
    limit[lane] = Math.min(capacity[lane] as number, (limit[lane] as number) + blocks);
  }

  /** What is nearly as old as the limit and still cached shows that the limit may be too low. */
  #confirm(lane: number, age: number): void {
    const epochBlocks = this.#lanes.epochBlocks(lane);
    if (2 * age * epochBlocks < (this.#lanes.limit[lane] as number)) return;
    this.#raise(lane, Math.max(1, epochBlocks >> 2));
  }
}
