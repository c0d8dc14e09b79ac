import type { LatencyPredictor, LoadTable } from '../ports.ts';
import type { FinishedObservation, FirstTokenObservation } from '../types.ts';
import { AdapterLoadTimes } from './adapter-load-times.ts';
import { OnlineRegression } from './online-regression.ts';
import { PrefillHistory } from './prefill-history.ts';
import { PoolPriors } from './pool-priors.ts';
import { SeatLimits } from './seat-limits.ts';

/** Prompt tokens are counted in thousands inside, so that features are of like size. */
export const TOKENS_PER_UNIT = 1000;

/** Places of the time-to-first-token parameters of a slot in `LatencyModel.ttft.parameters`. */
export const TTFT_WIDTH = 4;
/** Places of the time-per-output-token parameters of a slot in `LatencyModel.tpot.parameters`. */
export const TPOT_WIDTH = 4;

/**
 * TTFT in ms = base + own × uncached + ahead × prefill ahead + each × requests ahead. Start values
 * of a mid-range server: 10,000 prompt tokens a second (2 FLOPs a parameter and token, a model of
 * 8 billion parameters at 160 TFLOPS), 40 ms base.
 */
const TTFT_OPTIONS = Object.freeze({
  start: [40, 100, 100, 0.5],
  lowest: [0.05, 0.01, 0, 0],
  highest: [60_000, 60_000, 60_000, 10_000],
  stiffnessFloor: [10, 5, 5, 1],
  // Until there was a queue, tokens ahead are taken to cost what own tokens do.
  follows: [-1, -1, 1, -1],
});

/**
 * TPOT in ms = base + each × batch + full × KV use + prompt × prompt tokens prefilled there per
 * output token: the roofline of a decode step (weights read once, work per sequence, KV read per
 * context token), and of the prompts that are prefilled in between.
 */
const TPOT_OPTIONS = Object.freeze({
  start: [20, 0.15, 5, 100],
  lowest: [0.05, 0, 0, 0.01],
  highest: [10_000, 1000, 10_000, 60_000],
  stiffnessFloor: [5, 0.2, 5, 5],
  follows: [-1, -1, -1, -1],
});

/** What prompts lately added to the time per token fades, without answers, with this constant. */
const STRETCH_FADE_MS = 16_000;
/** Samples after which an endpoint is known half as well as it can be. */
const HALF_KNOWN_SAMPLES = 4;
/** Answers shorter than this say less about the step time: they weigh in proportion. */
const FULL_WEIGHT_TOKENS = 32;
/**
 * Mean mistake, as a share of prompts, above which first tokens are learnt from at the end only.
 */
const CACHE_ERROR_MAX = 0.02;
/** Weight of a new mistake in that mean. */
const ERROR_WEIGHT = 1 / 32;
const INITIAL_SLOTS = 16;

/** What is to be done before a request's first token. */
export interface PrefillWork {
  /** Prompt tokens of the request that are not in the endpoint's prefix cache. */
  readonly uncachedTokens: number;
  /** Prompt tokens of others there that are still to be prefilled. */
  readonly prefillTokensAhead: number;
  /** Requests in flight there. */
  readonly requestsAhead: number;
}

/** State of an endpoint while a request decodes. */
export interface DecodeState {
  /** Requests in flight there, this one included. */
  readonly batch: number;
  /** 0 to 1; NaN when unknown, which counts as an empty cache. */
  readonly kvCacheUsage: number;
}

/**
 * Predicts time to first token and time per output token of every endpoint, learned online from
 * what became of our own requests; indices are slots of the load table. Slots that were not seen
 * by `prepare` or an observation have no columns yet: `reserve` first when reading those directly.
 */
