import type { IncomingMessage } from 'node:http';
import type { ApiFamily } from '../protocol/api-table.ts';
import type { AnswerHeader } from '../scheduler/types.ts';

/** Connection-level fields (RFC 9110 section 7.6.1) and fields the gateway writes itself. */
const NOT_FORWARDED_UPSTREAM: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'host',
  'content-length',
  'expect',
  'x-request-id',
  // A compressed answer could not be read for its usage.
  'accept-encoding',
]);

const NOT_FORWARDED_TO_CLIENT: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-length',
  'x-request-id',
  'request-id',
]);

const OWN_PREFIX = 'x-penstock-';

/** Names listed in the Connection field, lower case; null when it lists none but the usual. */
function connectionNames(value: string | undefined): ReadonlySet<string> | null {
  if (value === undefined || value === 'keep-alive' || value === 'close') return null;
  return new Set(value.split(',').map((name) => name.trim().toLowerCase()));
}

/** What the gateway itself says in a request to an endpoint. */
export interface OwnRequestFields {
  /** Host and port of the endpoint. */
  readonly host: string;
  readonly requestId: string;
  /** Null sends the body chunked. */
  readonly contentLength: number | null;
}

/**
 * The flat header list to send upstream: the client's end-to-end fields as they came, then our own.
 * Hot: `npm run bench -- proxy`.
 */
export function buildUpstreamHeaders(request: IncomingMessage, own: OwnRequestFields): string[] {
  const { rawHeaders } = request;
  const named = connectionNames(request.headers.connection);
  const headers: string[] = ['host', own.host];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    const lower = name.toLowerCase();
    if (NOT_FORWARDED_UPSTREAM.has(lower) || lower.startsWith(OWN_PREFIX)) continue;
    if (named !== null && named.has(lower)) continue;
    headers.push(name, rawHeaders[i + 1] as string);
  }
  headers.push('via', '1.1 penstock', 'x-request-id', own.requestId);
  if (own.contentLength === null) headers.push('transfer-encoding', 'chunked');
  else headers.push('content-length', String(own.contentLength));
  return headers;
}

/** What the gateway itself says in an answer to a client. */
export interface OwnAnswerFields {
  readonly requestId: string;
  /** Null does not name the endpoint. */
  readonly endpoint: string | null;
  /** Headers that the choice of the endpoint asks for, such as a session's token. */
  readonly asked: readonly AnswerHeader[];
  /** Why it was chosen, for a trusted caller that asks; null does not say. */
  readonly why: string | null;
  /** Anthropic's clients read the request id under their own name. */
  readonly family: ApiFamily;
  /** Null leaves the framing to the connection (chunked). */
  readonly contentLength: number | null;
}

/** The flat header list of an answer: the endpoint's end-to-end fields, then our own. */
export function buildAnswerHeaders(answer: readonly string[], own: OwnAnswerFields): string[] {
  const named = nominatedIn(answer);
  const headers: string[] = [];
  for (let i = 0; i < answer.length; i += 2) {
    const name = answer[i] as string;
    if (NOT_FORWARDED_TO_CLIENT.has(name) || name.startsWith(OWN_PREFIX)) continue;
    if (named !== null && named.has(name)) continue;
    headers.push(name, answer[i + 1] as string);
  }
  headers.push('x-request-id', own.requestId);
  if (own.family === 'anthropic') headers.push('request-id', own.requestId);
  if (own.endpoint !== null) headers.push('x-penstock-endpoint', own.endpoint);
  for (const { name, value } of own.asked) headers.push(name, value);
  if (own.why !== null) headers.push('x-penstock-why', own.why);
  if (own.contentLength !== null) headers.push('content-length', String(own.contentLength));
  return headers;
}

/** What an answer's Connection fields name. */
function nominatedIn(answer: readonly string[]): ReadonlySet<string> | null {
  let value: string | undefined;
  for (let i = 0; i < answer.length; i += 2) {
    if (answer[i] !== 'connection') continue;
    value = value === undefined ? answer[i + 1] : `${value},${answer[i + 1]}`;
  }
  return connectionNames(value);
}
