import type { ErrorCode, Outcome } from '../core/errors.ts';
import type { EndpointId, RequestId } from '../core/ids.ts';
import type { ApiDefinition } from '../protocol/api-table.ts';
import type { TokenUsage } from '../protocol/token-usage.ts';
import type { LatencyObjective, PromptBlocks } from '../scheduler/types.ts';

/** Places that credentials are spread over; a power of two. */
export const CREDENTIAL_PLACES = 256;

/** Longest credential that is kept for requests to come: anybody may send long ones without end. */
export const CREDENTIAL_CHARS_MAX = 1024;

/**
 * What a client says of who it is. Nearly always one object for all requests with the same; only
 * equal texts are sure to be the same.
 */
export interface Credential {
  /**
   * Value of the field `authorization`, else of `x-api-key`, else of `api-key`, blanks around it
   * included. Never logged, never written.
   */
  readonly text: string;
  /** From 0 to `CREDENTIAL_PLACES`, exclusive: a hash, for tables of what was used just now. */
  readonly place: number;
}

/** Of a request that does not say who sends it. */
export const NO_CREDENTIAL: Credential = Object.freeze({ text: '', place: 0 });

/** What the director must know of a request before it can choose; known before the body's end. */
export interface RequestHead {
  readonly requestId: RequestId;
  readonly api: ApiDefinition;
  /** Model name as the client wrote it. */
  readonly model: string;
  readonly isStream: boolean;
  /** Prompt bytes read so far, or the body length when that is known and larger. */
  readonly promptBytes: number;
  /** The client's bound on output tokens; null when it gave none. */
  readonly maxTokens: number | null;
  /** The only endpoint to use, asked for by a trusted caller; null lets the scheduler choose. */
  readonly pinnedEndpoint: EndpointId | null;
  /** What the caller asks of the answer's speed. */
  readonly objective: LatencyObjective;
  readonly credential: Credential;
  /** Value of the request header with this lower-case name; null without it. */
  readonly header: (name: string) => string | null;
  /**
   * Whole blocks of the prompt that has arrived so far; `salt` tells apart what shares no cache.
   * Asked again later it may give more.
   */
  readonly promptBlocks: (salt: string) => PromptBlocks;
}

/** A request that is answered without trying any endpoint. */
export interface Refusal {
  readonly code: ErrorCode;
  /** For the client. */
  readonly message: string;
  /** When trying again makes sense; null when it never does. */
  readonly retryAfterMs: number | null;
}

/**
 * Why an attempt failed before the first byte of an answer. `connect`: no connection; `reset`:
 * closed before an answer; `status`: answered 502, 503 or 504; `timeout`: no answer in time;
 * `invalid`: the answer was not HTTP.
 */
export type AttemptFailure = 'connect' | 'reset' | 'status' | 'timeout' | 'invalid';

/** What the transport does after a failed attempt. */
export type NextStep = 'retry' | 'give-up';

/** How a request ended, as the transport saw it. */
export interface FlightResult {
  readonly outcome: Outcome;
  /** HTTP status the client got; 0 when it got none. */
  readonly status: number;
  readonly errorCode: ErrorCode | null;
  /**
   * How the endpoint failed after the first byte of its answer; null when that was not its doing.
   */
  readonly failure: AttemptFailure | null;
  readonly usage: TokenUsage | null;
}
