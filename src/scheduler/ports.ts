import type { CandidateSet, PromptBlocks } from './types.ts';

/**
 * The load of every endpoint as struct-of-arrays; the index is the endpoint's slot in the fleet.
 * The arrays are live and shared: a pick reads them at one instant and keeps none of them.
 */
export interface LoadTable {
  /** 1 where the endpoint may be picked now (reachable, not draining, not ejected). */
  readonly isAvailable: Uint8Array;
  /** Requests we have booked and not released. */
  readonly requestsInFlight: Float64Array;
  /** Tokens we have booked and not released: prompt not yet prefilled plus expected output. */
  readonly tokensInFlight: Float64Array;
  /** Of those, prompt tokens whose first output token has not come yet. */
  readonly prefillTokensInFlight: Float64Array;
  /**
   * Requests queued in the engine by its last report; fades to 0 as the report ages; 0 if unknown.
   */
  readonly reportedWaiting: Float64Array;
  /** Requests in the engine by its last report that are not ours; fades to 0 as the report ages. */
  readonly foreignRequests: Float64Array;
  /** KV-cache use 0 to 1 by the last report; NaN when unknown or stale. */
  readonly kvCacheUsage: Float64Array;
  /** Requests queued in the engine by its last report, as it came; 0 when unknown or forgotten. */
  readonly lastWaiting: Float64Array;
  /** Requests running in the engine by its last report, as it came; 0 when unknown or forgotten. */
  readonly lastRunning: Float64Array;
  /** Tokens per KV-cache block by the last report; NaN when unknown. */
  readonly kvBlockTokens: Float64Array;
  /** KV-cache blocks in all by the last report; NaN when unknown. */
  readonly kvBlockCount: Float64Array;
  /** Adapters that fit at once by the last report; NaN when unknown. */
  readonly adapterSlots: Float64Array;
  /** Adapters that serve requests by the last report. */
  readonly adaptersActive: Float64Array;
  /** Adapters that requests wait for by the last report. */
  readonly adaptersWaiting: Float64Array;
}

/** What plugins may ask of an index of what endpoints hold. */
export interface PrefixHoldings {
  /** Writes to `out[position]`, for each candidate, how many leading blocks its slot holds. */
  match(blocks: PromptBlocks, members: Int32Array, candidates: CandidateSet, out: Int32Array): void;
  /** Blocks of any prompts that `slot` is believed to hold. */
  blocksOf(slot: number): number;
}

/** What plugins may ask of the latency model. */
export interface LatencyPredictor {
  /** Milliseconds to the first token of a request on `slot`. */
  predictTtftMs(
    slot: number,
    work: {
      readonly uncachedTokens: number;
      readonly prefillTokensAhead: number;
      readonly requestsAhead: number;
    },
  ): number;
  /** Milliseconds per output token on `slot`. */
  predictTpotMs(
    slot: number,
    state: { readonly batch: number; readonly kvCacheUsage: number },
  ): number;
  /** How well the slot is known, 0 (priors only) to 1. */
  confidence(slot: number): number;
}
