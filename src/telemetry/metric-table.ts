/** Counters: totals that only grow while the process lives. */
export type CounterName =
  | 'penstock_requests_total'
  | 'penstock_responses_total'
  | 'penstock_prompt_tokens_total'
  | 'penstock_completion_tokens_total'
  | 'penstock_cached_prompt_tokens_total'
  | 'penstock_attempts_total'
  | 'penstock_retries_denied_total'
  | 'penstock_plugin_faults_total'
  | 'penstock_errors_total'
  | 'penstock_endpoint_ejections_total'
  | 'penstock_scrapes_total'
  | 'penstock_config_reloads_total'
  | 'penstock_admin_followers_dropped_total'
  | 'penstock_series_overflow_total'
  | 'penstock_recorded_requests_total'
  | 'penstock_recording_dropped_total'
  | 'process_cpu_seconds_total';

/** Gauges: values that go up and down. */
export type GaugeName =
  | 'penstock_open_requests'
  | 'penstock_endpoint_requests_in_flight'
  | 'penstock_endpoint_tokens_in_flight'
  | 'penstock_endpoint_waiting'
  | 'penstock_endpoint_running'
  | 'penstock_endpoint_kv_cache_usage_ratio'
  | 'penstock_endpoint_report_age_seconds'
  | 'penstock_endpoint_available'
  | 'penstock_config_last_reload_success_timestamp_seconds'
  | 'penstock_event_loop_delay_seconds'
  | 'penstock_build_info'
  | 'process_resident_memory_bytes'
  | 'process_start_time_seconds';

/** Histograms with fixed upper bounds. */
export type HistogramName =
  | 'penstock_request_duration_seconds'
  | 'penstock_time_to_first_token_seconds'
  | 'penstock_time_per_output_token_seconds'
  | 'penstock_pick_duration_seconds';

/** Every metric name there is. */
export type MetricName = CounterName | GaugeName | HistogramName;

/** What a value counts; `ratio` is 0 to 1, `flag` is 0 or 1. */
export type MetricUnit =
  | 'requests'
  | 'tokens'
  | 'events'
  | 'seconds'
  | 'unix-seconds'
  | 'bytes'
  | 'ratio'
  | 'flag';

/** Upper bounds of a histogram's buckets and where they come from. */
export interface BucketLayout {
  /** Inclusive upper bounds, strictly rising; `+Inf` is added by the exposition. */
  readonly bounds: readonly number[];
  /** Why these bounds: a source or the range that must be told apart. */
  readonly reason: string;
}

/** One row of the metric table. */
export interface MetricDefinition {
  readonly name: MetricName;
  readonly kind: 'counter' | 'gauge' | 'histogram';
  /** One sentence, shown as `# HELP` and in docs/reference/metrics.md. */
  readonly help: string;
  /** Label names in the order in which callers give the values. */
  readonly labels: readonly string[];
  readonly unit: MetricUnit;
  /** Null for everything but histograms. */
  readonly buckets: BucketLayout | null;
}

/**
 * Labels whose values come from outside (configuration, engines) and so have no fixed set. When a
 * metric has too many series these values become `_other`; every other label has a closed set.
 */
export const OPEN_LABELS: ReadonlySet<string> = new Set([
  'model',
  'pool',
  'endpoint',
  'plugin',
  'version',
]);

const REQUEST_SECONDS: BucketLayout = {
  bounds: [
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92, 163.84,
    327.68, 655.36,
  ],
  reason:
    'OpenTelemetry GenAI `gen_ai.server.request.duration` (0.01 doubling to 81.92), doubled three times more for long streams',
};

const FIRST_TOKEN_SECONDS: BucketLayout = {
  bounds: [
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 15, 20,
    30, 45, 60,
  ],
  reason:
    'OpenTelemetry GenAI `gen_ai.server.time_to_first_token` (0.001 to 10), continued to 60 s because a queued or cold request waits that long',
};

const OUTPUT_TOKEN_SECONDS: BucketLayout = {
  bounds: [0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5],
  reason:
    'OpenTelemetry GenAI `gen_ai.server.time_per_output_token` (0.01 to 2.5), with 2.5 and 5 ms added for small models',
};

const PICK_SECONDS: BucketLayout = {
  bounds: [
    0.000001, 0.000002, 0.000005, 0.00001, 0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.005,
    0.02,
  ],
  reason: '1-2-5 steps around the expected 2 to 50 microseconds; the top shows a stalled process',
};

const counter = (
  name: CounterName,
  unit: MetricUnit,
  labels: readonly string[],
  help: string,
): MetricDefinition => ({ name, kind: 'counter', help, labels, unit, buckets: null });

const gauge = (
  name: GaugeName,
  unit: MetricUnit,
  labels: readonly string[],
  help: string,
): MetricDefinition => ({ name, kind: 'gauge', help, labels, unit, buckets: null });

const histogram = (
  name: HistogramName,
  buckets: BucketLayout,
  labels: readonly string[],
  help: string,
): MetricDefinition => ({ name, kind: 'histogram', help, labels, unit: 'seconds', buckets });

const ENDPOINT = ['pool', 'endpoint'] as const;
const MODEL = ['model', 'pool'] as const;

