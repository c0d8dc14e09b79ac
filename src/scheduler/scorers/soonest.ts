import type { ScorerDefinition } from '../framework/plugin.ts';
import type { PrefixMatches } from '../framework/prefix-matches.ts';
import type { LatencyModel } from '../latency/latency-model.ts';
import type { CandidateSet, LatencyObjective, PickInput, Scorer } from '../types.ts';
import { AdapterSlots } from './soonest-adapters.ts';
import { SoonestCosts } from './soonest-costs.ts';

/** What a soonest scorer is made of. */
export interface SoonestOptions {
  readonly name: string;
  readonly latency: LatencyModel;
  readonly matches: PrefixMatches;
  /** How many milliseconds of streaming one millisecond before the first token weighs. */
  readonly ttftWeight: number;
  /** Weight of the delay inflicted on others, relative to the request's own. */
  readonly othersWeight: number;
}

/** Scores below this are of endpoints that are not predicted to meet the objective. */
const MEETS_SCORE = 0.5;
/** How much a millisecond of work that another endpoint would not have outweighs one of packing. */
const PACKING_WORK_WEIGHT = 2;
/** Bounds of the margin kept to an objective: one standard deviation of predictions. */
const MARGIN_MIN = 0.05;
const MARGIN_MAX = 0.5;

/**
 * The default policy. Without an objective the score is the least cost of all candidates divided
 * by the candidate's own; `SoonestCosts` has the formula. With an objective, candidates predicted
 * to meet it score from 0.5 to 1, the most loaded highest (less what work it would repeat), and the
 * others below 0.5, by how far they are predicted to miss it.
 */
export class SoonestScorer implements Scorer {
  readonly type: string = 'soonest';
  readonly name: string;
  readonly #latency: LatencyModel;
  readonly #adapters = new AdapterSlots();
  readonly #costs: SoonestCosts;

  constructor(options: SoonestOptions) {
    this.name = options.name;
    this.#latency = options.latency;
    this.#costs = new SoonestCosts({ ...options, adapters: this.#adapters });
  }

  /** Predicted TTFT in ms of the last pick, by index into its candidates. */
  get predictedTtftMs(): Float64Array {
    return this.#costs.ttftMs;
  }

  /** Predicted TPOT in ms of the last pick, by index into its candidates. */
  get predictedTpotMs(): Float64Array {
    return this.#costs.tpotMs;
  }

  noteBooked(slot: number, input: PickInput): void {
    this.#adapters.noteBooked(slot, input);
  }

  score(input: PickInput, candidates: CandidateSet, scores: Float64Array): void {
    if (candidates.count === 0) return;
    this.#costs.fill(input, candidates);
    const { ttftMs, tpotMs } = input.objective;
    if (ttftMs === null && tpotMs === null) this.#scoreCosts(candidates.count, scores);
    else this.#scoreObjective(input, candidates, scores);
  }

  #scoreCosts(count: number, scores: Float64Array): void {
    const { costs } = this.#costs;
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < count; i += 1) least = Math.min(least, costs[i] as number);
    for (let i = 0; i < count; i += 1) scores[i] = least / (costs[i] as number);
  }

  /** Leaves violations above 0 as negative scores and packing values as they are, then scales. */
  #scoreObjective(input: PickInput, candidates: CandidateSet, scores: Float64Array): void {
    const { count } = candidates;
    const violations = this.#costs.scratch;
    let most = Number.NEGATIVE_INFINITY;
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < count; i += 1) {
      violations[i] = this.#violation(input, candidates, i);
      if ((violations[i] as number) > 0) continue;
      const value = this.#packingValue(input.objective, input.outputTokens, i);
      scores[i] = value;
      most = Math.max(most, value);
      least = Math.min(least, value);
    }
    const range = Math.max(most - least, Number.EPSILON);
    for (let i = 0; i < count; i += 1) {
      const violation = violations[i] as number;
      if (violation > 0) scores[i] = (MEETS_SCORE * 0.999) / (1 + violation);
      else scores[i] = 1 - ((1 - MEETS_SCORE) * (most - (scores[i] as number))) / range;
    }
  }

  /** By what share of the objective the prediction and its margin exceed it, TTFT plus TPOT. */
  #violation(input: PickInput, candidates: CandidateSet, i: number): number {
    const { ttftMs, tpotMs } = input.objective;
    const slot = input.members[candidates.positions[i] as number] as number;
    let violation = 0;
    if (ttftMs !== null) {
      const margin = 1 + marginOf(this.#latency.ttft.errorOf(slot));
      const predicted = this.#costs.ttftMs[i] as number;
      violation += Math.max(0, (predicted * margin) / ttftMs - 1);
    }
    if (tpotMs !== null) {
      const margin = 1 + marginOf(this.#latency.tpot.errorOf(slot));
      const predicted = this.#costs.tpotMs[i] as number;
      violation += Math.max(0, (predicted * margin) / tpotMs - 1);
    }
    return violation;
  }

  /** How much of the objective the endpoint's present load takes, less the work to be repeated. */
  #packingValue(objective: LatencyObjective, outputTokens: number, i: number): number {
    const { ttftMs, tpotMs } = objective;
    const workMs = this.#costs.workMs[i] as number;
    const waitMs = (this.#costs.ttftMs[i] as number) - workMs;
    const ttftLoad = ttftMs === null ? 0 : waitMs / ttftMs;
    const tpotLoad = tpotMs === null ? 0 : (this.#costs.tpotMs[i] as number) / tpotMs;
    const scaleMs = ttftMs ?? outputTokens * (tpotMs as number);
    return Math.max(ttftLoad, tpotLoad) - (PACKING_WORK_WEIGHT * workMs) / Math.max(1, scaleMs);
  }
}

function marginOf(error: number): number {
  return Math.min(MARGIN_MAX, Math.max(MARGIN_MIN, error));
}

/** The default policy as a plugin. */
export const SOONEST_SCORER: ScorerDefinition = Object.freeze({
  kind: 'scorer',
  type: 'soonest',
  summary:
    'Prefers the endpoint predicted to answer soonest: least cost / own cost, with cost = ' +
    'ttftWeight × TTFT + output × TPOT + othersWeight × delay inflicted on others; with an ' +
    'objective, the most loaded endpoint that is predicted to meet it.',
  options: [
    {
      kind: 'number',
      name: 'ttftWeight',
      doc: 'How many milliseconds of streaming one millisecond before the first token weighs.',
      default: 4,
      min: 0,
      max: 1000,
      unit: '',
    },
    {
      kind: 'number',
      name: 'othersWeight',
      doc: 'Weight of the delay inflicted on other requests, relative to its own.',
      default: 1,
      min: 0,
      max: 100,
      unit: '',
    },
  ],
  create: (options, context) =>
    new SoonestScorer({
      name: context.name,
      latency: context.latency,
      matches: context.matches,
      ttftWeight: options.number('ttftWeight'),
      othersWeight: options.number('othersWeight'),
    }),
} satisfies ScorerDefinition);
