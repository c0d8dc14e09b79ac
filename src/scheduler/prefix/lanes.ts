import { CELL_SHIFT, EPOCH_MASK, EPOCH_SHIFT, NEWER, OLDER, STATE, type Cells } from './cells.ts';

/** Slots that an index can tell apart: 0 to this, exclusive. */
export const SLOT_COUNT = 65_536;
/** Lanes that an index can have: lane 0 stands for none, and the last number for a vacant place. */
export const MAX_LANES = 65_534;
/** Bytes that one more lane takes. */
export const LANE_BYTES = 43;
/** The largest capacity in blocks; larger ones are taken for this. */
const MAX_CAPACITY = 2 ** 30;
/** Blocks that a new lane counts as having been right about. */
const TRUSTED_BLOCKS = 256;
/** Epochs in which as many blocks are added to a lane as it may hold. */
const EPOCHS_PER_CAPACITY = 32;

/**
 * The lanes: what the index keeps per endpoint. A slot has one lane at a time; clearing a slot
 * gives it another and retires the old one, which is then emptied bit by bit. Each lane orders its
 * records by use, in a list through their cells.
 *
 *     newest ─► [record] ─older─► [record] ─older─► [record] ◄─ oldest
 *
 * Only the oldest record can be partial: held up to `partialLength` blocks of its run.
 */
export class Lanes {
  readonly #words: Int32Array;
  readonly #laneOfSlot = new Uint16Array(SLOT_COUNT);
  readonly #newest: Int32Array;
  readonly #free: Uint16Array;
  readonly #retired: Uint16Array;
  readonly #isRetired: Uint8Array;
  readonly #epoch: Uint8Array;
  readonly #addedInEpoch: Int32Array;
  readonly #defaultCapacity: number;
  #freeLaneCount = 0;
  #retiredCount = 0;
  #highest = 0;
  /** The record of each lane that was not used for longest; 0 when it holds nothing. */
  readonly oldest: Int32Array;
  /** Blocks that each lane holds. */
  readonly held: Int32Array;
  /** The run that the oldest record holds in part; 0 when it is whole. */
  readonly partialRun: Int32Array;
  /** Blocks of that run that are held. */
  readonly partialLength: Int32Array;
  /** Blocks that the engine's cache has room for. */
  readonly capacity: Int32Array;
  /** Blocks that the lane was lately taken to hold when prompts asked for them; fades. */
  readonly promised: Float32Array;
  /** Of those, the ones that the engine had cached. */
  readonly kept: Float32Array;
  /** Predictions in a row of which the engine had cached nothing. */
  readonly missesInRow: Uint8Array;

  /** Room for lanes 1 to `laneCount`. */
  constructor(cells: Cells, laneCount: number, defaultCapacity: number) {
    this.#words = cells.words;
    this.#defaultCapacity = clampCapacity(defaultCapacity);
    const size = laneCount + 1;
    this.#newest = new Int32Array(size);
    this.#free = new Uint16Array(size);
    this.#retired = new Uint16Array(size);
    this.#isRetired = new Uint8Array(size);
    this.#epoch = new Uint8Array(size);
    this.#addedInEpoch = new Int32Array(size);
    this.oldest = new Int32Array(size);
    this.held = new Int32Array(size);
    this.partialRun = new Int32Array(size);
    this.partialLength = new Int32Array(size);
    this.capacity = new Int32Array(size);
    this.promised = new Float32Array(size);
    this.kept = new Float32Array(size);
    this.missesInRow = new Uint8Array(size);
  }

  /** The lane with the highest number that was ever used. */
  get highest(): number {
    return this.#highest;
  }

