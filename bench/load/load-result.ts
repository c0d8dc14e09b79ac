/** What a load generator saw during one run. */
export interface LoadResult {
  readonly requests: number;
  readonly durationMs: number;
  /** Requests without a complete 200 answer, and broken connections. */
  readonly failures: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** A closed loop: every connection sends its next request when the last one is answered. */
export interface ClosedLoopOptions {
  readonly port: number;
  readonly connections: number;
  readonly durationMs: number;
}
