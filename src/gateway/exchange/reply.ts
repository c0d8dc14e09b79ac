import type { ServerResponse } from 'node:http';
import type { ErrorCode } from '../../core/errors.ts';
import { ERRORS } from '../../core/errors.ts';
import type { RequestId } from '../../core/ids.ts';
import type { ApiFamily } from '../../protocol/api-table.ts';
import { encodeErrorBody } from '../../protocol/error-body.ts';

/** An answer that the gateway gives by itself. */
export interface OwnReply {
  readonly status: number;
  readonly requestId: RequestId;
  readonly body: Buffer;
  /** Further header names and values, flat. */
  readonly headers: readonly string[];
}

/** Sends a whole JSON answer. */
export function sendReply(response: ServerResponse, reply: OwnReply): void {
  response.writeHead(reply.status, [
    'content-type',
    'application/json',
    'content-length',
    String(reply.body.length),
    'x-request-id',
    reply.requestId,
    ...reply.headers,
  ]);
  response.end(reply.body);
}

/** An error to answer with, before any byte of an endpoint's answer was sent. */
export interface ErrorReply {
  readonly code: ErrorCode;
  readonly message: string;
  readonly requestId: RequestId;
  /** The request field at fault, when there is one. */
  readonly param: string | null;
  readonly retryAfterMs: number | null;
  /** Further header names and values, flat. */
  readonly headers: readonly string[];
}

/** Sends an error in the shape of the API that was called. */
export function sendError(response: ServerResponse, family: ApiFamily, error: ErrorReply): void {
  const { code, message, requestId, param } = error;
  const headers = [...error.headers];
  if (error.retryAfterMs !== null) {
    const seconds = Math.max(1, Math.ceil(error.retryAfterMs / 1000));
    headers.push('retry-after', String(seconds));
  }
  if (family === 'anthropic') headers.push('request-id', requestId);
  const body = encodeErrorBody(family, { code, message, param, requestId });
  sendReply(response, { status: ERRORS[code].status, requestId, body, headers });
}