const ROWS: readonly MetricDefinition[] = [
  counter(
    'penstock_requests_total',
    'requests',
    ['api', 'model', 'pool', 'outcome'],
    'Requests that have ended, by how they ended.',
  ),
  counter(
    'penstock_responses_total',
    'requests',
    ['api', 'status_class'],
    'Answers sent to clients, by the class of their HTTP status (2xx, 4xx, 5xx).',
  ),
  histogram(
    'penstock_request_duration_seconds',
    REQUEST_SECONDS,
    ['api', 'model'],
    'Time from the first byte of the request to the last byte of its answer.',
  ),
  histogram(
    'penstock_time_to_first_token_seconds',
    FIRST_TOKEN_SECONDS,
    MODEL,
    'Time from the first byte of the request to the first byte of the answer body.',
  ),
  histogram(
    'penstock_time_per_output_token_seconds',
    OUTPUT_TOKEN_SECONDS,
    MODEL,
    'Mean time per output token after the first, over one answer: (duration - time to first token) / (tokens - 1).',
  ),
  counter(
    'penstock_prompt_tokens_total',
    'tokens',
    MODEL,
    'Prompt tokens as reported by the engines, cached ones included.',
  ),
  counter(
    'penstock_completion_tokens_total',
    'tokens',
    MODEL,
    'Output tokens as reported by the engines.',
  ),
  counter(
    'penstock_cached_prompt_tokens_total',
    'tokens',
    MODEL,
    'Prompt tokens that the engines served from their prefix cache.',
  ),
  counter(
    'penstock_attempts_total',
    'events',
    ['pool', 'result'],
    'Tries to send a request to an endpoint, by result; one request may need several.',
  ),
  counter(
    'penstock_retries_denied_total',
    'events',
    ['reason'],
    'Failed tries that were not repeated on another endpoint, by what forbade it.',
  ),
  counter(
    'penstock_plugin_faults_total',
    'events',
    ['plugin'],
    'Picks in which a scheduling plugin threw or broke its contract and was left out, by its name.',
  ),
  gauge(
    'penstock_open_requests',
    'requests',
    [],
    'Requests whose head has been read and whose answer has not ended.',
  ),
  counter(
    'penstock_errors_total',
    'events',
    ['code'],
    'Errors that the gateway itself answered or logged, by code of docs/reference/errors.md.',
  ),
  histogram(
    'penstock_pick_duration_seconds',
    PICK_SECONDS,
    [],
    'Time one choice of endpoints took, from candidates to booked endpoint; one of 16 is measured.',
  ),
  gauge(
    'penstock_endpoint_requests_in_flight',
    'requests',
    ENDPOINT,
    'Requests booked on the endpoint by this gateway.',
  ),
  gauge(
    'penstock_endpoint_tokens_in_flight',
    'tokens',
    ENDPOINT,
    'Tokens booked on the endpoint by this gateway: prompt not yet prefilled plus expected output.',
  ),
  gauge(
    'penstock_endpoint_waiting',
    'requests',
    ENDPOINT,
    'Requests queued in the engine by its last report.',
  ),
  gauge(
    'penstock_endpoint_running',
    'requests',
    ENDPOINT,
    'Requests running in the engine by its last report.',
  ),
  gauge(
    'penstock_endpoint_kv_cache_usage_ratio',
    'ratio',
    ENDPOINT,
    'Share of KV-cache blocks in use by the last report, 0 to 1.',
  ),
  gauge(
    'penstock_endpoint_report_age_seconds',
    'seconds',
    ENDPOINT,
    'Age of the last report of the endpoint.',
  ),
  gauge(
    'penstock_endpoint_available',
    'flag',
    ENDPOINT,
    '1 while the endpoint may be picked: reachable, not draining, not ejected.',
  ),
  counter(
    'penstock_endpoint_ejections_total',
    'events',
    ENDPOINT,
    'Times the endpoint was ejected after consecutive failures.',
  ),
  counter(
    'penstock_scrapes_total',
    'events',
    ['result'],
    'Reads of the endpoints’ metrics, by result.',
  ),
  counter(
    'penstock_config_reloads_total',
    'events',
    ['result'],
    'Tries to load a changed configuration, by result.',
  ),
  gauge(
    'penstock_config_last_reload_success_timestamp_seconds',
    'unix-seconds',
    [],
    'When the configuration in effect was loaded.',
  ),
  counter(
    'penstock_admin_followers_dropped_total',
    'events',
    [],
    'Followers of the live decision stream that were cut off because they read too slowly.',
  ),
  counter(
    'penstock_series_overflow_total',
    'events',
    ['metric'],
    'Label sets that were folded into `_other` because their metric had too many series.',
  ),
  counter(
    'penstock_recorded_requests_total',
    'requests',
    [],
    'Requests whose line was written to the recording (docs/recording.md).',
  ),
  counter(
    'penstock_recording_dropped_total',
    'requests',
    ['reason'],
    'Requests left out of the recording, by why: `slow_disk`, `write_failed` or `too_long`.',
  ),
  gauge(
    'penstock_event_loop_delay_seconds',
    'seconds',
    [],
    '99th percentile of the event loop’s delay over the last 10 to 20 seconds.',
  ),
  gauge('penstock_build_info', 'flag', ['version'], 'Always 1; the label names the version.'),
  counter(
    'process_cpu_seconds_total',
    'seconds',
    [],
    'User and system CPU time spent by the process.',
  ),
  gauge('process_resident_memory_bytes', 'bytes', [], 'Resident memory of the process.'),
  gauge('process_start_time_seconds', 'unix-seconds', [], 'When the process started.'),
];

/** Every metric, in the order in which the exposition prints them. */
export const METRICS: readonly MetricDefinition[] = Object.freeze(
  ROWS.map((row) => Object.freeze(row)),
);
