/** What one error code means on the wire and to a client's retry logic. */
export interface ErrorDefinition {
  /** HTTP status of the answer. */
  readonly status: number;
  /** `error.type` in OpenAI's shape; Anthropic's type is derived from the status. */
  readonly type: 'invalid_request_error' | 'not_found_error' | 'api_error' | 'overloaded_error';
  /** Whether sending the same request again later can succeed. */
  readonly isRetryable: boolean;
  /** One sentence for the reference page: when it happens and the way out. */
  readonly summary: string;
}

/** A code of the error table. */
export type ErrorCode =
  | 'invalid_json'
  | 'invalid_multipart'
  | 'model_missing'
  | 'invalid_http'
  | 'invalid_header'
  | 'model_not_found'
  | 'route_not_found'
  | 'method_not_allowed'
  | 'request_timeout'
  | 'body_too_large'
  | 'url_too_long'
  | 'unsupported_encoding'
  | 'header_too_large'
  | 'internal'
  | 'upstream_connect_failed'
  | 'upstream_reset'
  | 'upstream_invalid'
  | 'upstream_interrupted'
  | 'no_endpoint'
  | 'draining'
  | 'upstream_timeout';

function define(
  status: number,
  type: ErrorDefinition['type'],
  isRetryable: boolean,
  summary: string,
): ErrorDefinition {
  return { status, type, isRetryable, summary };
}

/** Every error a client can see; `docs/reference/errors.md` is compared with it by a test. */
export const ERRORS: Readonly<Record<ErrorCode, ErrorDefinition>> = Object.freeze({
  invalid_json: define(
    400,
    'invalid_request_error',
    false,
    'The body is not one complete JSON object; the message names the byte offset.',
  ),
  invalid_multipart: define(
    400,
    'invalid_request_error',
    false,
    'The multipart body has no boundary, a broken part header, or ends early.',
  ),
  model_missing: define(
    400,
    'invalid_request_error',
    false,
    'The body has no top-level `model` string.',
  ),
  invalid_http: define(
    400,
    'invalid_request_error',
    false,
    'The request breaks HTTP/1.1 framing, for example both Content-Length and Transfer-Encoding; the connection is closed.',
  ),
  invalid_header: define(
    400,
    'invalid_request_error',
    false,
    'A header that the gateway reads, such as a latency objective, has a value it cannot use.',
  ),
  model_not_found: define(
    404,
    'invalid_request_error',
    false,
    'No pool serves this model; the message names the nearest known one.',
  ),
  route_not_found: define(
    404,
    'invalid_request_error',
    false,
    'The path is none of the gateway. Paths are listed in docs/reference/http.md.',
  ),
  method_not_allowed: define(
    405,
    'invalid_request_error',
    false,
    'The path exists with another method, which the Allow header names.',
  ),
  request_timeout: define(
    408,
    'invalid_request_error',
    true,
    'The client did not send its head or body within the listener’s limits.',
  ),
  body_too_large: define(
    413,
    'invalid_request_error',
    false,
    'The body is larger than limits.bodyBytes.',
  ),
  url_too_long: define(
    414,
    'invalid_request_error',
    false,
    'The request target is longer than limits.urlBytes.',
  ),
  unsupported_encoding: define(
    415,
    'invalid_request_error',
    false,
    'The request body has a Content-Encoding; send it uncompressed.',
  ),
  header_too_large: define(
    431,
    'invalid_request_error',
    false,
    'The request head is larger than limits.headerBytes, or has more than 256 fields.',
  ),
  internal: define(
    500,
    'api_error',
    true,
    'A defect in the gateway; the log has the cause under the same request id.',
  ),
  upstream_connect_failed: define(
    502,
    'api_error',
    true,
    'No endpoint that was tried accepted a connection.',
  ),
  upstream_reset: define(
    502,
    'api_error',
    true,
    'The endpoint closed the connection before it had answered.',
  ),
  upstream_invalid: define(502, 'api_error', true, 'The endpoint’s answer was not valid HTTP.'),
  upstream_interrupted: define(
    502,
    'api_error',
    true,
    'The endpoint failed in the middle of its answer; sent as an error frame inside the stream.',
  ),
  no_endpoint: define(
    503,
    'overloaded_error',
    true,
    'No endpoint can take a request for this model now, or none knows the model and a server has not yet said what it serves; Retry-After says when to try again.',
  ),
  draining: define(
    503,
    'overloaded_error',
    true,
    'The gateway is shutting down; try another replica.',
  ),
  upstream_timeout: define(
    504,
    'api_error',
    true,
    'The endpoint did not answer within timeouts.firstByteMs, stayed silent for timeouts.idleMs, or the request took longer than timeouts.totalMs.',
  ),
});

/**
 * An exceptional outcome. `message` is safe to show to the client; `cause` is for the log only.
 */
export class PenstockError extends Error {
  override readonly name = 'PenstockError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/**
 * `completed`: the upstream's answer was delivered, whatever its status. `rejected`: answered by
 * the gateway before any endpoint was tried. `upstream_error`: every try failed before a byte.
 * `interrupted`: the answer broke off after its first byte. `client_closed`: the client went away.
 */
export type Outcome = 'completed' | 'rejected' | 'upstream_error' | 'interrupted' | 'client_closed';

/** Closed set of ways a request can end; the `outcome` label of request metrics. */
export const OUTCOMES: readonly Outcome[] = Object.freeze([
  'completed',
  'rejected',
  'upstream_error',
  'interrupted',
  'client_closed',
]);
