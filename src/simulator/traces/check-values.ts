import { MAX_SEGMENT_TOKENS } from '../workloads/segments.ts';
import { TraceError, type TracePlace } from './errors.ts';

function refuse(message: string, place: TracePlace): never {
  throw new TraceError('trace_value_invalid', message, place);
}

/** A count of tokens: a whole number from 0 to 2^21, the most that one segment can have. */
export function checkTokens(value: unknown, field: string, place: TracePlace): number {
  if (Number.isSafeInteger(value)) {
    const tokens = value as number;
    if (tokens >= 0 && tokens <= MAX_SEGMENT_TOKENS) return tokens;
  }
  const range = `a whole number from 0 to ${MAX_SEGMENT_TOKENS}`;
  return refuse(`${field} must be ${range}, not ${show(value)}`, place);
}

/** A time: finite and not negative. */
export function checkTime(value: unknown, field: string, place: TracePlace): number {
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
  return refuse(`${field} must be a number from 0 up, not ${show(value)}`, place);
}

/** Times of one trace must not go back. */
export class TimeOrder {
  #lastMs = Number.NEGATIVE_INFINITY;
  #lastLine = 0;

  check(atMs: number, place: { readonly path: string; readonly line: number }): void {
    if (atMs < this.#lastMs) {
      const message = `the time is before that of line ${this.#lastLine}; sort the file by time`;
      throw new TraceError('trace_unsorted', message, place);
    }
    this.#lastMs = atMs;
    this.#lastLine = place.line;
  }
}

const LONGEST_SHOWN = 40;

/** A value as a person would recognise it in the file. */
function show(value: unknown): string {
  if (value === undefined) return 'missing';
  const text = typeof value === 'string' ? `"${value}"` : (JSON.stringify(value) ?? 'nothing');
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
}