  /** Blocks held by all lanes but the retired ones. */
  get heldByAll(): number {
    let sum = 0;
    for (let lane = 1; lane <= this.#highest; lane += 1) {
      if (this.#isRetired[lane] === 0) sum += this.held[lane] as number;
    }
    return sum;
  }

  /** The lane of `slot`, or 0 when it has none. */
  find(slot: number): number {
    return this.#laneOfSlot[slot] ?? 0;
  }

  /** The lane of `slot`, a new one if need be; 0 when there is no lane left. */
  obtain(slot: number): number {
    const lane = this.find(slot);
    if (lane !== 0 || slot < 0 || slot >= SLOT_COUNT) return lane;
    return this.#assign(slot, this.#defaultCapacity);
  }

  /** Gives `slot` an empty lane with the same capacity; false when there is no lane left. */
  replace(slot: number): boolean {
    const old = this.find(slot);
    const capacity = this.capacity[old] as number;
    if (this.#assign(slot, capacity) === 0) return false;
    this.#isRetired[old] = 1;
    this.#retired[this.#retiredCount] = old;
    this.#retiredCount += 1;
    return true;
  }

  /** A retired lane that still has to be emptied, or 0. */
  get retired(): number {
    return this.#retiredCount === 0 ? 0 : (this.#retired[this.#retiredCount - 1] as number);
  }

  /** The lane that `retired` gave is empty and may be used again. */
  releaseRetired(): void {
    const lane = this.retired;
    this.#retiredCount -= 1;
    this.#free[this.#freeLaneCount] = lane;
    this.#freeLaneCount += 1;
  }

  /** The lane that holds most blocks; 0 when none holds any. */
  findLargest(): number {
    const { held } = this;
    let largest = 0;
    for (let lane = 1; lane <= this.#highest; lane += 1) {
      if ((held[lane] as number) > (held[largest] as number)) largest = lane;
    }
    return largest;
  }

  /** Forgets what was learned of how much the engine really keeps. */
  resetLearned(lane: number): void {
    this.promised[lane] = TRUSTED_BLOCKS;
    this.kept[lane] = TRUSTED_BLOCKS;
    this.missesInRow[lane] = 0;
  }

  /** Sets how many blocks the engine's cache has room for. */
  setCapacity(lane: number, blocks: number): void {
    this.capacity[lane] = clampCapacity(blocks);
  }

  /** Share of what the lane holds that its engine turned out to have, 0 to 1. */
  trustOf(lane: number): number {
    return (this.kept[lane] as number) / (this.promised[lane] as number);
  }

  /** Blocks added per epoch of `lane`. */
  epochBlocks(lane: number): number {
    return Math.max(1, Math.floor((this.capacity[lane] as number) / EPOCHS_PER_CAPACITY));
  }

  /** Counts blocks that are new to `lane`, which is what its epochs are measured in. */
  noteAdded(lane: number, blocks: number): void {
    const size = this.epochBlocks(lane);
    const added = (this.#addedInEpoch[lane] as number) + blocks;
    const epochs = Math.floor(added / size);
    this.#addedInEpoch[lane] = added - epochs * size;
    this.#epoch[lane] = ((this.#epoch[lane] as number) + epochs) & EPOCH_MASK;
  }

  /** The present epoch of `lane`, from 0 to `EPOCH_MASK` and around. */
  epochOf(lane: number): number {
    return this.#epoch[lane] as number;
  }

  /** Epochs that have passed since `epoch`, as far as the count goes. */
  epochsSince(lane: number, epoch: number): number {
    return ((this.#epoch[lane] as number) - epoch) & EPOCH_MASK;
  }

  /** Epochs since `record` was used. */
  ageOf(lane: number, record: number): number {
    const state = this.#words[(record << CELL_SHIFT) + STATE] as number;
    return this.epochsSince(lane, state >>> EPOCH_SHIFT);
  }

  /** Makes `record`, which is in no list, the lane's newest. */
  pushNewest(lane: number, record: number): void {
    const words = this.#words;
    const base = record << CELL_SHIFT;
    const newest = this.#newest[lane] as number;
    this.#stamp(lane, base);
    words[base + NEWER] = 0;
    words[base + OLDER] = newest;
    if (newest === 0) this.oldest[lane] = record;
    else words[(newest << CELL_SHIFT) + NEWER] = record;
    this.#newest[lane] = record;
  }

  /** Makes `record` the lane's newest. */
  moveToNewest(lane: number, record: number): void {
    if (this.#newest[lane] === record) {
      this.#stamp(lane, record << CELL_SHIFT);
      return;
    }
    this.unlink(lane, record);
    this.pushNewest(lane, record);
  }

  /** Puts `record`, which is in no list, right behind `newer`, as if used together with it. */
  insertBehind(lane: number, newer: number, record: number): void {
    const words = this.#words;
    const base = record << CELL_SHIFT;
    const newerBase = newer << CELL_SHIFT;
    const older = words[newerBase + OLDER] as number;
    words[base + NEWER] = newer;
    words[base + OLDER] = older;
    words[newerBase + OLDER] = record;
    if (older === 0) this.oldest[lane] = record;
    else words[(older << CELL_SHIFT) + NEWER] = record;
    const epoch = (words[newerBase + STATE] as number) & (EPOCH_MASK << EPOCH_SHIFT);
    const state = (words[base + STATE] as number) & ~(EPOCH_MASK << EPOCH_SHIFT);
    words[base + STATE] = state | epoch;
  }

  /** Takes `record` out of the lane's list. */
  unlink(lane: number, record: number): void {
    const words = this.#words;
    const base = record << CELL_SHIFT;
    const newer = words[base + NEWER] as number;
    const older = words[base + OLDER] as number;
    if (newer === 0) this.#newest[lane] = older;
    else words[(newer << CELL_SHIFT) + OLDER] = older;
    if (older === 0) this.oldest[lane] = newer;
    else words[(older << CELL_SHIFT) + NEWER] = newer;
  }

  #stamp(lane: number, base: number): void {
    const words = this.#words;
    const state = (words[base + STATE] as number) & ~(EPOCH_MASK << EPOCH_SHIFT);
    words[base + STATE] = state | ((this.#epoch[lane] as number) << EPOCH_SHIFT);
  }

  #assign(slot: number, capacity: number): number {
    const lane = this.#takeLane();
    if (lane === 0) return 0;
    this.#laneOfSlot[slot] = lane;
    this.#isRetired[lane] = 0;
    this.#epoch[lane] = 0;
    this.#addedInEpoch[lane] = 0;
    this.capacity[lane] = capacity;
    this.resetLearned(lane);
    return lane;
  }

  #takeLane(): number {
    if (this.#freeLaneCount > 0) {
      this.#freeLaneCount -= 1;
      return this.#free[this.#freeLaneCount] as number;
    }
    if (this.#highest + 1 >= this.held.length) return 0;
    this.#highest += 1;
    return this.#highest;
  }
}

function clampCapacity(blocks: number): number {
  return Math.min(MAX_CAPACITY, Math.max(0, Math.floor(blocks)));
}
