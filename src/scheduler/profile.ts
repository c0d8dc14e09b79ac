import { assert } from '../core/assert.ts';
import type { Rng } from '../core/rng.ts';
import { Candidates } from './framework/candidates.ts';
import type { PrefixMatches } from './framework/prefix-matches.ts';
import { takeBest } from './pickers/best-first.ts';
import type {
  AnswerHeader,
  Filter,
  Picker,
  PickInput,
  Plugin,
  RankedEndpoint,
  Ranking,
  Removal,
  Scorer,
  WeightedScorer,
} from './types.ts';
import { REMOVED_SLOTS_MAX } from './types.ts';

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
  /** A plugin threw or broke its contract, and was left out of one pick. */
  onPluginFault(name: string, cause: unknown): void;
}

const NOTHING_REMOVED: readonly Removal[] = Object.freeze([]);

/**
 * Ranks the endpoints for one request: available members that pass all filters, scored by every
 * scorer, in the picker's order of their weighted means. The work arrays are reused, so one profile
 * serves one pick at a time. A plugin that fails is left out of that pick. Hot:
 * `npm run bench -- pick`.
 */
export class Profile {
  readonly name: string;
  /** Each plugin once, whatever it does. */
  readonly #plugins: readonly Plugin[];
  readonly #filters: readonly Filter[];
  readonly #scorers: readonly Scorer[];
  readonly #scorerNames: readonly string[];
  readonly #weights: Float64Array;
  readonly #picker: Picker | null;
  readonly #rng: Rng;
  readonly #matches: PrefixMatches;
  readonly #onPluginFault: (name: string, cause: unknown) => void;
  readonly #candidates = new Candidates();
  /** Indices of the chosen candidates, and their positions. */
  readonly #out: Int32Array;
  readonly #chosen: { readonly positions: Int32Array; count: number };
  /** One array of scores per scorer, then the totals; index as in the candidates. */
  #scores: Float64Array[] = [];
  #totals: Float64Array = new Float64Array(0);

