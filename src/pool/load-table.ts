/**
 * The load of every endpoint as struct-of-arrays; the index is the endpoint's slot in the
 * fleet. The arrays are live, and replaced when the fleet grows: read them through the table at
 * each pick.
 */
export interface LoadTable {
  /** 1 where the endpoint may be picked now, else 0. */
  readonly isAvailable: Uint8Array;
  /** Requests booked and not released; an integer. */
  readonly requestsInFlight: Float64Array;
  /**
   * Tokens booked and not released: prompt not yet prefilled plus expected output; an integer.
   */
  readonly tokensInFlight: Float64Array;
  /** Of those, prompt tokens whose first output token has not come yet; an integer. */
  readonly prefillTokensInFlight: Float64Array;
  /** Requests queued in the engine by its last report, fading to 0 with age; 0 when unknown. */
  readonly reportedWaiting: Float64Array;
  /** Requests in the engine by its last report that are not ours, fading to 0 with age. */
  readonly foreignRequests: Float64Array;
  /** KV-cache use, 0 to 1, by the last report; NaN when unknown or forgotten. */
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

const INITIAL_CAPACITY = 16;

/** The writable side of a `LoadTable`; only the pool module holds it under this type. */
export class LoadColumns implements LoadTable {
  isAvailable: Uint8Array = new Uint8Array(INITIAL_CAPACITY);
  requestsInFlight: Float64Array = new Float64Array(INITIAL_CAPACITY);
  tokensInFlight: Float64Array = new Float64Array(INITIAL_CAPACITY);
  prefillTokensInFlight: Float64Array = new Float64Array(INITIAL_CAPACITY);
  reportedWaiting: Float64Array = new Float64Array(INITIAL_CAPACITY);
  foreignRequests: Float64Array = new Float64Array(INITIAL_CAPACITY);
  kvCacheUsage: Float64Array = new Float64Array(INITIAL_CAPACITY).fill(Number.NaN);
  lastWaiting: Float64Array = new Float64Array(INITIAL_CAPACITY);
  lastRunning: Float64Array = new Float64Array(INITIAL_CAPACITY);
  kvBlockTokens: Float64Array = new Float64Array(INITIAL_CAPACITY).fill(Number.NaN);
  kvBlockCount: Float64Array = new Float64Array(INITIAL_CAPACITY).fill(Number.NaN);
  adapterSlots: Float64Array = new Float64Array(INITIAL_CAPACITY).fill(Number.NaN);
  adaptersActive: Float64Array = new Float64Array(INITIAL_CAPACITY);
  adaptersWaiting: Float64Array = new Float64Array(INITIAL_CAPACITY);

  /** Slots there is room for. */
  get capacity(): number {
    return this.isAvailable.length;
  }

  /** Makes room for at least `slots` slots by doubling; existing values keep their place. */
  reserve(slots: number): void {
    let capacity = this.capacity;
    if (slots <= capacity) return;
    while (capacity < slots) capacity *= 2;
    const isAvailable = new Uint8Array(capacity);
    isAvailable.set(this.isAvailable);
    this.isAvailable = isAvailable;
    this.requestsInFlight = widen(this.requestsInFlight, capacity, 0);
    this.tokensInFlight = widen(this.tokensInFlight, capacity, 0);
    this.prefillTokensInFlight = widen(this.prefillTokensInFlight, capacity, 0);
    this.reportedWaiting = widen(this.reportedWaiting, capacity, 0);
    this.foreignRequests = widen(this.foreignRequests, capacity, 0);
    this.kvCacheUsage = widen(this.kvCacheUsage, capacity, Number.NaN);
    this.lastWaiting = widen(this.lastWaiting, capacity, 0);
    this.lastRunning = widen(this.lastRunning, capacity, 0);
    this.kvBlockTokens = widen(this.kvBlockTokens, capacity, Number.NaN);
    this.kvBlockCount = widen(this.kvBlockCount, capacity, Number.NaN);
    this.adapterSlots = widen(this.adapterSlots, capacity, Number.NaN);
    this.adaptersActive = widen(this.adaptersActive, capacity, 0);
    this.adaptersWaiting = widen(this.adaptersWaiting, capacity, 0);
  }

  /** Returns `slot` to the state of one that was never used. */
  clear(slot: number): void {
    this.isAvailable[slot] = 0;
    this.requestsInFlight[slot] = 0;
    this.tokensInFlight[slot] = 0;
    this.prefillTokensInFlight[slot] = 0;
    this.reportedWaiting[slot] = 0;
    this.foreignRequests[slot] = 0;
    this.kvCacheUsage[slot] = Number.NaN;
    this.lastWaiting[slot] = 0;
    this.lastRunning[slot] = 0;
    this.kvBlockTokens[slot] = Number.NaN;
    this.kvBlockCount[slot] = Number.NaN;
    this.adapterSlots[slot] = Number.NaN;
    this.adaptersActive[slot] = 0;
    this.adaptersWaiting[slot] = 0;
  }
}

function widen(column: Float64Array, capacity: number, empty: number): Float64Array {
  const wider = new Float64Array(capacity);
  wider.set(column);
  return empty === 0 ? wider : wider.fill(empty, column.length);
}
