import type { LatencyModel } from '../latency/latency-model.ts';
import type { PickInput } from '../types.ts';
import { requestsOn } from './ledger-numbers.ts';
import { matchedShare } from './prefix-matches.ts';

/**
 * Predicted latency of a request on each endpoint, and what it leaves of the objective. Reuses its
 * objects, as it is asked for every endpoint of every pick.
 */
export class SloHeadroom {
  readonly #latency: LatencyModel;
  readonly #work = { uncachedTokens: 0, prefillTokensAhead: 0, requestsAhead: 0 };
  readonly #state = { batch: 0, kvCacheUsage: Number.NaN };

  constructor(latency: LatencyModel) {
    this.#latency = latency;
  }

  /** To be called once per pick, before predictions: newcomers get what is usual in their pool. */
  prepare({ members, load, nowMs }: PickInput): void {
    this.#latency.prepare(members, load, nowMs);
  }

  /** Milliseconds to the first token when the endpoint holds `matchedBlocks` of the prompt. */
  predictTtftMs(input: PickInput, slot: number, matchedBlocks: number): number {
    const work = this.#work;
    work.uncachedTokens = input.promptTokens * (1 - matchedShare(input, matchedBlocks));
    work.prefillTokensAhead = input.load.prefillTokensInFlight[slot] as number;
    work.requestsAhead = requestsOn(input, slot);
    return this.#latency.predictTtftMs(slot, work);
  }

  /** Milliseconds per output token with this request in the batch. */
  predictTpotMs(input: PickInput, slot: number): number {
    const state = this.#state;
    state.batch = requestsOn(input, slot) + 1;
    state.kvCacheUsage = input.load.kvCacheUsage[slot] as number;
    return this.#latency.predictTpotMs(slot, state);
  }

  /**
   * Objective minus prediction in milliseconds. Without an objective 0 stands for it, as in llm-d's
   * endpoint picker, so that the headroom is negative and still orders endpoints.
   */
  ttftMs(input: PickInput, slot: number, matchedBlocks: number): number {
    return (input.objective.ttftMs ?? 0) - this.predictTtftMs(input, slot, matchedBlocks);
  }

  /** As `ttftMs`, for the time per output token. */
  tpotMs(input: PickInput, slot: number): number {
    return (input.objective.tpotMs ?? 0) - this.predictTpotMs(input, slot);
  }
}
