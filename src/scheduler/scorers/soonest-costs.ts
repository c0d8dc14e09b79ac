import type { PrefixMatches } from '../framework/prefix-matches.ts';
import type { LatencyModel } from '../latency/latency-model.ts';
import { TOKENS_PER_UNIT, TPOT_WIDTH, TTFT_WIDTH } from '../latency/latency-model.ts';
import type { CandidateSet, PickInput } from '../types.ts';
import type { AdapterSlots } from './soonest-adapters.ts';
import { MemoryTurns } from './soonest-memory.ts';
import { RepeatedWork } from './soonest-repeats.ts';

/** What costs are worked out from. */
export interface SoonestCostOptions {
  readonly latency: LatencyModel;
  readonly matches: PrefixMatches;
  readonly adapters: AdapterSlots;
  readonly ttftWeight: number;
  readonly othersWeight: number;
}

/**
 * Requests that come while a queue lasts and are delayed by what is added to it, per request that
 * waits in it now. By Little's law as many arrive in the time a queue takes as wait in it; each
 * delayed one delays others, by 1 / (1 - utilisation), which is 2 at half load.
 */
const QUEUE_FOLLOWERS = 2;
/**
 * Least share of the step that one more sequence adds: reading 1,000 tokens of KV cache beside the
 * weights (roofline of models of 7 to 70 billion parameters: 0.4 to 1.6 %).
 */
const STEP_GROWTH_MIN = 0.0075;
const PER_TOKEN = 1 / TOKENS_PER_UNIT;

/**
 * Cost of a request on each candidate, in milliseconds of streaming:
 *
 *     cost      = ttftWeight × TTFT + output × TPOT + othersWeight × inflicted
 *     TTFT      = base + each × requests there + ahead + work + wait for KV blocks or a seat
 *     work      = uncached prompt tokens ÷ prefill rate + adapter load
 *     inflicted = decoding × work                        they stand still for it
 *               + ttftWeight × work × 2 × queue          those who wait, and come while it lasts
 *               + repeats × (ttftWeight + mean decoding) × work          whose blocks are put out
 *               + step growth × min(output × requests, output that is left there)
 *               + ttftWeight × output × TPOT × turns     who wait for the room that it takes
 *
 * `MemoryTurns` and `RepeatedWork` say what full caches do.
 *
 * Columns are by index into the candidates of the last pick, and are reused.
 */
export class SoonestCosts {
  costs: Float64Array = new Float64Array(16);
  ttftMs: Float64Array = new Float64Array(16);
  tpotMs: Float64Array = new Float64Array(16);
  /** Of `ttftMs`, what this request itself makes the endpoint do. */
  workMs: Float64Array = new Float64Array(16);
  /** For the caller. */
  scratch: Float64Array = new Float64Array(16);
  /** Prompt tokens that are cached. */
  #cachedTokens: Float64Array = new Float64Array(16);
  readonly #options: SoonestCostOptions;
  readonly #repeated: RepeatedWork;
  readonly #memory = new MemoryTurns();
  #meanStretch = 1;
  #meanRequests = 0;

  constructor(options: SoonestCostOptions) {
    this.#options = options;
    this.#repeated = new RepeatedWork(options.matches);
  }

  /** The request of the last pick was booked. */
  noteBooked(): void {
    this.#repeated.noteBooked();
  }

  /** Works out all columns. */
  fill(input: PickInput, candidates: CandidateSet): void {
    if (this.costs.length < candidates.count) this.#grow(candidates.count);
    this.#options.latency.prepare(input.members, input.load, input.nowMs);
    this.#fillWork(input, candidates);
    const cachedTokens = this.#cachedTokens;
    const seats = this.#options.latency.seats.limits;
    this.#memory.measure({ input, candidates, cachedTokens, seats });
    this.#fillCosts(input, candidates);
  }