  constructor(options: ProfileOptions) {
    const { scorers } = options;
    assert(options.rankedCount >= 1, 'a profile ranks at least one endpoint');
    assert(
      scorers.every(({ weight }) => weight >= 0 && Number.isFinite(weight)),
      'weights are 0 or more',
    );
    const weightSum = scorers.reduce((sum, { weight }) => sum + weight, 0);
    this.name = options.name;
    this.#filters = options.filters;
    this.#scorers = scorers.map(({ scorer }) => scorer);
    const { picker } = options;
    this.#plugins = distinct([...options.filters, ...this.#scorers, ...(picker ? [picker] : [])]);
    this.#scorerNames = Object.freeze(scorers.map(({ scorer }) => scorer.name));
    this.#weights = Float64Array.from(scorers, ({ weight }) => weight / Math.max(weightSum, 1e-9));
    this.#picker = picker;
    this.#rng = options.rng;
    this.#matches = options.matches;
    this.#onPluginFault = (name, cause) => {
      options.onPluginFault(name, cause);
    };
    this.#out = new Int32Array(options.rankedCount);
    this.#chosen = { positions: new Int32Array(options.rankedCount), count: 0 };
  }

  /** Names of the scorers, in the order of `RankedEndpoint.reasons`. */
  get scorerNames(): readonly string[] {
    return this.#scorerNames;
  }

  /** Ranks the members of `input`; an empty ranking when none is left. */
  rank(input: PickInput): Ranking {
    this.#matches.begin();
    const candidates = this.#candidates;
    candidates.begin(input);
    const availableCount = candidates.count;
    const removed = this.#runFilters(input);
    return {
      ranked: candidates.count === 0 ? [] : this.#rankLeft(input),
      candidateCount: input.members.length,
      availableCount,
      removed,
      scorers: this.#scorerNames,
    };
  }

  /** Tells the plugins that the request of `input` goes to `slot`. */
  noteBooked(slot: number, input: PickInput): void {
    for (const plugin of this.#plugins) {
      try {
        plugin.noteBooked?.(slot, input);
      } catch (cause) {
        this.#onPluginFault(plugin.name, cause);
      }
    }
  }

  /** Headers that the plugins want in an answer of `slot`. */
  answerHeaders(slot: number, input: PickInput): readonly AnswerHeader[] {
    const headers: AnswerHeader[] = [];
    for (const plugin of this.#plugins) {
      try {
        const header = plugin.answerHeader?.(slot, input) ?? null;
        if (header !== null) headers.push(header);
      } catch (cause) {
        this.#onPluginFault(plugin.name, cause);
      }
    }
    return headers;
  }

  #runFilters(input: PickInput): readonly Removal[] {
    const candidates = this.#candidates;
    let removed: Removal[] | null = null;
    for (const filter of this.#filters) {
      if (candidates.count === 0) break;
      const before = candidates.count;
      this.#runFilter(filter, input);
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

  #runFilter(filter: Filter, input: PickInput): void {
    const candidates = this.#candidates;
    candidates.save();
    try {
      const kept = filter.keep(input, candidates);
      if (candidates.take(kept)) return;
      this.#onPluginFault(filter.name, 'kept what was no candidate, or in another order');
    } catch (cause) {
      this.#onPluginFault(filter.name, cause);
    }
    candidates.restore();
  }

  #rankLeft(input: PickInput): RankedEndpoint[] {
    if (this.#totals.length < this.#candidates.size) this.#grow(this.#candidates.size);
    this.#scoreAll(input);
    const places = this.#order(input);
    this.#matchRanked(input, places);
    const ranked: RankedEndpoint[] = [];
    for (let place = 0; place < places; place += 1) {
      ranked.push(this.#describe(input, this.#out[place] as number));
    }
    return ranked;
  }

  #grow(size: number): void {
    this.#totals = new Float64Array(size);
    this.#scores = this.#scorers.map(() => new Float64Array(size));
  }

  #scoreAll(input: PickInput): void {
    const { count } = this.#candidates;
    this.#totals.fill(0, 0, count);
    for (let index = 0; index < this.#scorers.length; index += 1) {
      const scores = this.#scores[index] as Float64Array;
      // What a scorer leaves out must not be taken from an earlier pick.
      scores.fill(Number.NaN, 0, count);
      if (this.#runScorer(this.#scorers[index] as Scorer, input, scores)) {
        this.#addScores(scores, this.#weights[index] as number);
      } else {
        scores.fill(Number.NaN, 0, count);
      }
    }
  }

  /** False when the scorer failed. */
  #runScorer(scorer: Scorer, input: PickInput, scores: Float64Array): boolean {
    const candidates = this.#candidates;
    try {
      scorer.score(input, candidates, scores);
    } catch (cause) {
      this.#onPluginFault(scorer.name, cause);
      return false;
    }
    if (clampScores(scores, candidates.count)) return true;
    this.#onPluginFault(scorer.name, 'gave a score that is no number');
    return false;
  }

  #addScores(scores: Float64Array, weight: number): void {
    const totals = this.#totals;
    for (let i = 0; i < this.#candidates.count; i += 1) {
      totals[i] = (totals[i] as number) + weight * (scores[i] as number);
    }
  }

  /** Fills the places of the answer; returns how many. */
  #order(input: PickInput): number {
    const { count } = this.#candidates;
    const out = this.#out;
    if (this.#picker !== null) {
      const places = this.#runPicker(this.#picker, input);
      if (places > 0) return places;
      // The failed picker may have used up the totals.
      this.#totals.fill(0, 0, count);
      for (let i = 0; i < count; i += 1) this.#totals[i] = this.#totalOf(i);
    }
    const to = Math.min(out.length, count);
    return takeBest(this.#totals, count, { out, from: 0, to, rng: this.#rng });
  }

  /** How many places the picker filled; 0 when it failed. */
  #runPicker(picker: Picker, input: PickInput): number {
    const candidates = this.#candidates;
    try {
      const places = picker.order(input, candidates, this.#totals, this.#out);
      if (isOrder(this.#out, places, candidates.count)) return places;
      this.#onPluginFault(picker.name, 'ordered what was no candidate, or one of them twice');
    } catch (cause) {
      this.#onPluginFault(picker.name, cause);
    }
    return 0;
  }

  #totalOf(index: number): number {
    let total = 0;
    for (let scorer = 0; scorer < this.#scores.length; scorer += 1) {
      const score = (this.#scores[scorer] as Float64Array)[index] as number;
      if (score >= 0) total += (this.#weights[scorer] as number) * score;
    }
    return total;
  }

  /** Looks up what the chosen hold, in case no plugin has asked. */
  #matchRanked(input: PickInput, places: number): void {
    const chosen = this.#chosen;
    for (let place = 0; place < places; place += 1) {
      chosen.positions[place] = this.#candidates.positions[this.#out[place] as number] as number;
    }
    chosen.count = places;
    this.#matches.of(input, chosen);
  }

  #describe(input: PickInput, index: number): RankedEndpoint {
    const reasons: number[] = [];
    for (const scores of this.#scores) reasons.push(scores[index] as number);
    const position = this.#candidates.positions[index] as number;
    return {
      slot: input.members[position] as number,
      score: this.#totalOf(index),
      reasons,
      predictedTtftMs: Number.NaN,
      predictedTpotMs: Number.NaN,
      matchedBlocks: this.#matches.at(position),
    };
  }
}

function distinct(plugins: readonly Plugin[]): readonly Plugin[] {
  return [...new Set(plugins)];
}

/** Moves scores into [0, 1]; false when one of them is NaN. */
function clampScores(scores: Float64Array, count: number): boolean {
  for (let i = 0; i < count; i += 1) {
    const score = scores[i] as number;
    if (score >= 0 && score <= 1) continue;
    if (Number.isNaN(score)) return false;
    scores[i] = score < 0 ? 0 : 1;
  }
  return true;
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
