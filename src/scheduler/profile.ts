import { assert } from '../core/assert.ts';
import type { Rng } from '../core/rng.ts';
import { FilterChain } from './framework/filter-chain.ts';
import { requestsOn } from './framework/ledger-numbers.ts';
import type { PrefixMatches } from './framework/prefix-matches.ts';
import { ScoreBoard } from './framework/score-board.ts';
import { takeBest } from './pickers/best-first.ts';
import type {
  AnswerHeader,
  CandidateSet,
  Filter,
  Picker,
  PickInput,
  Plugin,
  RankedEndpoint,
  Ranking,
  WeightedScorer,
} from './types.ts';

/** What a profile is made of. */
export interface ProfileOptions {
  readonly name: string;
  readonly filters: readonly Filter[];
  /** Weights are 0 or more; they count relative to their sum. */
  readonly scorers: readonly WeightedScorer[];
  /** Null: highest total first. */
  readonly picker: Picker | null;
  /** How many endpoints an answer holds at most: the first choice and its fallbacks. */
  readonly rankedCount: number;
  readonly rng: Rng;
  readonly matches: PrefixMatches;
  /** Matches in what is only assumed; null when no plugin reads them. */
  readonly assumed: PrefixMatches | null;
  /** A plugin threw or broke its contract, and was left out of one pick. */
  onPluginFault(name: string, cause: unknown): void;
}

const NO_HEADERS: readonly AnswerHeader[] = Object.freeze([]);

/**
 * Ranks the endpoints for one request: available members that pass all filters, scored by every
 * scorer, in the picker's order of their weighted means. The work arrays are reused, so one profile
 * serves one pick at a time. A plugin that fails is left out of that pick. Hot:
 * `npm run bench -- pick`.
 */
export class Profile {
  readonly name: string;
  readonly #options: ProfileOptions;
  /** Plugins that want to hear of bookings, and those that want headers in answers. */
  readonly #listeners: readonly Plugin[];
  readonly #answerers: readonly Plugin[];
  readonly #filters: FilterChain;
  readonly #board: ScoreBoard;
  /** Indices of the chosen candidates. */
  readonly #out: Int32Array;
  /** Positions of the chosen, then of fallbacks from the reserve. */
  readonly #chosen: { readonly positions: Int32Array; count: number };
  /** Values by which the reserve is ordered. */
  #spare: Float64Array = new Float64Array(0);

  constructor(options: ProfileOptions) {
    const { picker, filters, scorers, rankedCount } = options;
    assert(rankedCount >= 1, 'a profile ranks at least one endpoint');
    const onFault = this.#onPluginFault.bind(this);
    this.name = options.name;
    this.#options = options;
    this.#filters = new FilterChain(filters, onFault);
    this.#board = new ScoreBoard(scorers, onFault);
    const pickers = picker === null ? [] : [picker];
    const plugins = [...filters, ...scorers.map(({ scorer }) => scorer), ...pickers];
    // A plugin may filter and score: it hears of a booking once all the same.
    const distinct = [...new Set<Plugin>(plugins)];
    this.#listeners = distinct.filter((plugin) => plugin.noteBooked !== undefined);
    this.#answerers = distinct.filter((plugin) => plugin.answerHeader !== undefined);
    this.#out = new Int32Array(rankedCount);
    this.#chosen = { positions: new Int32Array(rankedCount), count: 0 };
  }

  /** Whether a plugin reads what endpoints are only assumed to hold. */
  get readsAssumed(): boolean {
    return this.#options.assumed !== null;
  }

  /** Ranks the members of `input`; an empty ranking when none is left. */
  rank(input: PickInput): Ranking {
    this.#options.matches.begin();
    this.#options.assumed?.begin();
    const availableCount = this.#filters.begin(input);
    const removed = this.#filters.run(input);
    return {
      ranked: this.#filters.candidates.count === 0 ? [] : this.#rankLeft(input),
      candidateCount: input.members.length,
      availableCount,
      removed,
      scorers: this.#board.names,
    };
  }

  /** Tells the plugins that the request of `input` goes to `slot`. */
  noteBooked(slot: number, input: PickInput): void {
    for (const plugin of this.#listeners) {
      try {
        plugin.noteBooked?.(slot, input);
      } catch (cause) {
        this.#onPluginFault(plugin.name, cause);
      }
    }
  }