export class LatencyModel implements LatencyPredictor {
  /** Parameters: base ms, ms per 1,000 uncached, ms per 1,000 ahead, ms per request ahead. */
  readonly ttft: OnlineRegression = new OnlineRegression(TTFT_OPTIONS);
  /** Parameters: base ms, ms per request, ms for a full KV cache, ms per 1,000 prompt tokens. */
  readonly tpot: OnlineRegression = new OnlineRegression(TPOT_OPTIONS);
  readonly adapterLoad: AdapterLoadTimes = new AdapterLoadTimes();
  readonly seats: SeatLimits = new SeatLimits();
  readonly #priors: PoolPriors = new PoolPriors(this);
  /**
   * How many times the plain step time a token of each slot takes, 1 or more: decoding stands still
   * for the prompts that are prefilled in between, as many as lately.
   */
  stretches: Float64Array = new Float64Array(0);
  readonly #prefills = new PrefillHistory();
  /** By how much of a prompt its cached part was lately mistaken, as a mean; 0 where untold. */
  #cacheError = new Float64Array(0);
  #capacity = 0;

  /** Milliseconds from sending a request to its first token, without an adapter's load. */
  predictTtftMs(slot: number, work: PrefillWork): number {
    this.reserve(slot + 1);
    const { parameters, gains } = this.ttft;
    const at = slot * TTFT_WIDTH;
    const tokensMs =
      (parameters[at + 1] as number) * work.uncachedTokens +
      (parameters[at + 2] as number) * work.prefillTokensAhead;
    const fixedMs =
      (parameters[at] as number) + (parameters[at + 3] as number) * work.requestsAhead;
    return (fixedMs + tokensMs / TOKENS_PER_UNIT) * (gains[slot] as number);
  }

  /** Milliseconds per output token after the first. */
  predictTpotMs(slot: number, state: DecodeState): number {
    this.reserve(slot + 1);
    const { parameters, gains } = this.tpot;
    const at = slot * TPOT_WIDTH;
    const usage = state.kvCacheUsage >= 0 ? state.kvCacheUsage : 0;
    const batchMs = (parameters[at + 1] as number) * state.batch;
    const kvMs = (parameters[at + 2] as number) * usage;
    const stepMs = ((parameters[at] as number) + batchMs + kvMs) * (gains[slot] as number);
    return stepMs * (this.stretches[slot] as number);
  }

  /** Prompt tokens a second that the endpoint prefills. */
  prefillTokensPerSecond(slot: number): number {
    this.reserve(slot + 1);
    const perUnitMs = this.ttft.parameters[slot * TTFT_WIDTH + 1] as number;
    return (TOKENS_PER_UNIT * 1000) / (perUnitMs * (this.ttft.gains[slot] as number));
  }

  /** How well the slot is known from its own first tokens: 0 not at all, 0.5 at four, toward 1. */
  confidence(slot: number): number {
    this.reserve(slot + 1);
    const weight = this.ttft.weightOf(slot);
    return weight / (weight + HALF_KNOWN_SAMPLES);
  }

  /**
   * Learns from a first token. Values that are no finite numbers are ignored. Where the engine
   * lately had cached other parts of prompts than it was taken to, its own figure is waited for.
   */
  observeFirstToken(slot: number, observation: FirstTokenObservation): void {
    this.reserve(slot + 1);
    const uncached = Math.max(0, observation.promptTokens - observation.cachedTokens);
    if (Number.isFinite(uncached)) this.#prefills.add(slot, uncached, observation.nowMs);
    if (!this.#waitsForTruth(slot)) this.#learnFirstToken(slot, observation);
  }

  #learnFirstToken(slot: number, observation: FirstTokenObservation): void {
    const { ttft } = this;
    const { features } = ttft;
    const uncached = Math.max(0, observation.promptTokens - observation.cachedTokens);
    features[0] = 1;
    features[1] = uncached / TOKENS_PER_UNIT;
    features[2] = observation.prefillTokensAhead / TOKENS_PER_UNIT;
    features[3] = observation.requestsAhead;
    if (!areFinite(features)) return;
    if (observation.isAdapterCold) {
      this.adapterLoad.observe(slot, observation.ttftMs - ttft.predict(slot));
      return;
    }
    ttft.observe(slot, observation.ttftMs, { weight: 1, nowMs: observation.nowMs });
  }

