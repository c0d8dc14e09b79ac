import type { ErrorCode } from '../../core/errors.ts';
import type { AttemptFailure } from '../../director/types.ts';

const CONNECT_CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
]);

const TIMEOUT_CODES: ReadonlySet<string> = new Set([
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
]);

/** Sorts an error of the HTTP client into the kinds that decide about retries and messages. */
export function classifyFailure(error: Error): AttemptFailure {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (CONNECT_CODES.has(code) || code.startsWith('ERR_TLS') || code.startsWith('ERR_SSL')) {
    return 'connect';
  }
  // Certificate errors have OpenSSL's own codes, such as DEPTH_ZERO_SELF_SIGNED_CERT.
  if (code.includes('CERT')) return 'connect';
  if (TIMEOUT_CODES.has(code)) return 'timeout';
  if (code.startsWith('HPE_') || code === 'UND_ERR_HEADERS_OVERFLOW') return 'invalid';
  return 'reset';
}

/** The error a client gets when an attempt of this kind was the last. */
export function errorCodeOf(failure: AttemptFailure): ErrorCode {
  switch (failure) {
    case 'connect':
      return 'upstream_connect_failed';
    case 'timeout':
      return 'upstream_timeout';
    case 'invalid':
      return 'upstream_invalid';
    case 'reset':
    case 'status':
      return 'upstream_reset';
  }
}
