import type { PromptBlocks } from '../types.ts';
import type { CellTable } from './cell-table.ts';
import type { Runs } from './runs.ts';

/** The runs that a prompt leads through, in arrays that are used for every prompt. */
export class PromptPath {
  readonly #table: CellTable;
  readonly #runs: Runs;
  /** Runs from the first block on. */
  readonly runs: Int32Array;
  /** For each, the blocks of the prompt that lie before its end. */
  readonly ends: Int32Array;
  /** For each, the record of the lane that is looked at, 0 where it holds nothing. */
  readonly records: Int32Array;
  /** Runs on the path. */
  length = 0;

  /** Room for prompts of `maxBlocks` blocks. */
  constructor(table: CellTable, runs: Runs, maxBlocks: number) {
    this.#table = table;
    this.#runs = runs;
    this.runs = new Int32Array(maxBlocks);
    this.ends = new Int32Array(maxBlocks);
    this.records = new Int32Array(maxBlocks);
  }

  /** Bytes that one more block of the longest prompt takes. */
  static readonly bytesPerBlock = 12;

  /** Follows the first `count` blocks as far as anybody holds them; returns how many. */
  follow(blocks: PromptBlocks, count: number): number {
    const { hashes } = blocks;
    let length = 0;
    let matched = 0;
    while (matched < count) {
      const low = hashes[2 * matched] as number;
      const run = this.#table.findRun(low, hashes[2 * matched + 1] as number);
      if (run === 0) break;
      const equal = this.#runs.countEqual(run, hashes, matched, count - matched);
      matched += equal;
      this.runs[length] = run;
      this.ends[length] = matched;
      length += 1;
      if (equal < this.#runs.lengthOf(run)) break;
    }
    this.length = length;
    return matched;
  }

  /** Blocks of the prompt before run `index` of the path. */
  startOf(index: number): number {
    return index === 0 ? 0 : (this.ends[index - 1] as number);
  }
}
