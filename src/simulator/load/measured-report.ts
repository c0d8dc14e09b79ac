/**
 * Name of a percentile as inference-perf writes it in its reports (its `summarize`): the 50th is
 * `median`, every other one is `p` and the number.
 */
export type PercentileName =
  | 'p0.1'
  | 'p1'
  | 'p5'
  | 'p10'
  | 'p25'
  | 'median'
  | 'p75'
  | 'p90'
  | 'p95'
  | 'p99'
  | 'p99.9';

/** Every name, in rising order: inference-perf's default percentiles. */
export const PERCENTILE_NAMES: readonly PercentileName[] = Object.freeze([
  'p0.1',
  'p1',
  'p5',
  'p10',
  'p25',
  'median',
  'p75',
  'p90',
  'p95',
  'p99',
  'p99.9',
]);

/** The number that a percentile's name stands for, 0 to 100. */
export function percentOf(name: PercentileName): number {
  return name === 'median' ? 50 : Number(name.slice(1));
}

/**
 * One measured quantity. Percentiles are linear between neighbours, as numpy's; those that a run
 * was not asked for are absent.
 */
export type MeasuredDistribution = {
  readonly mean: number;
  readonly min: number;
  readonly max: number;
} & { readonly [Name in PercentileName]?: number };

/** Tokens of requests: the sum, and the distribution over requests when there was one. */
export type MeasuredTokens = { readonly total: number } & Partial<MeasuredDistribution>;

/** Tokens of prompts, and how many of them the server says it had in its prefix cache. */
export type MeasuredPromptTokens = MeasuredTokens & {
  readonly cached: number;
  readonly uncached: number;
};

/** Latencies of requests that succeeded, in seconds; null when nothing was counted. */
export interface MeasuredLatency {
  readonly request_latency: MeasuredDistribution | null;
  /** End to end by output tokens. */
  readonly normalized_time_per_output_token: MeasuredDistribution | null;
  /** From the first to the last token by the gaps between them. */
  readonly time_per_output_token: MeasuredDistribution | null;
  readonly time_to_first_token: MeasuredDistribution | null;
  /** Gaps between tokens, over all tokens. */
  readonly inter_token_latency: MeasuredDistribution | null;
}

/** What was done per second, of requests that succeeded. */
export interface MeasuredThroughput {
  readonly input_tokens_per_sec: number;
  readonly output_tokens_per_sec: number;
  readonly total_tokens_per_sec: number;
  readonly requests_per_sec: number;
}

/**
 * Requests within all limits of the objective. `total_requests` counts failed ones too, in contrast
 * to inference-perf, so that failing fast is never good.
 */
export interface MeasuredGoodput {
  /** 0 to 100. */
  readonly goodput_percentage: number;
  /** Good requests per second. */
  readonly request_goodput: number;
  /** Prompt and output tokens of good requests per second. */
  readonly token_goodput: number;
  readonly good_requests: number;
  readonly total_requests: number;
}

/** Failures of one kind, such as `503 - Service Unavailable`. */
export interface MeasuredFailureGroup {
  readonly count: number;
  /** Distinct messages, the first few. */
  readonly messages: readonly { readonly message: string }[];
}

/** How the load was offered, in seconds and requests per second. */
export interface MeasuredLoad {
  readonly count: number;
  /** How much later than planned requests left the client. */
  readonly schedule_delay: MeasuredDistribution | null;
  readonly send_duration?: number;
  readonly requested_rate?: number;
  readonly achieved_rate?: number;
}

/** What was run, so that it can be run or simulated again. Null where it does not apply. */
export interface MeasuredConfig {
  /** `bench` for real HTTP load, `lab` for a simulated run. */
  readonly kind: 'bench' | 'lab';
  readonly workload: string | null;
  /** Name of the trace file in place of a workload. */
  readonly trace: string | null;
  /** As `--arrivals` takes it, such as `gamma:cv=2`; null for the workload's own arrivals. */
  readonly arrivals: string | null;
  readonly load: number;
  readonly seed: number;
  readonly duration_seconds: number;
  readonly warm_up_seconds: number;
  readonly policy: string | null;
  /** Where the load went, without credentials. */
  readonly target: string | null;
  readonly model: string | null;
}

/** The client's own state during a run: whether its numbers can be trusted. */
export interface MeasuredClient {
  readonly max_open_requests: number;
  /** Requests that waited because that many were open. */
  readonly held_back: number;
  /** 99th percentile of how late the client's timers fired, in seconds. */
  readonly loop_lag_p99: number;
  readonly warnings: readonly string[];
}

/** What Penstock adds to inference-perf's keys. */
export interface MeasuredExtras {
  readonly config: MeasuredConfig;
  /** How the run ended, such as `finished` or `interrupted`. */
  readonly status: string;
  /** Requests that had no answer when the run ended; neither successes nor failures. */
  readonly unanswered: number;
  /** The same latencies counted from when a request was really sent; null for a simulated run. */
  readonly latency_from_sending: MeasuredLatency | null;
  /** Null for a simulated run. */
  readonly client: MeasuredClient | null;
}

/**
 * Content of inference-perf's `summary_lifecycle_metrics.json`, in seconds, with Penstock's own
 * facts under `penstock`. Latencies count from the time a request was to be sent.
 */
export interface MeasuredReport {
  readonly benchmark_time_seconds: number;
  readonly load_summary: MeasuredLoad;
  readonly successes: {
    readonly count: number;
    readonly latency: MeasuredLatency;
    readonly throughput: MeasuredThroughput;
    readonly request_size_bytes: MeasuredDistribution | null;
    readonly prompt_tokens: MeasuredPromptTokens;
    /** Output tokens as the client counts them: one per chunk with text. */
    readonly output_len: MeasuredDistribution | null;
    /** Output tokens as the server reports them, or else the client's count. */
    readonly output_tokens: MeasuredTokens;
    /** Requests for which the two differ. */
    readonly token_count_mismatches: number;
    /** Absent when no objective was set. */
    readonly goodput_metrics?: MeasuredGoodput;
  };
  readonly failures: {
    readonly count: number;
    readonly request_latency: MeasuredDistribution | null;
    readonly by_label: Readonly<Record<string, MeasuredFailureGroup>>;
  };
  /** Absent in reports of other tools. */
  readonly penstock?: MeasuredExtras;
}
