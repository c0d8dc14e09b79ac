import type { CellTable } from './cell-table.ts';
import {
  CELL_SHIFT,
  HOLDERS,
  IS_WIDE,
  LANE_MASK,
  LENGTH_MASK,
  LENGTH_SHIFT,
  NO_LANE,
  STATE,
  type Cells,
} from './cells.ts';

/** Holds that a run lists; with one more they become a row. */
const MAX_LISTED = 8;
/** Word of a row's first cell: how many bits are set in the row. */
const ROW_COUNT = 1;
/** First word of bits in a cell of a row; before it the next cell and the count. */
export const ROW_BITS = 2;
/** Words of bits in one cell of a row. */
export const ROW_CELL_WORDS = 6;

const IS_RUN = LENGTH_MASK << LENGTH_SHIFT;

/**
 * Who holds a run. The first holder is written into the run's own cell, the next eight are holds
 * in a list, and from the tenth on the run has a row of bits as well, one per lane:
 *
 *     one    [run: lane 7]
 *     few    [run: lane 7]─►[hold: lane 2]─►[hold: lane 9]
 *     many   [run: lane 7]─►[row: next, 1000, lanes 0-191]─►[row: next, -, lanes 192-383] …
 *            and a hold per lane but the first, found through the table
 *
 * A record is what links a holder into its lane's order of use: the run itself or a hold.
 */
export class Holders {
  readonly #cells: Cells;
  readonly #words: Int32Array;
  readonly #table: CellTable;

  constructor(cells: Cells, table: CellTable) {
    this.#cells = cells;
    this.#words = cells.words;
    this.#table = table;
  }