  /** Headers that the plugins want in an answer of `slot`. */
  answerHeaders(slot: number, input: PickInput): readonly AnswerHeader[] {
    if (this.#answerers.length === 0) return NO_HEADERS;
    const headers: AnswerHeader[] = [];
    for (const plugin of this.#answerers) {
      try {
        const header = plugin.answerHeader?.(slot, input) ?? null;
        if (header !== null) headers.push(header);
      } catch (cause) {
        this.#onPluginFault(plugin.name, cause);
      }
    }
    return headers;
  }

  #onPluginFault(name: string, cause: unknown): void {
    this.#options.onPluginFault(name, cause);
  }

  #rankLeft(input: PickInput): RankedEndpoint[] {
    const { candidates } = this.#filters;
    const places = this.#order(input, candidates);
    const chosen = this.#chosen;
    for (let place = 0; place < places; place += 1) {
      chosen.positions[place] = candidates.positions[this.#out[place] as number] as number;
    }
    chosen.count = places;
    this.#addFallbacks(input);
    this.#options.matches.complete(input, { chosen, scored: places });
    const ranked: RankedEndpoint[] = [];
    for (let place = 0; place < chosen.count; place += 1) {
      ranked.push(this.#describe(input, place, place < places));
    }
    return ranked;
  }

  /** Fills the places of the answer with candidates; returns how many. */
  #order(input: PickInput, candidates: CandidateSet): number {
    const { picker, rng } = this.#options;
    const { count } = candidates;
    const out = this.#out;
    const totals = this.#board.score(input, candidates);
    const to = Math.min(out.length, count);
    if (picker === null) return takeBest(totals, count, { out, from: 0, to, rng });
    const places = this.#runPicker(picker, input, totals);
    if (places > 0) return places;
    // The failed picker may have used up the totals.
    return takeBest(this.#board.sum(count), count, { out, from: 0, to, rng });
  }

  /** How many places the picker filled; 0 when it failed. */
  #runPicker(picker: Picker, input: PickInput, totals: Float64Array): number {
    const { candidates } = this.#filters;
    try {
      const places = picker.order(input, candidates, totals, this.#out);
      if (isOrder(this.#out, places, candidates.count)) return places;
      this.#onPluginFault(picker.name, 'ordered what was no candidate, or one of them twice');
    } catch (cause) {
      this.#onPluginFault(picker.name, cause);
    }
    return 0;
  }

  /** Fills places that are left with the least busy of those that were only less wanted. */
  #addFallbacks(input: PickInput): void {
    const { reserve, candidates } = this.#filters;
    const chosen = this.#chosen;
    const isFull = chosen.count === this.#out.length || chosen.count < candidates.count;
    if (reserve.count === 0 || isFull) return;
    if (this.#spare.length < reserve.count)
      this.#spare = new Float64Array(reserve.positions.length);
    for (let i = 0; i < reserve.count; i += 1) {
      const slot = input.members[reserve.positions[i] as number] as number;
      this.#spare[i] = -requestsOn(input, slot);
    }
    const out = this.#out;
    const to = Math.min(out.length, chosen.count + reserve.count);
    const { rng } = this.#options;
    takeBest(this.#spare, reserve.count, { out, from: chosen.count, to, rng });
    for (let place = chosen.count; place < to; place += 1) {
      chosen.positions[place] = reserve.positions[out[place] as number] as number;
    }
    chosen.count = to;
  }

  #describe(input: PickInput, place: number, isScored: boolean): RankedEndpoint {
    const position = this.#chosen.positions[place] as number;
    const index = this.#out[place] as number;
    return {
      slot: input.members[position] as number,
      score: isScored ? this.#board.totalOf(index) : 0,
      reasons: isScored ? this.#board.reasonsOf(index) : this.#board.names.map(() => Number.NaN),
      predictedTtftMs: Number.NaN,
      predictedTpotMs: Number.NaN,
      matchedBlocks: this.#options.matches.at(position),
    };
  }
}

/** Whether the first `places` of `out` are distinct indices of candidates. */
function isOrder(out: Int32Array, places: number, count: number): boolean {
  if (!Number.isInteger(places) || places < 1 || places > Math.min(out.length, count)) return false;
  for (let place = 0; place < places; place += 1) {
    const index = out[place] as number;
    if (index < 0 || index >= count || out.indexOf(index) !== place) return false;
  }
  return true;
}
