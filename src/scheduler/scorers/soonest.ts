import { assert } from '../../core/assert.ts';
import type { ScorerDefinition } from '../framework/plugin.ts';
import type { PrefixMatches } from '../framework/prefix-matches.ts';
import { LatencyModel, TOKENS_PER_UNIT, TPOT_WIDTH, TTFT_WIDTH } from '../latency/latency-model.ts';
import type { CandidateSet, PickInput, PromptBlocks, Scorer } from '../types.ts';

/** What a soonest scorer reads. */
export interface SoonestOptions {
  readonly name: string;
  readonly latency: LatencyModel;
  readonly matches: PrefixMatches;
  /** Weight of the delay inflicted on others, relative to the request's own. */
  readonly othersWeight: number;
}

/** Fewest bytes a token is taken to have, where the prompt was hashed in part only. */
const BYTES_PER_TOKEN_MIN = 2;
/**
 * Share of an adapter's load time that keeping a second idle copy of it is taken to cost, as it
 * holds a slot that others may need.
 */
const IDLE_COPY_COST = 0.1;

/**
 * Predicted time to answer plus the delay inflicted on those already there; the score is that of
 * the best endpoint divided by the endpoint's own:
 *
 *     cost      = TTFT + output × TPOT + othersWeight × inflicted
 *     inflicted = others × (own prefill + adapter load)          each of them stands still for it
 *               + step growth × min(output × others, their remaining output)
 *
 * With an objective, endpoints predicted to meet it come first and the most loaded of them wins;
 * where none does, the smallest expected violation.
 */
export class SoonestScorer implements Scorer {
  readonly type: string = 'soonest';
  readonly name: string;
  readonly #latency: LatencyModel;
  readonly #matches: PrefixMatches;
  readonly #othersWeight: number;
  #costs = new Float64Array(16);
  #ttftMs = new Float64Array(16);
  #tpotMs = new Float64Array(16);

  constructor(options: SoonestOptions) {
    this.name = options.name;
    this.#latency = options.latency;
    this.#matches = options.matches;
    this.#othersWeight = options.othersWeight;
  }

  /** Predicted TTFT in ms of the last pick, by index into its candidates. */
  get predictedTtftMs(): Float64Array {
    return this.#ttftMs;
  }

  /** Predicted TPOT in ms of the last pick, by index into its candidates. */
  get predictedTpotMs(): Float64Array {
    return this.#tpotMs;
  }

  score(input: PickInput, candidates: CandidateSet, scores: Float64Array): void {
    const { count } = candidates;
    if (this.#costs.length < count) this.#grow(count);
    this.#latency.prepare(input.members, input.nowMs);
    this.#predict(input, candidates);
    const costs = this.#costs;
    let best = Number.POSITIVE_INFINITY;
    for (let i = 0; i < count; i += 1) best = Math.min(best, costs[i] as number);
    for (let i = 0; i < count; i += 1) scores[i] = best / (costs[i] as number);
  }

  #grow(count: number): void {
    const size = 2 ** Math.ceil(Math.log2(count));
    this.#costs = new Float64Array(size);
    this.#ttftMs = new Float64Array(size);
    this.#tpotMs = new Float64Array(size);
  }

  #predict(input: PickInput, candidates: CandidateSet): void {
    const { load, members, residency, promptTokens, outputTokens } = input;
    const { positions, count } = candidates;
    const { requestsInFlight, foreignRequests, prefillTokensInFlight, tokensInFlight } = load;
    const { ttft, tpot, adapterLoad } = this.#latency;
    const matched = this.#matches.of(input, candidates);
    const blockTokens = tokensPerBlock(input.blocks, promptTokens);
    for (let i = 0; i < count; i += 1) {
      const position = positions[i] as number;
      const slot = members[position] as number;
      const others = (requestsInFlight[slot] as number) + (foreignRequests[slot] as number);
      const ahead = prefillTokensInFlight[slot] as number;
      const cached = (matched[position] as number) * blockTokens;
      const uncached = Math.max(1, promptTokens - cached);
      const usage = load.kvCacheUsage[slot] as number;

      const t = slot * TTFT_WIDTH;
      const ttftGain = ttft.gains[slot] as number;
      const ownMs = ((ttft.parameters[t + 1] as number) * ttftGain * uncached) / TOKENS_PER_UNIT;
      const aheadMs = ((ttft.parameters[t + 2] as number) * ahead) / TOKENS_PER_UNIT;
      const eachMs = (ttft.parameters[t + 3] as number) * others;
      const waitMs = ((ttft.parameters[t] as number) + aheadMs + eachMs) * ttftGain;

      const p = slot * TPOT_WIDTH;
      const tpotGain = tpot.gains[slot] as number;
      const growthMs = (tpot.parameters[p + 1] as number) * tpotGain;
      const full = (tpot.parameters[p + 2] as number) * (usage >= 0 ? usage : 0);
      const tpotMs = ((tpot.parameters[p] as number) + full) * tpotGain + growthMs * (others + 1);

      const loadMs =
        residency === null
          ? 0
          : loadShare(residency[position] as number) * (adapterLoad.loadMs[slot] as number);
      const remaining = Math.max(0, (tokensInFlight[slot] as number) - ahead);
      const ttftMs = waitMs + ownMs + loadMs;
      const inflicted =
        others * (ownMs + loadMs) + growthMs * Math.min(outputTokens * others, remaining);
      this.#ttftMs[i] = ttftMs;
      this.#tpotMs[i] = tpotMs;
      this.#costs[i] = ttftMs + outputTokens * tpotMs + this.#othersWeight * inflicted;
    }
  }
}

function loadShare(residency: number): number {
  if (residency === 0) return 1;
  return residency === 1 ? IDLE_COPY_COST : 0;
}

/** Prompt tokens that one matched block saves; the part after the last whole block has no hash. */
function tokensPerBlock(blocks: PromptBlocks | null, promptTokens: number): number {
  if (blocks === null || blocks.count === 0) return 0;
  return Math.min(promptTokens / (blocks.count + 0.5), blocks.blockBytes / BYTES_PER_TOKEN_MIN);
}

/** The default policy. */
export const SOONEST: ScorerDefinition = Object.freeze({
  kind: 'scorer',
  type: 'soonest',
  summary:
    'Prefers the endpoint predicted to answer soonest, the delay inflicted on others included: ' +
    'best cost / own cost, cost = TTFT + output × TPOT + othersWeight × inflicted.',
  options: [
    {
      kind: 'number',
      name: 'othersWeight',
      doc: 'Weight of the delay inflicted on requests already there, relative to its own.',
      default: 1,
      min: 0,
      max: 10,
      unit: '',
    },
  ],
  create: (options, context) => {
    const { latency, matches } = context;
    assert(latency instanceof LatencyModel, 'soonest needs the built-in latency model');
    return new SoonestScorer({
      name: context.name,
      latency,
      matches,
      othersWeight: options.number('othersWeight'),
    });
  },
} satisfies ScorerDefinition);
