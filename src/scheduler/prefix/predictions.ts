import type { PromptBlocks } from '../types.ts';

/** Words of an entry: hash low, hash high, lane and age, predicted blocks plus one. */
const ENTRY_WORDS = 4;
/** Bytes of an entry. */
export const PREDICTION_BYTES = 16;

/** What was predicted for a prompt when its lane took it. */
export interface Prediction {
  /** Leading blocks that the lane was taken to hold. */
  readonly blocks: number;
  /** Epochs since the last of them had been used. */
  readonly age: number;
}

/**
 * What the index predicted for prompts that are under way, so that the engine's own figure can be
 * compared with it. One entry per place: a newer prompt takes the place of an older one, whose
 * figure then teaches nothing.
 */
export class Predictions {
  readonly #entries: Int32Array;
  readonly #mask: number;

  /** `size` is a power of two. */
  constructor(size: number) {
    this.#entries = new Int32Array(size * ENTRY_WORDS);
    this.#mask = size - 1;
  }

  /** Bytes of the table. */
  get sizeBytes(): number {
    return this.#entries.byteLength;
  }

  /**
   * `lane` takes a prompt. If the same one is under way there already, or its beginning was taken
   * first and the rest comes now, the first prediction stands: the later one saw what the request
   * itself had brought. One that promised more than there is now is older than what was forgotten
   * since, and does not stand.
   */
  note(lane: number, blocks: PromptBlocks, prediction: Prediction): void {
    const earlier =
      this.take(lane, blocks, blocks.count) ?? this.take(lane, blocks, prediction.blocks);
    const isStanding = earlier !== null && earlier.blocks <= prediction.blocks;
    const { blocks: predicted, age } = isStanding ? earlier : prediction;
    const entries = this.#entries;
    const at = this.#placeOf(lane, blocks, blocks.count);
    entries[at] = blocks.hashes[2 * blocks.count - 2] as number;
    entries[at + 1] = blocks.hashes[2 * blocks.count - 1] as number;
    entries[at + 2] = lane | (age << 16);
    entries[at + 3] = predicted + 1;
  }

  /** Removes and returns what was predicted for the first `count` blocks; null when unknown. */
  take(lane: number, blocks: PromptBlocks, count: number): Prediction | null {
    if (count === 0) return null;
    const entries = this.#entries;
    const at = this.#placeOf(lane, blocks, count);
    const predicted = entries[at + 3] as number;
    const laneAndAge = entries[at + 2] as number;
    const isSame =
      predicted !== 0 &&
      entries[at] === ((blocks.hashes[2 * count - 2] as number) | 0) &&
      entries[at + 1] === ((blocks.hashes[2 * count - 1] as number) | 0) &&
      (laneAndAge & 0xffff) === lane;
    if (!isSame) return null;
    entries[at + 3] = 0;
    return { blocks: predicted - 1, age: laneAndAge >>> 16 };
  }

  #placeOf(lane: number, blocks: PromptBlocks, count: number): number {
    const low = blocks.hashes[2 * count - 2] as number;
    return ((low ^ Math.imul(lane, 0x9e3779b1)) & this.#mask) * ENTRY_WORDS;
  }
}
