import type { PrefixMatches } from '../framework/prefix-matches.ts';
import type { LatencyModel } from '../latency/latency-model.ts';
import { TOKENS_PER_UNIT, TPOT_WIDTH, TTFT_WIDTH } from '../latency/latency-model.ts';
import type { CandidateSet, PickInput } from '../types.ts';
import type { AdapterSlots } from './soonest-adapters.ts';

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
/** Share of the KV cache that engines keep free for sequences that grow. */
const KV_RESERVE = 0.02;
/**
 * Share of what a full cache puts out for new blocks that is asked for again, so that it is
 * prefilled once more and puts out other blocks in turn. Conversations and shared prefixes whose
 * working set is a little larger than the caches lose 0.2 to 0.6 of it so in the lab; higher values
 * keep prompts where they are although others wait there.
 */
const ASKED_AGAIN = 0.3;
/** Times at most that work which new blocks make is done again by others: the sum of the series. */
const REFILLS_MAX = ASKED_AGAIN / (1 - ASKED_AGAIN);
/** Weight of one more prompt in the share of prompts that is found cached. */
const HIT_WEIGHT = 1 / 256;
/** Slope that makes the logistic function like the distribution function of a normal one. */
const NORMAL_SLOPE = 1.702;
/** Deviations of room in the cache beyond which it is not full. */
const ROOM_DEVIATIONS = 3;
const PER_TOKEN = 1 / TOKENS_PER_UNIT;
/** A wait for KV blocks is worked out as if at least this share of the cache were in use. */
const KV_HELD_MIN = 0.1;

/**
 * Cost of a request on each candidate, in milliseconds of streaming:
 *
 *     cost      = ttftWeight × TTFT + output × TPOT + othersWeight × inflicted
 *     TTFT      = base + each × requests there + ahead + work + wait for KV blocks or a seat
 *     work      = uncached prompt tokens ÷ prefill rate + adapter load
 *     inflicted = decoding × work                        they stand still for it
 *               + ttftWeight × work × 2 × queue          those who wait, and come while it lasts
 *               + refills × full × (ttftWeight + mean decoding) × work   whose blocks are put out
 *               + step growth × min(output × requests, output that is left there)
 *
 * Columns are by index into the candidates of the last pick, and are reused.
 */
export class SoonestCosts {
  costs: Float64Array = new Float64Array(16);
  ttftMs: Float64Array = new Float64Array(16);
  tpotMs: Float64Array = new Float64Array(16);
  /** Of `ttftMs`, what this request itself makes the endpoint do. */
  workMs: Float64Array = new Float64Array(16);
  /** How full each prefix cache is believed to be, 0 to 1: an empty one puts out nothing. */
  #full: Float64Array = new Float64Array(16);
  /** For the caller. */
  scratch: Float64Array = new Float64Array(16);
  readonly #options: SoonestCostOptions;
  #meanStretch = 1;
  #meanRequests = 0;
  /** Share of the last prompt that some candidate has cached. */
  #lastHit = 0;
  /** The same over the prompts that were booked. */
  #hitShare = 0;

  constructor(options: SoonestCostOptions) {
    this.#options = options;
  }

  /** The request of the last pick was booked. */
  noteBooked(): void {
    this.#hitShare += (this.#lastHit - this.#hitShare) * HIT_WEIGHT;
  }

  /** Works out all columns. */
  fill(input: PickInput, candidates: CandidateSet): void {
    if (this.costs.length < candidates.count) this.#grow(candidates.count);
    this.#options.latency.prepare(input.members, input.load, input.nowMs);
    this.#fillWork(input, candidates);
    this.#fillCosts(input, candidates);
  }

