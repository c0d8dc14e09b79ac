import { CELL_SHIFT, HAS_CHILDREN, LENGTH_MASK, LENGTH_SHIFT, STATE, type Cells } from './cells.ts';

/** Word of a run: where the hashes after the first are. */
const ROOT = 3;
/** Hashes in a leaf cell. */
const LEAF_HASHES = 4;
/** Blocks of a run whose root is the only leaf. */
const ONE_LEAF_LENGTH = 1 + LEAF_HASHES;
/** Blocks of the longest run: its first, and eight leaves of four. */
export const MAX_RUN_LENGTH = 33;
/** Cells that the hashes of a run take at most, the run's own included. */
export const MAX_RUN_CELLS = 10;

/**
 * Runs: blocks that follow each other in every prompt known so far. The first hash is in the run's
 * own cell; up to four more are in one leaf, beyond that the root lists up to eight leaves.
 *
 *     length 1     2 … 5          6 … 33
 *     [run]        [run]─►[leaf]  [run]─►[root]─┬►[leaf]
 *                                               ├►[leaf] …
 */
export class Runs {
  readonly #cells: Cells;
  readonly #words: Int32Array;

  constructor(cells: Cells) {
    this.#cells = cells;
    this.#words = cells.words;
  }

  /** Blocks of `run`. */
  lengthOf(run: number): number {
    return ((this.#words[(run << CELL_SHIFT) + STATE] as number) >>> LENGTH_SHIFT) & LENGTH_MASK;
  }

  /** Whether the run may be followed by another. */
  hasChildren(run: number): boolean {
    return ((this.#words[(run << CELL_SHIFT) + STATE] as number) & HAS_CHILDREN) !== 0;
  }

  /** Notes whether other runs may follow `run`. */
  setChildren(run: number, hasChildren: boolean): void {
    const at = (run << CELL_SHIFT) + STATE;
    const state = this.#words[at] as number;
    this.#words[at] = hasChildren ? state | HAS_CHILDREN : state & ~HAS_CHILDREN;
  }

  /** A run of the one block `from` of `hashes`; its state word must be set up before. */
  begin(run: number, hashes: Uint32Array, from: number): void {
    const base = run << CELL_SHIFT;
    this.#words[base] = hashes[2 * from] as number;
    this.#words[base + 1] = hashes[2 * from + 1] as number;
    this.#words[base + ROOT] = 0;
    this.#setLength(run, 1);
  }

  /** Adds `count` blocks of `hashes` from `from` on, or as many as fit; returns how many. */
  append(run: number, hashes: Uint32Array, from: number, count: number): number {
    const length = this.lengthOf(run);
    const added = Math.min(count, MAX_RUN_LENGTH - length);
    for (let i = 0; i < added; i += 1) {
      const at = this.#addHash(run, length + i);
      const source = 2 * (from + i);
      this.#words[at] = hashes[source] as number;
      this.#words[at + 1] = hashes[source + 1] as number;
    }
    if (added > 0) this.#setLength(run, length + added);
    return added;
  }

  /** Makes `lower`, a cell with its state set up, a run of the blocks of `run` from `length` on. */
  cut(run: number, length: number, lower: number): void {
    const words = this.#words;
    const lowerBase = lower << CELL_SHIFT;
    const headAt = this.#hashAt(run, length);
    words[lowerBase] = words[headAt] as number;
    words[lowerBase + 1] = words[headAt + 1] as number;
    words[lowerBase + ROOT] = 0;
    const rest = this.lengthOf(run) - length;
    for (let i = 1; i < rest; i += 1) {
      const to = this.#addHash(lower, i);
      const from = this.#hashAt(run, length + i);
      words[to] = words[from] as number;
      words[to + 1] = words[from + 1] as number;
    }
    this.#setLength(lower, rest);
    this.truncate(run, length);
  }

  /** Forgets the blocks of `run` from `length` (at least 1) on. */
  truncate(run: number, length: number): void {
    const words = this.#words;
    const rootAt = (run << CELL_SHIFT) + ROOT;
    const leafCount = leavesFor(this.lengthOf(run));
    const keptCount = leavesFor(length);
    const root = words[rootAt] as number;
    this.#setLength(run, length);
    if (leafCount <= 1) {
      if (keptCount < leafCount) this.#cells.free(root);
      return;
    }
    const leaves = root << CELL_SHIFT;
    for (let leaf = keptCount; leaf < leafCount; leaf += 1) {
      this.#cells.free(words[leaves + leaf] as number);
    }
    if (keptCount > 1) return;
    words[rootAt] = keptCount === 1 ? (words[leaves] as number) : 0;
    this.#cells.free(root);
  }

  /**
   * How many blocks of `run` are the blocks of `hashes` from `from` on, of `count` at most. The
   * first is known to be. A hash stands for the whole prompt up to it, so that equal ones follow
   * equal ones only, and bisecting finds the end.
   */
  countEqual(run: number, hashes: Uint32Array, from: number, count: number): number {
    const most = Math.min(count, this.lengthOf(run));
    if (most === 1 || this.#isEqual(run, hashes, from, most - 1)) return most;
    let equal = 1;
    let different = most - 1;
    while (equal < different) {
      const middle = (equal + different) >> 1;
      if (this.#isEqual(run, hashes, from, middle)) equal = middle + 1;
      else different = middle;
    }
    return equal;
  }

  #isEqual(run: number, hashes: Uint32Array, from: number, index: number): boolean {
    const at = this.#hashAt(run, index);
    const source = 2 * (from + index);
    return (
      this.#words[at] === ((hashes[source] as number) | 0) &&
      this.#words[at + 1] === ((hashes[source + 1] as number) | 0)
    );
  }

  /** Where the hash of block `index` is among the words. */
  #hashAt(run: number, index: number): number {
    if (index === 0) return run << CELL_SHIFT;
    const root = this.#words[(run << CELL_SHIFT) + ROOT] as number;
    const rest = index - 1;
    const leaf =
      this.lengthOf(run) <= ONE_LEAF_LENGTH
        ? root
        : (this.#words[(root << CELL_SHIFT) + (rest >> 2)] as number);
    return (leaf << CELL_SHIFT) + ((rest & 3) << 1);
  }

  /** Makes room for block `index`, the next of `run`; returns where its hash goes. */
  #addHash(run: number, index: number): number {
    const words = this.#words;
    const rootAt = (run << CELL_SHIFT) + ROOT;
    const rest = index - 1;
    const leafIndex = rest >> 2;
    const within = (rest & 3) << 1;
    if (leafIndex === 0) {
      if (within === 0) words[rootAt] = this.#cells.allocate();
      return ((words[rootAt] as number) << CELL_SHIFT) + within;
    }
    if (leafIndex === 1 && within === 0) {
      const root = this.#cells.allocate();
      words[root << CELL_SHIFT] = words[rootAt] as number;
      words[rootAt] = root;
    }
    const leafAt = ((words[rootAt] as number) << CELL_SHIFT) + leafIndex;
    if (within === 0) words[leafAt] = this.#cells.allocate();
    return ((words[leafAt] as number) << CELL_SHIFT) + within;
  }

  #setLength(run: number, length: number): void {
    const at = (run << CELL_SHIFT) + STATE;
    const state = (this.#words[at] as number) & ~(LENGTH_MASK << LENGTH_SHIFT);
    this.#words[at] = state | (length << LENGTH_SHIFT);
  }
}

function leavesFor(length: number): number {
  return (length + LEAF_HASHES - 2) >> 2;
}
