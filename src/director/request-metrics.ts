import type { Outcome } from '../core/errors.ts';
import { OUTCOMES } from '../core/errors.ts';
import type { MetricsRegistry } from '../telemetry/registry.ts';
import type { CounterSeries, HistogramSeries } from '../telemetry/series.ts';
import type { AttemptFailure } from './types.ts';

/** Result of an attempt; the `result` label of `penstock_attempts_total`. */
export type AttemptResult = AttemptFailure | 'answered' | 'cancelled';

const ATTEMPT_RESULTS: readonly AttemptResult[] = [
  'answered',
  'cancelled',
  'connect',
  'reset',
  'status',
  'timeout',
  'invalid',
];

/** The series that one (API, model, pool) writes to, looked up once. */
export interface RequestSeries {
  readonly byOutcome: Readonly<Record<Outcome, CounterSeries>>;
  readonly byAttempt: Readonly<Record<AttemptResult, CounterSeries>>;
  readonly durationSeconds: HistogramSeries;
  readonly timeToFirstTokenSeconds: HistogramSeries;
  readonly timePerOutputTokenSeconds: HistogramSeries;
  readonly promptTokens: CounterSeries;
  readonly completionTokens: CounterSeries;
  readonly cachedPromptTokens: CounterSeries;
}

/** Names of one set of series; `model` is a route's name, never a client's own text. */
export interface SeriesKey {
  readonly api: string;
  readonly model: string;
  readonly pool: string;
}

/**
 * Models whose series are at hand. Models come and go; past this many all are looked up anew, which
 * costs some microseconds each: the series themselves are the registry's.
 */
const MODELS_MAX = 1000;

/** Finds the series of a request without building label keys for every request. */
export class RequestMetrics {
  readonly #registry: MetricsRegistry;
  /** By model, then pool, then API: names that the request has at hand. */
  readonly #byModel: Map<string, Map<string, Map<string, RequestSeries>>> = new Map();

  constructor(registry: MetricsRegistry) {
    this.#registry = registry;
  }

  find(key: SeriesKey): RequestSeries {
    const known = this.#byModel.get(key.model)?.get(key.pool)?.get(key.api);
    return known ?? this.#create(key);
  }

  #create(key: SeriesKey): RequestSeries {
    const { api, model, pool } = key;
    const series = createSeries(this.#registry, key);
    let byPool = this.#byModel.get(model);
    if (byPool === undefined) {
      if (this.#byModel.size >= MODELS_MAX) this.#byModel.clear();
      this.#byModel.set(model, (byPool = new Map()));
    }
    let byApi = byPool.get(pool);
    if (byApi === undefined) byPool.set(pool, (byApi = new Map()));
    byApi.set(api, series);
    return series;
  }
}

function createSeries(registry: MetricsRegistry, { api, model, pool }: SeriesKey): RequestSeries {
  const byOutcome = Object.fromEntries(
    OUTCOMES.map((outcome) => [
      outcome,
      registry.counter('penstock_requests_total', [api, model, pool, outcome]),
    ]),
  ) as Record<Outcome, CounterSeries>;
  const byAttempt = Object.fromEntries(
    ATTEMPT_RESULTS.map((result) => [
      result,
      registry.counter('penstock_attempts_total', [pool, result]),
    ]),
  ) as Record<AttemptResult, CounterSeries>;
  const modelAndPool = [model, pool];
  return {
    byOutcome,
    byAttempt,
    durationSeconds: registry.histogram('penstock_request_duration_seconds', [api, model]),
    timeToFirstTokenSeconds: registry.histogram(
      'penstock_time_to_first_token_seconds',
      modelAndPool,
    ),
    timePerOutputTokenSeconds: registry.histogram(
      'penstock_time_per_output_token_seconds',
      modelAndPool,
    ),
    promptTokens: registry.counter('penstock_prompt_tokens_total', modelAndPool),
    completionTokens: registry.counter('penstock_completion_tokens_total', modelAndPool),
    cachedPromptTokens: registry.counter('penstock_cached_prompt_tokens_total', modelAndPool),
  };
}
