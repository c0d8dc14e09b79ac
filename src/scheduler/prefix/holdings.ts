import type { CellTable } from './cell-table.ts';
import { CELL_SHIFT, HOLDERS, LANE_MASK, NO_LANE, STATE, type Cells } from './cells.ts';
import type { Holders } from './holders.ts';
import type { Lanes } from './lanes.ts';
import type { Runs } from './runs.ts';

/** What the holdings are kept in. */
export interface HoldingsParts {
  readonly cells: Cells;
  readonly table: CellTable;
  readonly runs: Runs;
  readonly holders: Holders;
  readonly lanes: Lanes;
}

/**
 * Which lane holds which runs: keeps runs, holders and the lanes' lists in step. A run exists as
 * long as somebody holds it, and whoever holds a run holds all that leads to it, since what is used
 * is used from the first block on and what is forgotten is forgotten from the last block back.
 */
export class Holdings {
  readonly #cells: Cells;
  readonly #words: Int32Array;
  readonly #table: CellTable;
  readonly #runs: Runs;
  readonly #holders: Holders;
  readonly #lanes: Lanes;
  /** Records of all holders of a run that is being split. */
  readonly #records: Int32Array;

  constructor(parts: HoldingsParts, laneCount: number) {
    this.#cells = parts.cells;
    this.#words = parts.cells.words;
    this.#table = parts.table;
    this.#runs = parts.runs;
    this.#holders = parts.holders;
    this.#lanes = parts.lanes;
    this.#records = new Int32Array(laneCount + 1);
  }

  /** Blocks of the run of `record` that `lane` holds. */
  lengthHeld(lane: number, run: number): number {
    const { partialRun, partialLength } = this.#lanes;
    return partialRun[lane] === run ? (partialLength[lane] as number) : this.#runs.lengthOf(run);
  }

  /** Creates a run of `count` blocks from `from` on that `lane` has just used. */
  create(lane: number, hashes: Uint32Array, from: number, count: number): number {
    const run = this.#allocateRun();
    this.#runs.begin(run, hashes, from);
    this.#table.add(run);
    this.#runs.append(run, hashes, from + 1, count - 1);
    this.hold(lane, run);
    return run;
  }

  /** `lane`, which did not hold `run`, has just used all of it. */
  hold(lane: number, run: number): void {
    this.#lanes.pushNewest(lane, this.#holders.add(run, lane));
    this.#addHeld(lane, this.#runs.lengthOf(run));
  }

  /** `lane`, whose record this is, has just used all of `run`. */
  use(lane: number, run: number, record: number): void {
    const lanes = this.#lanes;
    if (lanes.partialRun[lane] === run) {
      this.#addHeld(lane, this.#runs.lengthOf(run) - (lanes.partialLength[lane] as number));
      lanes.partialRun[lane] = 0;
    }
    lanes.moveToNewest(lane, record);
  }

  /** Whether `run` can grow: only `lane` holds it, in its own cell, and nothing follows it. */
  isExtendable(lane: number, run: number): boolean {
    return !this.#runs.hasChildren(run) && this.#holders.isOnlyHolder(run, lane);
  }

  /** Lengthens an extendable run by as many blocks as there is room for; returns how many. */
  extend(run: number, hashes: Uint32Array, from: number, count: number): number {
    const added = this.#runs.append(run, hashes, from, count);
    const lane = (this.#words[(run << CELL_SHIFT) + STATE] as number) & LANE_MASK;
    if (this.#lanes.partialRun[lane] !== run) this.#addHeld(lane, added);
    return added;
  }

  /**
   * Makes two runs of one, the first with `length` blocks. Costs a record per holder of the second.
   */
  split(run: number, length: number): void {
    const count = this.#holders.collect(run, this.#records);
    const hadChildren = this.#runs.hasChildren(run);
    const lower = this.#allocateRun();
    this.#runs.cut(run, length, lower);
    this.#runs.setChildren(lower, hadChildren);
    this.#runs.setChildren(run, true);
    this.#table.add(lower);
    for (let i = 0; i < count; i += 1) {
      this.#splitHold(run, lower, this.#records[i] as number);
    }
    if (!this.#holders.hasAny(lower)) this.#freeRun(lower);
  }

  /** Holders of `run`: what a split costs in records at most. */
  countHolders(run: number): number {
    return this.#holders.collect(run, this.#records);
  }

  /** Forgets the `count` blocks of `lane` that were not used for longest. */
  forgetBlocks(lane: number, count: number): void {
    const lanes = this.#lanes;
    let rest = count;
    while (rest > 0 && lanes.oldest[lane] !== 0) {
      const record = lanes.oldest[lane] as number;
      const run = this.#holders.runOf(record);
      const length = this.lengthHeld(lane, run);
      if (rest < length) {
        this.#shorten(lane, { record, run, length: length - rest });
        return;
      }
      this.forgetOldest(lane);
      rest -= length;
    }
  }

  /** Forgets the lane's record that was not used for longest. */
  forgetOldest(lane: number): void {
    const lanes = this.#lanes;
    const record = lanes.oldest[lane] as number;
    const run = this.#holders.runOf(record);
    this.#addHeld(lane, -this.lengthHeld(lane, run));
    lanes.partialRun[lane] = 0;
    lanes.unlink(lane, record);
    this.#holders.remove(record);
    if (!this.#holders.hasAny(run)) this.#freeRun(run);
  }

  #addHeld(lane: number, blocks: number): void {
    const { held } = this.#lanes;
    held[lane] = (held[lane] as number) + blocks;
  }

  #shorten(lane: number, part: { record: number; run: number; length: number }): void {
    const { record, run, length } = part;
    const lanes = this.#lanes;
    this.#addHeld(lane, length - this.lengthHeld(lane, run));
    if (record === run && this.#holders.isOnlyHolder(run, lane)) {
      // Who holds only a part holds nothing that follows, and nobody else holds this.
      this.#runs.truncate(run, length);
      this.#runs.setChildren(run, false);
      lanes.partialRun[lane] = 0;
      return;
    }
    lanes.partialRun[lane] = run;
    lanes.partialLength[lane] = length;
  }

  /** `run` has been cut: what `record` held beyond the cut is held of `lower` from now on. */
  #splitHold(run: number, lower: number, record: number): void {
    const lanes = this.#lanes;
    const { partialRun, partialLength } = lanes;
    const lane = (this.#words[(record << CELL_SHIFT) + STATE] as number) & LANE_MASK;
    const isPartial = partialRun[lane] === run;
    const upperLength = this.#runs.lengthOf(run);
    if (isPartial && (partialLength[lane] as number) <= upperLength) {
      if (partialLength[lane] === upperLength) partialRun[lane] = 0;
      return;
    }
    lanes.insertBehind(lane, record, this.#holders.add(lower, lane));
    if (!isPartial) return;
    partialRun[lane] = lower;
    partialLength[lane] = (partialLength[lane] as number) - upperLength;
  }

  #allocateRun(): number {
    const run = this.#cells.allocate();
    const base = run << CELL_SHIFT;
    this.#words[base + STATE] = NO_LANE;
    this.#words[base + HOLDERS] = 0;
    return run;
  }

  #freeRun(run: number): void {
    this.#table.remove(run);
    this.#holders.freeRow(run);
    this.#runs.truncate(run, 1);
    this.#cells.free(run);
  }
}