  #grow(count: number): void {
    const size = 2 ** Math.ceil(Math.log2(count));
    this.costs = new Float64Array(size);
    this.ttftMs = new Float64Array(size);
    this.tpotMs = new Float64Array(size);
    this.workMs = new Float64Array(size);
    this.scratch = new Float64Array(size);
    this.#cachedTokens = new Float64Array(size);
    this.#repeated.grow(size);
    this.#memory.grow(size);
  }

  /** What the request makes each endpoint do before its first token. */
  #fillWork(input: PickInput, candidates: CandidateSet): void {
    const { members, promptTokens, residency, blocks } = input;
    const { positions, count } = candidates;
    const { latency, matches, adapters } = this.#options;
    const { parameters, gains } = latency.ttft;
    const { loadMs } = latency.adapterLoad;
    const { workMs } = this;
    const cachedTokens = this.#cachedTokens;
    const matched = matches.of(input, candidates);
    const share = 1 / Math.max(1, blocks === null ? 0 : blocks.count);
    for (let i = 0; i < count; i += 1) {
      const position = positions[i] as number;
      const slot = members[position] as number;
      const cached = promptTokens * (matched[position] as number) * share;
      const perUnitMs = (parameters[slot * TTFT_WIDTH + 1] as number) * (gains[slot] as number);
      cachedTokens[i] = cached;
      workMs[i] = perUnitMs * (promptTokens - cached) * PER_TOKEN;
    }
    this.#repeated.fill(input, candidates);
    if (residency === null) return;
    for (let i = 0; i < count; i += 1) {
      const position = positions[i] as number;
      const loads = adapters.loadsFor(input, position, residency);
      const slot = members[position] as number;
      workMs[i] = (workMs[i] as number) + loads * (loadMs[slot] as number);
    }
  }

  /**
   * Means over the candidates: how many times the step time a token takes, and requests in flight.
   */
  #fillMeans({ members, load }: PickInput, { positions, count }: CandidateSet): void {
    const { stretches } = this.#options.latency;
    let stretch = 0;
    let requests = 0;
    for (let i = 0; i < count; i += 1) {
      const slot = members[positions[i] as number] as number;
      stretch += stretches[slot] as number;
      requests += load.requestsInFlight[slot] as number;
    }
    this.#meanStretch = stretch / count;
    this.#meanRequests = requests / count;
  }

  /**
   * Everything else, in one pass, as most of its time goes to reading columns. What prompts add to
   * the time per token is the endpoint's own for the prediction, and the pool's mean for the cost:
   * which of equal endpoints had more of them lately is chance.
   */
  #fillCosts(input: PickInput, candidates: CandidateSet): void {
    const { load, members, outputTokens } = input;
    const { positions, count } = candidates;
    const { requestsInFlight, foreignRequests, prefillTokensInFlight, tokensInFlight } = load;
    const { kvCacheUsage, reportedWaiting } = load;
    const { latency, ttftWeight, othersWeight } = this.#options;
    const { parameters: first, gains: firstGains, means } = latency.ttft;
    const { parameters: step, gains: stepGains } = latency.tpot;
    const { stretches } = latency;
    const { costs, ttftMs, tpotMs, workMs } = this;
    const { repeats } = this.#repeated;
    const { turns, inflicted: roomTurns } = this.#memory;
    this.#fillMeans(input, candidates);
    const stretch = this.#meanStretch;
    const queueWeight = ttftWeight * QUEUE_FOLLOWERS;
    const repeatWeight = ttftWeight + this.#meanRequests;
    for (let i = 0; i < count; i += 1) {
      const slot = members[positions[i] as number] as number;
      const others = (requestsInFlight[slot] as number) + (foreignRequests[slot] as number);
      const ahead = prefillTokensInFlight[slot] as number;
      const usage = kvCacheUsage[slot] as number;
      const work = workMs[i] as number;
      const s = slot * TPOT_WIDTH;
      const gain = stepGains[slot] as number;
      const base = step[s] as number;
      const growth = larger(step[s + 1] as number, STEP_GROWTH_MIN * base) * gain;
      const kvMs = usage >= 0 ? (step[s + 2] as number) * usage : 0;
      const stepMs = (base + kvMs) * gain + growth * (others + 1);
      const lifeMs = outputTokens * stepMs * stretch;

      const f = slot * TTFT_WIDTH;
      const aheadMs = (first[f + 2] as number) * ahead * PER_TOKEN;
      const fixedMs = (first[f] as number) + (first[f + 3] as number) * others;
      const waitMs =
        (fixedMs + aheadMs) * (firstGains[slot] as number) + (turns[i] as number) * lifeMs;

      const usual = (means[f + 1] as number) * TOKENS_PER_UNIT;
      const prefilling = ahead < others * usual ? ahead / usual : ahead > 0 ? others : 0;
      const queue = larger(prefilling, reportedWaiting[slot] as number);
      const delayed = smaller(outputTokens * others, (tokensInFlight[slot] as number) - ahead);
      const repeated = repeatWeight * (repeats[i] as number);
      const delays = others - prefilling + queueWeight * queue + repeated;
      const roomMs = ttftWeight * (roomTurns[i] as number) * lifeMs;
      const inflicted = delays * work + growth * stretch * delayed + roomMs;
      ttftMs[i] = waitMs + work;
      tpotMs[i] = stepMs * (stretches[slot] as number);
      costs[i] = ttftWeight * (waitMs + work) + lifeMs + othersWeight * inflicted;
    }
  }
}

function larger(a: number, b: number): number {
  return a > b ? a : b;
}

function smaller(a: number, b: number): number {
  return a < b ? a : b;
}
