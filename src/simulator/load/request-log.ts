import type { EndedRequest } from './load-collector.ts';

/** Requests kept for a log; further ones are left out. */
const MAX_ENTRIES = 200_000;

/** One request under the keys of inference-perf's `per_request_lifecycle_metrics.json`; seconds. */
export interface RequestLogEntry {
  /** When it was sent, from the start of the run. */
  readonly start_time: number;
  readonly end_time: number;
  /** When it was to be sent. */
  readonly scheduled_time: number;
  readonly session_id: string;
  /** Null for a request that failed. Counted from `scheduled_time`. */
  readonly computed_metrics: {
    readonly request_latency: number;
    readonly time_to_first_token: number | null;
    readonly time_per_output_token: number | null;
    readonly inter_token_latencies: readonly number[];
    readonly input_tokens: number;
    readonly output_tokens: number;
  } | null;
  readonly error: { readonly error_type: string; readonly error_msg: string } | null;
}

/** Collects the requests of a run one by one; warm-up included. */
export class RequestLog {
  readonly entries: RequestLogEntry[] = [];

  note(ended: EndedRequest): void {
    if (this.entries.length < MAX_ENTRIES) this.entries.push(entryOf(ended));
  }
}

function entryOf(ended: EndedRequest): RequestLogEntry {
  const { failure, request, sentAtMs, endedAtMs, scheduledAtMs } = ended;
  return {
    start_time: sentAtMs / 1000,
    end_time: endedAtMs / 1000,
    scheduled_time: scheduledAtMs / 1000,
    session_id: String(request.session),
    computed_metrics: failure === null ? metricsOf(ended) : null,
    error: failure === null ? null : { error_type: failure.kind, error_msg: failure.message },
  };
}

function metricsOf(ended: EndedRequest): RequestLogEntry['computed_metrics'] {
  const { answer, request, scheduledAtMs, endedAtMs } = ended;
  const outputTokens = answer.usage.completionTokens ?? answer.chunks;
  const { firstAtMs, lastAtMs } = answer;
  return {
    request_latency: (endedAtMs - scheduledAtMs) / 1000,
    time_to_first_token: firstAtMs === null ? null : (firstAtMs - scheduledAtMs) / 1000,
    time_per_output_token:
      firstAtMs === null || outputTokens < 2
        ? null
        : (lastAtMs - firstAtMs) / (outputTokens - 1) / 1000,
    inter_token_latencies: answer.gapsMs.map((gapMs) => gapMs / 1000),
    input_tokens: answer.usage.promptTokens ?? request.promptTokens,
    output_tokens: outputTokens,
  };
}
