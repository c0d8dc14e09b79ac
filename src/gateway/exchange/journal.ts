import type { ErrorCode, Outcome } from '../../core/errors.ts';
import type { RequestId } from '../../core/ids.ts';
import type { Flight } from '../../director/flight.ts';
import type { ApiDefinition, ApiId } from '../../protocol/api-table.ts';
import type { TokenUsage } from '../../protocol/token-usage.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { MetricsRegistry } from '../../telemetry/registry.ts';
import type { CounterSeries } from '../../telemetry/series.ts';

/** How one request ended, for the log and the metrics of the front door. */
export interface JournalEntry {
  readonly client: { readonly api: ApiDefinition; readonly requestId: RequestId };
  readonly flight: Flight | null;
  /** As the client wrote it; null when it was not read. */
  readonly model: string | null;
  readonly outcome: Outcome;
  readonly status: number;
  readonly errorCode: ErrorCode | null;
  readonly durationMs: number;
  readonly usage: TokenUsage | null;
}

/** Writes the request log and counts answers and errors. Never sees a prompt. */
export class RequestJournal {
  readonly #log: Logger;
  readonly #metrics: MetricsRegistry;
  /** Per API: counters of answers by hundreds of the status, found by index. */
  readonly #responses: Map<ApiId, CounterSeries[]> = new Map();
  readonly #errors: Map<ErrorCode, CounterSeries> = new Map();

  constructor(log: Logger, metrics: MetricsRegistry) {
    this.#log = log;
    this.#metrics = metrics;
  }

  record(entry: JournalEntry): void {
    this.#responsesOf(entry.client.api.id)[Math.floor(entry.status / 100)]?.add(1);
    if (entry.errorCode !== null) this.countError(entry.errorCode);
    const isFailure = entry.errorCode !== null || entry.outcome === 'upstream_error';
    if (isFailure) this.#log.warn(fieldsOf(entry), 'request failed');
    else if (this.#log.sampleRequest()) this.#log.info(fieldsOf(entry), 'request');
  }

  /** Counts an error answer of the gateway's own. */
  countError(code: ErrorCode): void {
    let series = this.#errors.get(code);
    if (series === undefined) {
      series = this.#metrics.counter('penstock_errors_total', [code]);
      this.#errors.set(code, series);
    }
    series.add(1);
  }

  #responsesOf(api: ApiId): CounterSeries[] {
    let series = this.#responses.get(api);
    if (series === undefined) {
      series = ['none', '1xx', '2xx', '3xx', '4xx', '5xx'].map((statusClass) =>
        this.#metrics.counter('penstock_responses_total', [api, statusClass]),
      );
      this.#responses.set(api, series);
    }
    return series;
  }
}

function fieldsOf(entry: JournalEntry): Record<string, unknown> {
  const { client, flight, model, usage } = entry;
  return {
    requestId: client.requestId,
    api: client.api.id,
    model,
    endpoint: flight === null ? null : flight.endpoint.id,
    outcome: entry.outcome,
    status: entry.status,
    errorCode: entry.errorCode,
    durationMs: Math.round(entry.durationMs * 10) / 10,
    promptTokens: usage === null ? null : usage.promptTokens,
    completionTokens: usage === null ? null : usage.completionTokens,
  };
}
