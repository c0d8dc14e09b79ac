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
}
