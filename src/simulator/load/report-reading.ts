import { isJsonObject, type JsonObject } from '../server/json-value.ts';
import {
  PERCENTILE_NAMES,
  type MeasuredDistribution,
  type MeasuredLatency,
  type PercentileName,
} from './measured-report.ts';

const EMPTY: JsonObject = Object.freeze({});

/**
 * Reads members of a report and remembers the first that is not what it should be; after that,
 * what it returns means nothing.
 */
export class ReportReading {
  #problem: string | null = null;

  /** The first mistake, as `path: what is wrong`; null when there was none. */
  get problem(): string | null {
    return this.#problem;
  }

  note(path: string, what: string): void {
    this.#problem ??= `${path}: ${what}`;
  }

  object(parent: JsonObject, path: string): JsonObject {
    const value = parent[lastOf(path)];
    if (isJsonObject(value)) return value;
    this.note(path, `expected an object, got ${describe(value)}`);
    return EMPTY;
  }

  /** A finite number of at least 0. */
  number(parent: JsonObject, path: string): number {
    const value = parent[lastOf(path)];
    if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
    this.note(path, `expected a number of at least 0, got ${describe(value)}`);
    return 0;
  }

  /** The same, or null when it is absent or null. */
  optionalNumber(parent: JsonObject, path: string): number | null {
    const value = parent[lastOf(path)];
    return value === undefined || value === null ? null : this.number(parent, path);
  }

  string(parent: JsonObject, path: string): string {
    const value = parent[lastOf(path)];
    if (typeof value === 'string') return value;
    this.note(path, `expected a text, got ${describe(value)}`);
    return '';
  }

  optionalString(parent: JsonObject, path: string): string | null {
    const value = parent[lastOf(path)];
    return value === undefined || value === null ? null : this.string(parent, path);
  }

  /** A distribution, or null when it is absent or null. */
  distribution(parent: JsonObject, path: string): MeasuredDistribution | null {
    const value = parent[lastOf(path)];
    if (value === undefined || value === null) return null;
    const source = this.object(parent, path);
    const mean = this.#signed(source, `${path}.mean`);
    const min = this.#signed(source, `${path}.min`);
    const max = this.#signed(source, `${path}.max`);
    const percentiles: Partial<Record<PercentileName, number>> = {};
    let before = min;
    for (const name of PERCENTILE_NAMES) {
      if (source[name] === undefined) continue;
      const percentile = this.#signed(source, `${path}.${name}`, name);
      if (percentile < before) this.note(`${path}.${name}`, 'is below a lower percentile');
      percentiles[name] = percentile;
      before = percentile;
    }
    if (max < before) this.note(`${path}.max`, 'is below a percentile');
    return { mean, min, max, ...percentiles };
  }

  /** The five latencies of a report. */
  latency(parent: JsonObject, path: string): MeasuredLatency {
    const source = this.object(parent, path);
    const read = (name: keyof MeasuredLatency): MeasuredDistribution | null =>
      this.distribution(source, `${path}.${name}`);
    return {
      request_latency: read('request_latency'),
      normalized_time_per_output_token: read('normalized_time_per_output_token'),
      time_per_output_token: read('time_per_output_token'),
      time_to_first_token: read('time_to_first_token'),
      inter_token_latency: read('inter_token_latency'),
    };
  }

  // Schedule delays of other tools can be slightly negative: their clocks are not one.
  #signed(parent: JsonObject, path: string, key: string = lastOf(path)): number {
    const value = parent[key];
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    this.note(path, `expected a number, got ${describe(value)}`);
    return 0;
  }
}

function lastOf(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1);
}

function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : (JSON.stringify(value) ?? typeof value);
}
