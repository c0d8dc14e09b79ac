import { isNativeError } from 'node:util/types';

/**
 * Why a server gave no answer. `refused`: nothing listens; `unresolved`: its name has no address;
 * `unroutable`: the network has no way or no answer to a connect; `reset`: the connection broke;
 * `timeout`: connected, but no whole answer in time; `closed`: we closed.
 */
export type HttpFailureKind =
  | 'refused'
  | 'unresolved'
  | 'unroutable'
  | 'reset'
  | 'timeout'
  | 'tls'
  | 'too-large'
  | 'invalid'
  | 'closed';

/** A request without an answer; `message` is for people. */
export interface HttpFailure {
  readonly kind: HttpFailureKind;
  readonly message: string;
}

const KINDS: Readonly<Record<string, HttpFailureKind>> = Object.freeze({
  ECONNREFUSED: 'refused',
  ENOTFOUND: 'unresolved',
  EAI_AGAIN: 'unresolved',
  EHOSTUNREACH: 'unroutable',
  ENETUNREACH: 'unroutable',
  ETIMEDOUT: 'unroutable',
  UND_ERR_CONNECT_TIMEOUT: 'unroutable',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  UND_ERR_SOCKET: 'reset',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
  UND_ERR_DESTROYED: 'closed',
  UND_ERR_CLOSED: 'closed',
});

const MESSAGES: Readonly<Record<HttpFailureKind, string>> = Object.freeze({
  refused: 'connection refused',
  unresolved: 'the host name has no address',
  unroutable: 'no connection within the time limit or no route to the host',
  reset: 'the server closed the connection',
  timeout: 'no answer within the time limit',
  tls: 'the TLS handshake failed',
  'too-large': 'the answer is too large',
  invalid: 'the answer is not HTTP',
  closed: 'closed by the gateway',
});

/** The failure behind an error of the HTTP client. */
export function describeFailure(cause: unknown): HttpFailure {
  const code = codeOf(cause);
  const kind = KINDS[code] ?? kindOfCode(code);
  const detail = kind === 'tls' || kind === 'invalid' ? `: ${messageOf(cause)}` : '';
  return { kind, message: `${MESSAGES[kind]}${detail}` };
}

/** Certificate errors come with OpenSSL's names; everything else is a broken answer. */
function kindOfCode(code: string): HttpFailureKind {
  return /CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO|ALTNAME/.test(code) ? 'tls' : 'invalid';
}

function codeOf(cause: unknown): string {
  if (typeof cause !== 'object' || cause === null || !('code' in cause)) return '';
  return typeof cause.code === 'string' ? cause.code : '';
}

function messageOf(cause: unknown): string {
  return isNativeError(cause) ? cause.message.slice(0, 200) : String(cause).slice(0, 200);
}
