import type { GoodputObjective } from '../workloads/types.ts';

/** Shape of one measured quantity. All values in the unit that the field's name says. */
export interface Distribution {
  readonly count: number;
  readonly mean: number;
  readonly min: number;
  readonly max: number;
  readonly p50: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
  readonly p999: number;
  /** 101 values from the 0th to the 100th percentile, for plots; empty when nothing was counted. */
  readonly quantiles: readonly number[];
}

/**
 * How a run ended. `finished`: everything was answered; `saturated`: requests came faster than they
 * were answered and the run was given up, or some were unanswered at its end; `interrupted`: by the
 * caller; `out_of_time`: its wall-clock budget was used up.
 */
export type RunStatus = 'finished' | 'saturated' | 'interrupted' | 'out_of_time';

/** What one endpoint did, over the whole run unless said otherwise. */
export interface EndpointResult {
  readonly name: string;
  readonly profile: string;
  /** Requests that reached it. */
  readonly requests: number;
  readonly outputTokens: number;
  /** Share of the time in which a step ran, 0 to 1. */
  readonly busyShare: number;
  /** Share of the time in which it slept, 0 to 1; its accelerators were held all the same. */
  readonly asleepShare: number;
  readonly meanKvUsage: number;
  readonly maxWaiting: number;
  readonly prefixHitShare: number;
  readonly preemptions: number;
  readonly adapterLoads: number;
}

/** What one tenant got, of the requests that count. */
export interface TenantResult {
  readonly tenant: string;
  readonly requests: number;
  readonly outputTokens: number;
  readonly ttftP90Ms: number;
  readonly goodShare: number;
}

/**
 * One value per sample and endpoint: `values[endpoint][sample]`; sample n is at (n + 1) intervals.
 * The interval is the one asked for, or that doubled as often as keeps samples below 600.
 */
export interface RunSeries {
  readonly intervalMs: number;
  readonly waiting: readonly (readonly number[])[];
  readonly running: readonly (readonly number[])[];
  readonly kvUsage: readonly (readonly number[])[];
  /** Requests picked for the endpoint within the interval. */
  readonly picks: readonly (readonly number[])[];
}

/**
 * What a run gave: plain data, equal for equal inputs. Latencies, throughput and goodput are of the
 * requests sent after the warm-up.
 */
export interface RunResult {
  readonly policy: string;
  readonly seed: number;
  readonly status: RunStatus;
  /** Why it did not finish, for people; null when it did. */
  readonly reason: string | null;
  readonly simulatedMs: number;
  /**
   * The span that throughput is counted over: from the end of the warm-up to the end of the last
   * request, or of a run that did not finish.
   */
  readonly countedMs: number;
  /** Of those sent after the warm-up; each ended in exactly one of the ways that follow. */
  readonly requests: {
    readonly sent: number;
    /** Answered in full. */
    readonly completed: number;
    /** Answered by the gateway with an error, none of them with an endpoint. */
    readonly refused: number;
    /** Tried in vain, broken off in the middle, or answered by an engine with an error. */
    readonly failed: number;
    /** Under way when the run ended. */
    readonly unanswered: number;
  };
  readonly ttftMs: Distribution;
  readonly tpotMs: Distribution;
  /** Gaps between tokens, over all tokens. */
  readonly itlMs: Distribution;
  readonly e2eMs: Distribution;
  readonly throughput: {
    readonly requestsPerSecond: number;
    readonly inputTokensPerSecond: number;
    readonly outputTokensPerSecond: number;
  };
  readonly goodput: {
    readonly objective: GoodputObjective;
    readonly goodRequests: number;
    /** Of all requests that count, unanswered and failed ones included; 0 to 1. */
    readonly goodShare: number;
    readonly requestsPerSecond: number;
    readonly outputTokensPerSecond: number;
  };
  /** Prompt tokens found in prefix caches, of all that were looked up; over the whole run. */
  readonly prefixHitShare: number;
  readonly preemptions: number;
  readonly adapterLoads: number;
  /** Requests that wait in all engines together, over the whole run. */
  readonly queue: { readonly meanWaiting: number; readonly maxWaiting: number };
  /** Coefficient of variation over endpoints of what they were given. */
  readonly spread: { readonly requestsCv: number; readonly outputTokensCv: number };
  /** Jain's index over tenants: 1 is equal, 1/n is one only. */
  readonly fairness: {
    /** Of their output tokens per second: unequal demands make it unequal under any policy. */
    readonly jain: number;
    /** Of their shares of good requests: whether all are served alike, whatever they ask for. */
    readonly jainOfGoodShare: number;
    readonly tenants: readonly TenantResult[];
  };
  /**
   * Seconds of one accelerator per thousand good requests; null without a good one. Every endpoint
   * holds its accelerators for the whole counted span: also while it starts, sleeps, drains, or is
   * down.
   */
  readonly acceleratorSecondsPerThousandGood: number | null;
  readonly endpoints: readonly EndpointResult[];
  readonly series: RunSeries;
}
