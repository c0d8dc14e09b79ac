import { CELL_SHIFT, HOLDERS, LANE_MASK, NO_LANE, STATE, type Cells } from './cells.ts';
import { ROW_BITS, ROW_CELL_WORDS, type Holders } from './holders.ts';
import type { Lanes } from './lanes.ts';
import type { PromptPath } from './prompt-path.ts';

/**
 * How many leading blocks of a prompt each lane holds. The path is taken from its end: whoever
 * holds a run holds all before it, so that a lane counts at the first run where it appears, and a
 * run whose holders have all appeared needs no look at all.
 */
export class Coverage {
  readonly #words: Int32Array;
  readonly #holders: Holders;
  readonly #lanes: Lanes;
  /** A bit per lane that has appeared. */
  readonly #seen: Int32Array;
  #seenCount = 0;
  /** Leading blocks by lane. */
  readonly depths: Int32Array;

  constructor(cells: Cells, holders: Holders, lanes: Lanes) {
    this.#words = cells.words;
    this.#holders = holders;
    this.#lanes = lanes;
    const size = lanes.held.length;
    this.#seen = new Int32Array((size + 31) >>> 5);
    this.depths = new Int32Array(size);
  }

  /** Fills `depths` for the prompt that `path` has followed. */
  measure(path: PromptPath): void {
    const { highest } = this.#lanes;
    this.#seen.fill(0, 0, (highest >>> 5) + 1);
    this.depths.fill(0, 0, highest + 1);
    this.#seenCount = 0;
    for (let index = path.length - 1; index >= 0; index -= 1) {
      const run = path.runs[index] as number;
      const start = path.startOf(index);
      const matched = (path.ends[index] as number) - start;
      if (this.#holders.isWide(run)) this.#takeRow(run, start, matched);
      else this.#takeList(run, start, matched);
    }
  }

  #takeRow(run: number, start: number, matched: number): void {
    if (this.#holders.rowCount(run) === this.#seenCount) return;
    const words = this.#words;
    const seen = this.#seen;
    let word = 0;
    let cell = this.#holders.rowOf(run);
    while (cell !== 0) {
      const bitsAt = (cell << CELL_SHIFT) + ROW_BITS;
      for (let i = 0; i < ROW_CELL_WORDS; i += 1, word += 1) {
        const bits = words[bitsAt + i] as number;
        if (bits === 0) continue;
        let fresh = bits & ~(seen[word] as number);
        while (fresh !== 0) {
          const lane = (word << 5) + 31 - Math.clz32(fresh & -fresh);
          this.#take(lane, run, start, matched);
          fresh &= fresh - 1;
        }
        seen[word] = (seen[word] as number) | bits;
      }
      cell = words[cell << CELL_SHIFT] as number;
    }
  }

  #takeList(run: number, start: number, matched: number): void {
    const words = this.#words;
    const base = run << CELL_SHIFT;
    const first = (words[base + STATE] as number) & LANE_MASK;
    if (first !== NO_LANE) this.#takeOne(first, run, start, matched);
    let hold = words[base + HOLDERS] as number;
    while (hold !== 0) {
      const holdBase = hold << CELL_SHIFT;
      this.#takeOne((words[holdBase + STATE] as number) & LANE_MASK, run, start, matched);
      hold = words[holdBase + HOLDERS] as number;
    }
  }

  #takeOne(lane: number, run: number, start: number, matched: number): void {
    const seen = this.#seen;
    const word = lane >>> 5;
    const bit = 1 << (lane & 31);
    if (((seen[word] as number) & bit) !== 0) return;
    seen[word] = (seen[word] as number) | bit;
    this.#take(lane, run, start, matched);
  }

  #take(lane: number, run: number, start: number, matched: number): void {
    const { partialRun, partialLength } = this.#lanes;
    const held =
      partialRun[lane] === run ? Math.min(matched, partialLength[lane] as number) : matched;
    this.depths[lane] = start + held;
    this.#seenCount += 1;
  }
}
