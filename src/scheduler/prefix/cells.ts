import { assert } from '../../core/assert.ts';

/** 32-bit words of a cell. */
export const CELL_WORDS = 8;
/** Bytes of a cell. */
export const CELL_BYTES = 32;
/** Cells are addressed by `cell << CELL_SHIFT` within the words. */
export const CELL_SHIFT = 3;

/** Word of a run or hold: next cell in its bucket of the table; in a free cell, the next free. */
export const CHAIN = 2;
/** Word of a run or hold: lane, length, flags and epoch, packed as below. */
export const STATE = 4;
/** Word of a run: its list of holds or its row; of a hold: the next hold in that list. */
export const HOLDERS = 5;
/** Word of a run or hold: the record that its lane used just after this one. */
export const NEWER = 6;
/** Word of a run or hold: the record that its lane used just before this one. */
export const OLDER = 7;

/** Bits of `STATE`: the lane that holds; `NO_LANE` in a run whose own place is vacant. */
export const LANE_MASK = 0xffff;
/** The value of the lane bits that stands for none. */
export const NO_LANE = 0xffff;
/** Bits of `STATE`: blocks of the run, 0 in a hold. */
export const LENGTH_SHIFT = 16;
/** Mask of the length, once shifted. */
export const LENGTH_MASK = 63;
/** Flag of `STATE`: some longer prompt goes on where this run ends, or once did. */
export const HAS_CHILDREN: number = 1 << 22;
/** Flag of `STATE`: the holders are a row of bits, not a list. */
export const IS_WIDE: number = 1 << 23;
/** Bits of `STATE`: the lane's epoch when the record was last used. */
export const EPOCH_SHIFT = 24;
/** Mask of the epoch, once shifted. */
export const EPOCH_MASK = 127;

/**
 * All memory of the index that depends on what it holds: cells of one size, so that nothing can
 * fragment. They are reserved at once; the operating system backs a page when it is first used, so
 * that an index that is nearly empty takes little and growing never copies.
 */
export class Cells {
  readonly words: Int32Array;
  /** Cells that can be used; cell 0 stands for none and is not among them. */
  readonly capacity: number;
  /** Cells that were ever used; the memory behind the others was never touched. */
  #touchedCount = 0;
  #freeList = 0;
  #freeListCount = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.words = new Int32Array((capacity + 1) * CELL_WORDS);
  }

  /** Cells that can be allocated now. */
  get freeCount(): number {
    return this.#freeListCount + this.capacity - this.#touchedCount;
  }

  /** Bytes of the cells that were ever used. */
  get touchedBytes(): number {
    return (this.#touchedCount + 1) * CELL_BYTES;
  }

  /** A cell with undefined content. The caller has made sure that one is free. */
  allocate(): number {
    const cell = this.#freeList;
    if (cell !== 0) {
      this.#freeList = this.words[(cell << CELL_SHIFT) + CHAIN] as number;
      this.#freeListCount -= 1;
      return cell;
    }
    assert(this.#touchedCount < this.capacity, 'prefix index: no free cell');
    this.#touchedCount += 1;
    return this.#touchedCount;
  }

  /** Gives `cell` back. */
  free(cell: number): void {
    this.words[(cell << CELL_SHIFT) + CHAIN] = this.#freeList;
    this.#freeList = cell;
    this.#freeListCount += 1;
  }
}
