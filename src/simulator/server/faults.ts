import type { Rng } from '../../core/rng.ts';
import { isJsonObject, readCount, readNumber, readString, type JsonObject } from './json-value.ts';

/**
 * Failures that the server injects. All are off by default; `POST /admin/failures` changes those
 * that it names and keeps the rest.
 */
export interface FaultSettings {
  /** The listening socket is closed for this long, so that connecting is refused; 0 = not. */
  readonly refuseMs: number;
  /** Share of requests, 0 to 1, answered with `errorStatus`. */
  readonly errorRate: number;
  /** The next this many requests are answered with `errorStatus`. */
  readonly errorCount: number;
  readonly errorStatus: number;
  /** Body of those answers; null = the engine's own error shape. */
  readonly errorBody: string | null;
  /** Delay before anything is done with a request. */
  readonly latencyMs: number;
  /** Silence after the request was read and before the response head. */
  readonly stallFirstByteMs: number;
  /** Silence of `stallMs` after this many chunks of a stream; null = not. */
  readonly stallAfterChunks: number | null;
  readonly stallMs: number;
  /**
   * The socket is destroyed after this many chunks, or in the middle of a JSON body; null = not.
   */
  readonly cutAfterChunks: number | null;
  /** Share of requests, 0 to 1, that latency, stalls and cuts apply to. */
  readonly faultRate: number;
  /** The next this many requests at most get latency, stalls and cuts; null = all. */
  readonly faultCount: number | null;
  /** From now on, or from the start, 503 on every path for this long. */
  readonly slowStartMs: number;
}

/** Nothing fails. */
export const NO_FAULTS: FaultSettings = Object.freeze({
  refuseMs: 0,
  errorRate: 0,
  errorCount: 0,
  errorStatus: 500,
  errorBody: null,
  latencyMs: 0,
  stallFirstByteMs: 0,
  stallAfterChunks: null,
  stallMs: 60_000,
  cutAfterChunks: null,
  faultRate: 1,
  faultCount: null,
  slowStartMs: 0,
});

/** What one request will suffer. */
export interface FaultPlan {
  readonly error: { readonly status: number; readonly body: string | null } | null;
  readonly latencyMs: number;
  readonly stallFirstByteMs: number;
  readonly stallAfterChunks: number | null;
  readonly stallMs: number;
  readonly cutAfterChunks: number | null;
}

const HEALTHY: FaultPlan = Object.freeze({
  error: null,
  latencyMs: 0,
  stallFirstByteMs: 0,
  stallAfterChunks: null,
  stallMs: 0,
  cutAfterChunks: null,
});

/** Deals failures out to requests, as set now. */
export class FaultInjector {
  readonly #rng: Rng;
  #settings: FaultSettings;

  constructor(settings: FaultSettings, rng: Rng) {
    this.#settings = settings;
    this.#rng = rng;
  }

  get settings(): FaultSettings {
    return this.#settings;
  }

  change(settings: Partial<FaultSettings>): void {
    this.#settings = { ...this.#settings, ...settings };
  }

  /** A request that nothing happens to. */
  none(): FaultPlan {
    return HEALTHY;
  }

  /** Decides for the next request, using up counts. */
  next(): FaultPlan {
    const settings = this.#settings;
    const error = { status: settings.errorStatus, body: settings.errorBody };
    if (settings.errorCount > 0) {
      this.change({ errorCount: settings.errorCount - 1 });
      return { ...HEALTHY, error };
    }
    if (settings.errorRate > 0 && this.#rng.next() < settings.errorRate) {
      return { ...HEALTHY, error };
    }
    if (!this.#isFaulty(settings)) return HEALTHY;
    if (settings.faultCount !== null) this.change({ faultCount: settings.faultCount - 1 });
    const { latencyMs, stallFirstByteMs, stallAfterChunks, stallMs, cutAfterChunks } = settings;
    return { error: null, latencyMs, stallFirstByteMs, stallAfterChunks, stallMs, cutAfterChunks };
  }

  #isFaulty(settings: FaultSettings): boolean {
    if (settings.faultCount === 0) return false;
    return settings.faultRate >= 1 || this.#rng.next() < settings.faultRate;
  }
}

type Reader = (object: JsonObject, key: string) => number | string | null;

const READERS: Readonly<Record<keyof FaultSettings, Reader>> = Object.freeze({
  refuseMs: readCount,
  errorRate: readNumber,
  errorCount: readCount,
  errorStatus: readCount,
  errorBody: readString,
  latencyMs: readCount,
  stallFirstByteMs: readCount,
  stallAfterChunks: readCount,
  stallMs: readCount,
  cutAfterChunks: readCount,
  faultRate: readNumber,
  faultCount: readCount,
  slowStartMs: readCount,
});
const NULLABLE: ReadonlySet<string> = new Set([
  'errorBody',
  'stallAfterChunks',
  'cutAfterChunks',
  'faultCount',
]);

/** Reads a change of settings from JSON; a string says what is wrong with it. */
export function parseFaults(body: unknown): Partial<FaultSettings> | string {
  if (!isJsonObject(body)) return 'the body must be a JSON object';
  const changes: Record<string, number | string | null> = {};
  for (const key of Object.keys(body)) {
    const reader = (READERS as Readonly<Record<string, Reader | undefined>>)[key];
    if (reader === undefined) {
      return `unknown failure ${key}; known are ${Object.keys(READERS).join(', ')}`;
    }
    const value = body[key] === null && NULLABLE.has(key) ? null : reader(body, key);
    if (value === null && body[key] !== null) return `${key} has the wrong type`;
    if (value === null && !NULLABLE.has(key)) return `${key} cannot be null`;
    changes[key] = value;
  }
  if (changes['errorStatus'] !== undefined && !isStatus(changes['errorStatus'])) {
    return 'errorStatus must be from 400 to 599';
  }
  return changes;
}

function isStatus(value: number | string | null): boolean {
  return typeof value === 'number' && value >= 400 && value <= 599;
}