  /**
   * What was taken to be cached may be wrong, and a quick first token of a prompt that was cached
   * after all would make the endpoint look quick: with the engine's own figure it does not.
   */
  #learnWithTruth(slot: number, observation: FinishedObservation): void {
    const { firstToken, cachedTokens, promptTokens, nowMs } = observation;
    if (firstToken === null || cachedTokens === null || promptTokens < 1) return;
    if (this.#waitsForTruth(slot)) {
      this.#learnFirstToken(slot, { ...firstToken, promptTokens, cachedTokens, nowMs });
    }
    const believedShare = firstToken.cachedTokens / firstToken.promptTokens;
    const error = Math.abs(believedShare - cachedTokens / promptTokens);
    const known = this.#cacheError[slot] as number;
    if (Number.isFinite(error)) this.#cacheError[slot] = known + (error - known) * ERROR_WEIGHT;
  }

  #waitsForTruth(slot: number): boolean {
    return (this.#cacheError[slot] as number) > CACHE_ERROR_MAX;
  }

  /** Learns from an answer's end; one without a time per token is ignored. */
  observeFinished(slot: number, observation: FinishedObservation): void {
    const { tpotMs, batch, kvCacheUsage, completionTokens, nowMs } = observation;
    this.reserve(slot + 1);
    this.#learnWithTruth(slot, observation);
    if (tpotMs === null) return;
    const { features } = this.tpot;
    const decodeMs = tpotMs * Math.max(1, completionTokens - 1);
    const prefilled = this.#prefills.between(slot, nowMs - decodeMs, nowMs);
    features[0] = 1;
    features[1] = batch;
    features[2] = kvCacheUsage >= 0 ? kvCacheUsage : 0;
    features[3] = prefilled / TOKENS_PER_UNIT / Math.max(1, completionTokens - 1);
    if (!areFinite(features)) return;
    const weight = Math.min(1, completionTokens / FULL_WEIGHT_TOKENS);
    this.tpot.observe(slot, tpotMs, { weight, nowMs });
    this.refreshStretch(slot, nowMs);
  }

  /** The slot's endpoint is another: forgets all about it. */
  reset(slot: number): void {
    this.reserve(slot + 1);
    this.ttft.reset(slot);
    this.tpot.reset(slot);
    this.adapterLoad.reset(slot);
    this.seats.reset(slot);
    this.#priors.reset(slot);
    this.stretches[slot] = 1;
    this.#prefills.reset(slot);
    this.#cacheError[slot] = 0;
  }

  /**
   * Called before a pick reads the columns: makes room for all members, gives newcomers what is
   * usual in their pool, and about once a second lets what is known of each member fade.
   */
  prepare(members: Int32Array, load: LoadTable, nowMs: number): void {
    if (!this.#priors.knows(members)) {
      let slots = 0;
      for (const slot of members) slots = Math.max(slots, slot + 1);
      this.reserve(slots);
    }
    this.#priors.prepare(members, load, nowMs);
  }

  /** Makes room for the slots below `slots`. */
  reserve(slots: number): void {
    if (slots <= this.#capacity) return;
    const capacity = Math.max(INITIAL_SLOTS, 2 ** Math.ceil(Math.log2(slots)));
    this.ttft.reserve(capacity);
    this.tpot.reserve(capacity);
    this.adapterLoad.reserve(capacity);
    this.seats.reserve(capacity);
    this.#priors.reserve(capacity);
    this.#prefills.reserve(capacity);
    const stretches = new Float64Array(capacity).fill(1);
    stretches.set(this.stretches);
    this.stretches = stretches;
    const cacheError = new Float64Array(capacity);
    cacheError.set(this.#cacheError);
    this.#cacheError = cacheError;
    this.#capacity = capacity;
  }

  /** Works out anew how much the prompts of late lengthen a slot's time per token. */
  refreshStretch(slot: number, nowMs: number): void {
    const { parameters, means } = this.tpot;
    const at = slot * TPOT_WIDTH;
    const stepMs =
      (parameters[at] as number) +
      (parameters[at + 1] as number) * (means[at + 1] as number) +
      (parameters[at + 2] as number) * (means[at + 2] as number);
    const promptMs = (parameters[at + 3] as number) * (means[at + 3] as number);
    const fading = Math.exp(-this.tpot.silenceMs(slot, nowMs) / STRETCH_FADE_MS);
    this.stretches[slot] = 1 + (promptMs / stepMs) * fading;
  }
}

function areFinite(features: Float64Array): boolean {
  for (let index = 0; index < features.length; index += 1) {
    if (!Number.isFinite(features[index])) return false;
  }
  return true;
}
