/** What is wrong with a trace file, or with how it is to be read. */
export type TraceErrorCode =
  | 'trace_unreadable'
  | 'trace_empty'
  | 'trace_format_unknown'
  | 'trace_column_missing'
  | 'trace_line_invalid'
  | 'trace_value_invalid'
  | 'trace_unsorted'
  | 'trace_truncated'
  | 'trace_option_invalid';

/** A trace that cannot be used; `message` is for the user and begins with `path:line`. */
export class TraceError extends Error {
  override readonly name = 'TraceError';
  readonly code: TraceErrorCode;
  readonly path: string;
  /** From 1; null when it is about the whole file. */
  readonly line: number | null;

  constructor(code: TraceErrorCode, message: string, place: TracePlace) {
    super(`${place.path}${place.line === null ? '' : `:${place.line}`}: ${message}`, {
      cause: place.cause,
    });
    this.code = code;
    this.path = place.path;
    this.line = place.line;
  }
}

/** Where in a trace something is. */
export interface TracePlace {
  readonly path: string;
  readonly line: number | null;
  readonly cause?: unknown;
}
