import type { ErrorCode } from '../../core/errors.ts';
import { ERRORS } from '../../core/errors.ts';
import type { RequestId } from '../../core/ids.ts';
import type { ApiFamily } from '../../protocol/api-table.ts';
import { encodeErrorBody } from '../../protocol/error-body.ts';
import type { ClientStream } from '../server/client-stream.ts';

/** An answer that the gateway gives by itself. */
export interface OwnReply {
  readonly status: number;
  readonly requestId: RequestId;
  readonly body: Buffer;
  /** Further header lines, each with its CRLF. */
  readonly fields: string;
}

/** Sends a whole JSON answer. */
export function sendReply(stream: ClientStream, reply: OwnReply): void {
  const { status, requestId, body } = reply;
  const fields = `content-type: application/json\r\nx-request-id: ${requestId}\r\n${reply.fields}`;
  stream.reply(status, fields, body);
}

/** An error to answer with, before any byte of an endpoint's answer was sent. */
export interface ErrorReply {
  readonly code: ErrorCode;
  readonly message: string;
  readonly requestId: RequestId;
  /** The request field at fault, when there is one. */
  readonly param: string | null;
  readonly retryAfterMs: number | null;
  /** Further header lines, each with its CRLF. */
  readonly fields: string;
}

/** Sends an error in the shape of the API that was called. */
export function sendError(stream: ClientStream, family: ApiFamily, error: ErrorReply): void {
  const { code, message, requestId, param } = error;
  let { fields } = error;
  if (error.retryAfterMs !== null) {
    fields += `retry-after: ${Math.max(1, Math.ceil(error.retryAfterMs / 1000))}\r\n`;
  }
  if (family === 'anthropic') fields += `request-id: ${requestId}\r\n`;
  const body = encodeErrorBody(family, { code, message, param, requestId });
  sendReply(stream, { status: ERRORS[code].status, requestId, body, fields });
}
