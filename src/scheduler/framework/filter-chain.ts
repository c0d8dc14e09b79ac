import type { CandidateSet, Filter, PickInput, Removal } from '../types.ts';
import { REMOVED_SLOTS_MAX } from '../types.ts';
import { Candidates } from './candidates.ts';

const NOTHING_REMOVED: readonly Removal[] = Object.freeze([]);

/**
 * Runs the filters of a profile in their order. What a filter that only prefers has set aside is
 * kept in reserve for places of the answer that are left, if it passes the other filters.
 */
export class FilterChain {
  readonly #filters: readonly Filter[];
  readonly #onPluginFault: (name: string, cause: unknown) => void;
  readonly #candidates = new Candidates();
  readonly #reserve = new Candidates();

  constructor(filters: readonly Filter[], onPluginFault: (name: string, cause: unknown) => void) {
    this.#filters = filters;
    this.#onPluginFault = onPluginFault;
  }

  /** The candidates that are left. */
  get candidates(): CandidateSet {
    return this.#candidates;
  }

  /** Endpoints that may be fallbacks only. */
  get reserve(): CandidateSet {
    return this.#reserve;
  }

  /** Starts a pick with the members that may be picked now; returns how many they are. */
  begin(input: PickInput): number {
    this.#candidates.begin(input);
    this.#reserve.empty(this.#candidates.size);
    return this.#candidates.count;
  }

  /** Lets every filter remove what it will, and says what it has removed. */
  run(input: PickInput): readonly Removal[] {
    const candidates = this.#candidates;
    let removed: Removal[] | null = null;
    for (const filter of this.#filters) {
      if (candidates.count === 0) break;
      const before = candidates.count;
      this.#runFilter(filter, input, candidates);
      if (filter.isPreference === true) candidates.moveRemoved(this.#reserve);
      else if (this.#reserve.count > 0) this.#runFilter(filter, input, this.#reserve);
      if (candidates.count === before) continue;
      removed ??= [];
      removed.push({
        filter: filter.name,
        count: before - candidates.count,
        slots: candidates.listRemoved(input, REMOVED_SLOTS_MAX),
      });
    }
    return removed ?? NOTHING_REMOVED;
  }

  #runFilter(filter: Filter, input: PickInput, candidates: Candidates): void {
    candidates.save();
    try {
      if (candidates.take(filter.keep(input, candidates))) return;
      this.#onPluginFault(filter.name, 'kept what was no candidate, or in another order');
    } catch (cause) {
      this.#onPluginFault(filter.name, cause);
    }
    candidates.restore();
  }
}
