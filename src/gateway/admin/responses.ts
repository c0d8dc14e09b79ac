import type { ServerResponse } from 'node:http';

import { ADMIN_ERRORS } from './admin-errors.ts';
import type { AdminErrorCode } from './admin-errors.ts';

/**
 * Sent with every answer: nothing here is a page, may be framed, cached, sniffed or read by a page
 * of another origin.
 */
const SECURITY_HEADERS: readonly (readonly [string, string])[] = Object.freeze([
  ['cache-control', 'no-store'],
  ['content-security-policy', "default-src 'none'; frame-ancestors 'none'"],
  ['cross-origin-resource-policy', 'same-origin'],
  ['referrer-policy', 'no-referrer'],
  ['x-content-type-options', 'nosniff'],
  ['x-frame-options', 'DENY'],
]);

/** Content type and text of a whole answer. */
export interface AnswerBody {
  readonly type: string;
  readonly text: string;
}

/** Puts the headers that every answer carries. */
export function setSecurityHeaders(response: ServerResponse): void {
  for (const [name, value] of SECURITY_HEADERS) response.setHeader(name, value);
}

/** Sends a whole answer; for HEAD the headers alone. */
export function sendBody(response: ServerResponse, status: number, body: AnswerBody): void {
  const bytes = Buffer.from(body.text);
  setSecurityHeaders(response);
  response.writeHead(status, { 'content-type': body.type, 'content-length': bytes.length });
  response.end(bytes);
}

/** Sends `value` as JSON. */
export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  sendBody(response, status, { type: 'application/json', text: `${JSON.stringify(value)}\n` });
}

/** Sends an error of the admin API. */
export function sendError(response: ServerResponse, code: AdminErrorCode, message: string): void {
  sendJson(response, ADMIN_ERRORS[code].status, { error: { code, message } });
}
