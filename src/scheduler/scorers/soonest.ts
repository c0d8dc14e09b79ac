import type { ScorerDefinition } from '../framework/plugin.ts';
import type { PrefixMatches } from '../framework/prefix-matches.ts';
import type { LatencyModel } from '../latency/latency-model.ts';
import { TOKENS_PER_UNIT, TTFT_WIDTH } from '../latency/latency-model.ts';
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

/**
 * Least score of an endpoint that may be packed further, and of one that meets the objective but
 * has too little left of it.
 */
const PACK_SCORE = 0.6;
const MEET_SCORE = 0.3;
/**
 * Endpoints are packed up to these shares of the objective. Whoever comes later does not delay a
 * first token, as engines take prompts in order, but does slow down every token after it.
 */
const TTFT_PACK_SHARE = 0.6;
const TPOT_PACK_SHARE = 0.5;
/** Stands for an endpoint that may be packed, where others have their share of the objective. */
const MAY_PACK = -1;
/** How much a millisecond of work that another endpoint would not have outweighs one of packing. */
const PACKING_WORK_WEIGHT = 2;
/**
 * Times the base delay that a prediction is kept away from an objective, for the running step. To
 * this comes that prompts ahead may have just begun, where predictions take them to be half done.
 */
const BASE_MARGIN = 2;
/** Bounds of the further margin: one standard deviation of predictions. */
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
    this.#costs.noteBooked();
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

  /** Packs where there is room to, else least cost where it is met, else least cost times miss. */
  #scoreObjective(input: PickInput, candidates: CandidateSet, scores: Float64Array): void {
    const { count } = candidates;
    const { costs, scratch: shares } = this.#costs;
    let most = Number.NEGATIVE_INFINITY;
    let least = Number.POSITIVE_INFINITY;
    let leastCost = Number.POSITIVE_INFINITY;
    for (let i = 0; i < count; i += 1) {
      leastCost = Math.min(leastCost, costs[i] as number);
      const slot = input.members[candidates.positions[i] as number] as number;
      const share = this.#shareOf(input, slot, i);
      shares[i] = share;
      if (share !== MAY_PACK) continue;
      const value = this.#packingValue(input.objective, input.outputTokens, i);
      scores[i] = value;
      most = Math.max(most, value);
      least = Math.min(least, value);
    }
    const range = Math.max(most - least, Number.EPSILON);
    for (let i = 0; i < count; i += 1) {
      const share = shares[i] as number;
      const cheapness = leastCost / (costs[i] as number);
      if (share === MAY_PACK) {
        scores[i] = 1 - ((1 - PACK_SCORE) * (most - (scores[i] as number))) / range;
      } else if (share <= 1) scores[i] = MEET_SCORE + (PACK_SCORE - MEET_SCORE) * cheapness * 0.999;
      else scores[i] = (MEET_SCORE * 0.999 * cheapness) / share;
    }
  }

  /** What predictions and margins take of the objective, 1 or less to meet it; or MAY_PACK. */
  #shareOf({ objective, load }: PickInput, slot: number, i: number): number {
    const { ttftMs, tpotMs } = objective;
    const { ttft, tpot } = this.#latency;
    let ttftShare = 0;
    if (ttftMs !== null) {
      const at = slot * TTFT_WIDTH;
      const own = ttft.parameters[at + 1] as number;
      const ahead = ttft.parameters[at + 2] as number;
      const unknownMs =
        (Math.max(0, own - ahead) * (load.prefillTokensInFlight[slot] as number)) / TOKENS_PER_UNIT;
      const baseMs = BASE_MARGIN * (ttft.parameters[at] as number);
      const predictedMs = (this.#costs.ttftMs[i] as number) * (1 + marginOf(ttft.errorOf(slot)));
      ttftShare = (predictedMs + unknownMs + baseMs) / ttftMs;
    }
    let tpotShare = 0;
    if (tpotMs !== null) {
      const predictedMs = (this.#costs.tpotMs[i] as number) * (1 + marginOf(tpot.errorOf(slot)));
      tpotShare = predictedMs / tpotMs;
    }
    const mayPack = ttftShare <= TTFT_PACK_SHARE && tpotShare <= TPOT_PACK_SHARE;
    return mayPack ? MAY_PACK : Math.max(ttftShare, tpotShare);
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
    'ttftWeight × TTFT + output × TPOT + othersWeight × delay inflicted on others, be it by ' +
    'waiting for work or for room in full KV caches, by slower steps, or by prompts that must be ' +
    'prefilled again because a full cache puts out their blocks for this one; with an ' +
    'objective, the most loaded endpoint that is predicted to meet it.',
  options: [
    {
      kind: 'number',
      name: 'ttftWeight',
      doc: 'How many milliseconds of streaming one millisecond before the first token weighs.',
      default: 6,
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