  #grow(count: number): void {
    const size = 2 ** Math.ceil(Math.log2(count));
    this.costs = new Float64Array(size);
    this.ttftMs = new Float64Array(size);
    this.tpotMs = new Float64Array(size);
    this.workMs = new Float64Array(size);
    this.#full = new Float64Array(size);
    this.scratch = new Float64Array(size);
  }

  /** What the request makes each endpoint do before its first token. */
  #fillWork(input: PickInput, candidates: CandidateSet): void {
    const { members, promptTokens, residency, blocks } = input;
    const { positions, count } = candidates;
    const { latency, matches, adapters } = this.#options;
    const { parameters, gains } = latency.ttft;
    const { loadMs } = latency.adapterLoad;
    const { workMs } = this;
    const matched = matches.of(input, candidates);
    const share = 1 / Math.max(1, blocks === null ? 0 : blocks.count);
    for (let i = 0; i < count; i += 1) {
      const position = positions[i] as number;
      const slot = members[position] as number;
      const uncached = promptTokens * (1 - (matched[position] as number) * share);
      const perUnitMs = (parameters[slot * TTFT_WIDTH + 1] as number) * (gains[slot] as number);
      workMs[i] = perUnitMs * uncached * PER_TOKEN;
    }
    this.#fillFullness(input, candidates);
    if (residency === null) return;
    for (let i = 0; i < count; i += 1) {
      const position = positions[i] as number;
      const loads = adapters.loadsFor(input, position, residency);
      const slot = members[position] as number;
      workMs[i] = (workMs[i] as number) + loads * (loadMs[slot] as number);
    }
  }

  #fillFullness(
    { members, load, blocks, promptTokens }: PickInput,
    candidates: CandidateSet,
  ): void {
    const { positions, count } = candidates;
    const { matches } = this.#options;
    const blockCount = blocks === null ? 0 : blocks.count;
    const blockTokens = blockCount === 0 ? 0 : promptTokens / blockCount;
    let most = 0;
    for (let i = 0; i < count; i += 1) {
      const position = positions[i] as number;
      const slot = members[position] as number;
      const capacity = (load.kvBlockCount[slot] as number) * (load.kvBlockTokens[slot] as number);
      const full = (matches.heldBlocks(slot) * blockTokens) / capacity;
      // Not a number where the size is unknown.
      this.#full[i] = full < 1 ? full : 1;
      most = larger(most, matches.at(position));
    }
    this.#lastHit = blockCount === 0 ? 0 : most / blockCount;
  }

  /**
   * How often work that puts out other blocks is done again: what is put out is worth no more than
   * the mean block, which is hit h / (1 - h) times before it goes.
   */
  #refills(): number {
    return smaller(REFILLS_MAX, this.#hitShare / (1 - smaller(0.99, this.#hitShare)));
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
    const { load, members, promptTokens, outputTokens } = input;
    const { positions, count } = candidates;
    const { requestsInFlight, foreignRequests, prefillTokensInFlight, tokensInFlight } = load;
    const { kvCacheUsage, kvBlockCount, kvBlockTokens, reportedWaiting } = load;
    const { latency, ttftWeight, othersWeight } = this.#options;
    const { parameters: first, gains: firstGains, means } = latency.ttft;
    const { parameters: step, gains: stepGains } = latency.tpot;
    const { stretches } = latency;
    const { limits } = latency.seats;
    const { costs, ttftMs, tpotMs, workMs } = this;
    this.#fillMeans(input, candidates);
    const stretch = this.#meanStretch;
    const queueWeight = ttftWeight * QUEUE_FOLLOWERS;
    const refillWeight = this.#refills() * (ttftWeight + this.#meanRequests);
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
      const capacity = (kvBlockCount[slot] as number) * (kvBlockTokens[slot] as number);
      const waiting = reportedWaiting[slot] as number;
      const kvTurns =
        turnsForBlocks(usage, ahead + promptTokens + outputTokens, capacity) +
        turnsForGrowth(usage + ahead / capacity, others, waiting);
      const turns = larger(turnsForSeat(others, limits[slot] as number), kvTurns);
      const aheadMs = (first[f + 2] as number) * ahead * PER_TOKEN;
      const fixedMs = (first[f] as number) + (first[f + 3] as number) * others;
      const waitMs = (fixedMs + aheadMs) * (firstGains[slot] as number) + turns * lifeMs;

      const usual = (means[f + 1] as number) * TOKENS_PER_UNIT;
      const prefilling = ahead < others * usual ? ahead / usual : ahead > 0 ? others : 0;
      const queue = larger(prefilling, waiting);
      const delayed = smaller(outputTokens * others, (tokensInFlight[slot] as number) - ahead);
      const refilled = refillWeight * (this.#full[i] as number);
      const delays = others - prefilling + queueWeight * queue + refilled;
      const inflicted = delays * work + growth * stretch * delayed;
      ttftMs[i] = waitMs + work;
      tpotMs[i] = stepMs * (stretches[slot] as number);
      costs[i] = ttftWeight * (waitMs + work) + lifeMs + othersWeight * inflicted;
    }
  }
}

/**
 * How many lifetimes of a request pass before the KV cache has room for `tokens` more: the excess
 * over what those there hold, who end evenly over one lifetime. 0 where the engine does not report.
 */
function turnsForBlocks(usage: number, tokens: number, capacity: number): number {
  const excess = (usage + KV_RESERVE - 1) * capacity + tokens;
  return excess > 0 ? excess / (larger(usage, KV_HELD_MIN) * capacity) : 0;
}

/**
 * What is to be added for the chance that the cache is full by now, as sequences grow and reports
 * are old: `used` of it is taken by `others`, whose sizes vary as exponential ones do, and who
 * leave one by one for those that wait. 0 where the engine does not report.
 */
function turnsForGrowth(used: number, others: number, waiting: number): number {
  const room = 1 - KV_RESERVE - used;
  // Not a number where nothing is known.
  if (!(room * room * (others + 1) < ROOM_DEVIATIONS ** 2 * used * used || room < 0)) return 0;
  const deviations = (room * Math.sqrt(others + 1)) / used;
  return (waiting + 1) / (others + 1) / (1 + Math.exp(NORMAL_SLOPE * deviations));
}

/** The same for a seat in the batch. */
function turnsForSeat(others: number, seats: number): number {
  return others >= seats ? (others - seats + 1) / seats : 0;
}

function larger(a: number, b: number): number {
  return a > b ? a : b;
}

function smaller(a: number, b: number): number {
  return a < b ? a : b;
}
