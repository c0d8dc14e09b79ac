import type { CandidateSet, PickInput } from '../types.ts';

const INITIAL_SIZE = 16;

/**
 * The candidates of the pick under way, in arrays that are reused and grow with the largest pool.
 * A filter's work can be undone, as a filter that fails must not count.
 */
export class Candidates implements CandidateSet {
  positions: Int32Array = new Int32Array(INITIAL_SIZE);
  count = 0;
  #saved: Int32Array = new Int32Array(INITIAL_SIZE);
  #savedCount = 0;

  /** Endpoints there is room for. */
  get size(): number {
    return this.positions.length;
  }

  /** Starts a pick with the members that may be picked now. */
  begin(input: PickInput): void {
    const { members } = input;
    const { isAvailable } = input.load;
    if (members.length > this.size) this.#grow(members.length);
    const { positions } = this;
    let count = 0;
    for (let position = 0; position < members.length; position += 1) {
      if (isAvailable[members[position] as number] === 1) positions[count++] = position;
    }
    this.count = count;
  }

  /** Has nobody, and room for `size`. */
  empty(size: number): void {
    if (size > this.size) this.#grow(size);
    this.count = 0;
  }

  /** Remembers the candidates as they are. */
  save(): void {
    const { positions, count } = this;
    const saved = this.#saved;
    for (let i = 0; i < count; i += 1) saved[i] = positions[i] as number;
    this.#savedCount = count;
  }

  /** Brings back what was saved. */
  restore(): void {
    const { positions } = this;
    const saved = this.#saved;
    for (let i = 0; i < this.#savedCount; i += 1) positions[i] = saved[i] as number;
    this.count = this.#savedCount;
  }

  /**
   * Takes the first `kept` positions as what is left. False, with nothing changed, unless they are
   * some of the saved ones in their order.
   */
  take(kept: number): boolean {
    if (!Number.isInteger(kept) || kept < 0 || kept > this.#savedCount) return false;
    const { positions } = this;
    const saved = this.#saved;
    let from = 0;
    for (let i = 0; i < kept; i += 1) {
      const position = positions[i] as number;
      while (from < this.#savedCount && saved[from] !== position) from += 1;
      if (from === this.#savedCount) return false;
      from += 1;
    }
    this.count = kept;
    return true;
  }

  /** Slots of the first `limit` saved candidates that are no longer among them. */
  listRemoved(input: PickInput, limit: number): number[] {
    const removed: number[] = [];
    let kept = 0;
    for (let i = 0; i < this.#savedCount && removed.length < limit; i += 1) {
      const position = this.#saved[i] as number;
      if (this.#isKept(position, kept)) kept += 1;
      else removed.push(input.members[position] as number);
    }
    return removed;
  }

  /** Adds the saved candidates that are no longer among them to `target`, which stays ascending. */
  moveRemoved(target: Candidates): void {
    const { positions } = target;
    const before = target.count;
    let kept = 0;
    for (let i = 0; i < this.#savedCount; i += 1) {
      const position = this.#saved[i] as number;
      if (this.#isKept(position, kept)) kept += 1;
      else positions[target.count++] = position;
    }
    if (before > 0) positions.subarray(0, target.count).sort();
  }

  #isKept(position: number, kept: number): boolean {
    return kept < this.count && this.positions[kept] === position;
  }

  #grow(count: number): void {
    const size = 2 ** Math.ceil(Math.log2(count));
    this.positions = new Int32Array(size);
    this.#saved = new Int32Array(size);
  }
}
