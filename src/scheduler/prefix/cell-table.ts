import {
  CELL_SHIFT,
  CHAIN,
  LANE_MASK,
  LENGTH_MASK,
  LENGTH_SHIFT,
  STATE,
  type Cells,
} from './cells.ts';

/** Odd constants that spread their factor over 32 bits: of xxHash32 (Yann Collet). */
const SPREAD_A = 0x9e3779b1;
const SPREAD_B = 0x85ebca77;

const IS_RUN = LENGTH_MASK << LENGTH_SHIFT;

/**
 * Finds runs by their first hash and holds by run and lane. Buckets are chains through the cells:
 * removing leaves nothing behind, and the table never has to be built again, as the number of
 * buckets follows from the number of cells that there can be.
 */
export class CellTable {
  readonly #words: Int32Array;
  readonly #buckets: Int32Array;
  readonly #mask: number;

  /** `bucketCount` is a power of two. */
  constructor(cells: Cells, bucketCount: number) {
    this.#words = cells.words;
    this.#buckets = new Int32Array(bucketCount);
    this.#mask = bucketCount - 1;
  }

  /** Bytes of the table. */
  get sizeBytes(): number {
    return this.#buckets.byteLength;
  }

  /** The run that begins with this hash, or 0. */
  findRun(low: number, high: number): number {
    const words = this.#words;
    const lowWord = low | 0;
    const highWord = high | 0;
    let cell = this.#buckets[hashRun(lowWord, highWord) & this.#mask] as number;
    while (cell !== 0) {
      const base = cell << CELL_SHIFT;
      const isFound = words[base] === lowWord && words[base + 1] === highWord;
      if (isFound && ((words[base + STATE] as number) & IS_RUN) !== 0) return cell;
      cell = words[base + CHAIN] as number;
    }
    return 0;
  }

  /** The hold of `lane` on `run`, or 0. */
  findHold(run: number, lane: number): number {
    const words = this.#words;
    let cell = this.#buckets[hashHold(run, lane) & this.#mask] as number;
    while (cell !== 0) {
      const base = cell << CELL_SHIFT;
      // Neither epoch nor flags: a hold has length 0 and no flags.
      const state = (words[base + STATE] as number) & (LANE_MASK | IS_RUN);
      if (words[base] === run && state === lane) return cell;
      cell = words[base + CHAIN] as number;
    }
    return 0;
  }

  /** Adds a run or a hold whose words are set. */
  add(cell: number): void {
    const bucket = this.#bucketOf(cell);
    this.#words[(cell << CELL_SHIFT) + CHAIN] = this.#buckets[bucket] as number;
    this.#buckets[bucket] = cell;
  }

  /** Takes out what `add` put in; its words are as they were. */
  remove(cell: number): void {
    const words = this.#words;
    const bucket = this.#bucketOf(cell);
    const next = words[(cell << CELL_SHIFT) + CHAIN] as number;
    let before = this.#buckets[bucket] as number;
    if (before === cell) {
      this.#buckets[bucket] = next;
      return;
    }
    for (;;) {
      const chainAt = (before << CELL_SHIFT) + CHAIN;
      before = words[chainAt] as number;
      if (before === cell) {
        words[chainAt] = next;
        return;
      }
    }
  }

  #bucketOf(cell: number): number {
    const base = cell << CELL_SHIFT;
    const first = this.#words[base] as number;
    const state = this.#words[base + STATE] as number;
    const hash =
      (state & IS_RUN) === 0
        ? hashHold(first, state & LANE_MASK)
        : hashRun(first, this.#words[base + 1] as number);
    return hash & this.#mask;
  }
}

function hashRun(low: number, high: number): number {
  return low ^ Math.imul(high, SPREAD_A);
}

function hashHold(run: number, lane: number): number {
  const mixed = Math.imul(run, SPREAD_A) ^ Math.imul(lane + 1, SPREAD_B);
  return mixed ^ (mixed >>> 15);
}