  /** The run that `record` is about. */
  runOf(record: number): number {
    const base = record << CELL_SHIFT;
    const isRun = ((this.#words[base + STATE] as number) & IS_RUN) !== 0;
    return isRun ? record : (this.#words[base] as number);
  }

  /** The record of `lane` on `run`, or 0. */
  find(run: number, lane: number): number {
    const base = run << CELL_SHIFT;
    if (((this.#words[base + STATE] as number) & LANE_MASK) === lane) return run;
    return this.#words[base + HOLDERS] === 0 ? 0 : this.#table.findHold(run, lane);
  }

  /** Whether the holders are a row of bits. */
  isWide(run: number): boolean {
    return ((this.#words[(run << CELL_SHIFT) + STATE] as number) & IS_WIDE) !== 0;
  }

  /** Whether nobody else holds the run in whose own cell `lane` is. */
  isOnlyHolder(run: number, lane: number): boolean {
    const base = run << CELL_SHIFT;
    const state = this.#words[base + STATE] as number;
    if ((state & LANE_MASK) !== lane) return false;
    if ((state & IS_WIDE) !== 0) return this.rowCount(run) === 1;
    return this.#words[base + HOLDERS] === 0;
  }

  /** Whether anybody holds the run. */
  hasAny(run: number): boolean {
    const base = run << CELL_SHIFT;
    const state = this.#words[base + STATE] as number;
    if ((state & IS_WIDE) !== 0) return this.rowCount(run) > 0;
    return (state & LANE_MASK) !== NO_LANE || this.#words[base + HOLDERS] !== 0;
  }

  /** First cell of the row of a wide run. */
  rowOf(run: number): number {
    return this.#words[(run << CELL_SHIFT) + HOLDERS] as number;
  }

  /** Holders of a wide run. */
  rowCount(run: number): number {
    return this.#words[(this.rowOf(run) << CELL_SHIFT) + ROW_COUNT] as number;
  }

  /** Cells that adding one holder takes at most when no lane is beyond `highestLane`. */
  static cellsToAdd(highestLane: number): number {
    return 2 + Math.floor((highestLane >>> 5) / ROW_CELL_WORDS);
  }

  /** Makes `lane`, which is none yet, a holder; its record has no place in the lane's order yet. */
  add(run: number, lane: number): number {
    const words = this.#words;
    const base = run << CELL_SHIFT;
    const state = words[base + STATE] as number;
    const isWide = (state & IS_WIDE) !== 0;
    if ((state & LANE_MASK) === NO_LANE) {
      words[base + STATE] = (state & ~LANE_MASK) | lane;
      if (isWide) this.#setBit(run, lane);
      return run;
    }
    const hold = this.#cells.allocate();
    const holdBase = hold << CELL_SHIFT;
    words[holdBase] = run;
    words[holdBase + STATE] = lane;
    words[holdBase + HOLDERS] = 0;
    this.#table.add(hold);
    if (!isWide && !this.#isListFull(run)) {
      words[holdBase + HOLDERS] = words[base + HOLDERS] as number;
      words[base + HOLDERS] = hold;
      return hold;
    }
    if (!isWide) this.#widen(run);
    this.#setBit(run, lane);
    return hold;
  }

  /** Ends what `record` stands for; the record is out of its lane's order already. */
  remove(record: number): void {
    const words = this.#words;
    const base = record << CELL_SHIFT;
    const run = this.runOf(record);
    if (this.isWide(run)) this.#clearBit(run, (words[base + STATE] as number) & LANE_MASK);
    else if (record !== run) this.#unlist(run, record);
    if (record === run) {
      words[base + STATE] = (words[base + STATE] as number) | NO_LANE;
      return;
    }
    this.#table.remove(record);
    this.#cells.free(record);
  }

  /** Writes the records of all holders to `out`; returns how many. */
  collect(run: number, out: Int32Array): number {
    const words = this.#words;
    const base = run << CELL_SHIFT;
    if (this.isWide(run)) return this.#collectRow(run, out);
    let count = 0;
    if (((words[base + STATE] as number) & LANE_MASK) !== NO_LANE) out[count++] = run;
    let hold = words[base + HOLDERS] as number;
    while (hold !== 0) {
      out[count++] = hold;
      hold = words[(hold << CELL_SHIFT) + HOLDERS] as number;
    }
    return count;
  }

  /** Gives the row of `run`, which nobody holds, back. */
  freeRow(run: number): void {
    if (!this.isWide(run)) return;
    let cell = this.rowOf(run);
    while (cell !== 0) {
      const next = this.#words[cell << CELL_SHIFT] as number;
      this.#cells.free(cell);
      cell = next;
    }
  }

  #collectRow(run: number, out: Int32Array): number {
    const words = this.#words;
    let count = 0;
    let firstLane = 0;
    for (let cell = this.rowOf(run); cell !== 0; cell = words[cell << CELL_SHIFT] as number) {
      const bitsAt = (cell << CELL_SHIFT) + ROW_BITS;
      for (let i = 0; i < ROW_CELL_WORDS; i += 1) {
        let bits = words[bitsAt + i] as number;
        while (bits !== 0) {
          const lane = firstLane + 31 - Math.clz32(bits & -bits);
          out[count++] = this.find(run, lane);
          bits &= bits - 1;
        }
        firstLane += 32;
      }
    }
    return count;
  }

  #isListFull(run: number): boolean {
    const words = this.#words;
    let hold = words[(run << CELL_SHIFT) + HOLDERS] as number;
    let count = 0;
    while (hold !== 0) {
      count += 1;
      hold = words[(hold << CELL_SHIFT) + HOLDERS] as number;
    }
    return count >= MAX_LISTED;
  }

  #widen(run: number): void {
    const words = this.#words;
    const base = run << CELL_SHIFT;
    let hold = words[base + HOLDERS] as number;
    words[base + HOLDERS] = this.#allocateRowCell();
    words[base + STATE] = (words[base + STATE] as number) | IS_WIDE;
    this.#setBit(run, (words[base + STATE] as number) & LANE_MASK);
    while (hold !== 0) {
      const holdBase = hold << CELL_SHIFT;
      this.#setBit(run, (words[holdBase + STATE] as number) & LANE_MASK);
      hold = words[holdBase + HOLDERS] as number;
      // The row stands for the list from now on.
      words[holdBase + HOLDERS] = 0;
    }
  }

  #setBit(run: number, lane: number): void {
    const words = this.#words;
    const row = this.rowOf(run);
    let cell = row;
    let word = lane >>> 5;
    for (; word >= ROW_CELL_WORDS; word -= ROW_CELL_WORDS) {
      const nextAt = cell << CELL_SHIFT;
      if (words[nextAt] === 0) words[nextAt] = this.#allocateRowCell();
      cell = words[nextAt] as number;
    }
    const at = (cell << CELL_SHIFT) + ROW_BITS + word;
    words[at] = (words[at] as number) | (1 << (lane & 31));
    words[(row << CELL_SHIFT) + ROW_COUNT] = this.rowCount(run) + 1;
  }

  #clearBit(run: number, lane: number): void {
    const words = this.#words;
    const row = this.rowOf(run);
    let cell = row;
    let word = lane >>> 5;
    for (; word >= ROW_CELL_WORDS; word -= ROW_CELL_WORDS) {
      cell = words[cell << CELL_SHIFT] as number;
    }
    const at = (cell << CELL_SHIFT) + ROW_BITS + word;
    words[at] = (words[at] as number) & ~(1 << (lane & 31));
    words[(row << CELL_SHIFT) + ROW_COUNT] = this.rowCount(run) - 1;
  }

  #allocateRowCell(): number {
    const cell = this.#cells.allocate();
    const base = cell << CELL_SHIFT;
    this.#words.fill(0, base, base + ROW_BITS + ROW_CELL_WORDS);
    return cell;
  }

  #unlist(run: number, record: number): void {
    const words = this.#words;
    let linkAt = (run << CELL_SHIFT) + HOLDERS;
    while (words[linkAt] !== record) {
      linkAt = ((words[linkAt] as number) << CELL_SHIFT) + HOLDERS;
    }
    words[linkAt] = words[(record << CELL_SHIFT) + HOLDERS] as number;
  }
}
