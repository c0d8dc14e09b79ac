import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ErrorCode } from '../../core/errors.ts';
import { ERRORS } from '../../core/errors.ts';
import type { ApiFamily } from '../../protocol/api-table.ts';
import { encodeErrorBody } from '../../protocol/error-body.ts';

/** What Node says of a request it could not parse. */
export interface ClientError extends Error {
  readonly code?: string;
  readonly rawPacket?: Buffer;
}

/** Bytes of a broken request that are looked at to find its path. */
const PEEK_BYTES = 64;

/**
 * How long a client may keep its side open after such an answer. Not closed at once: that would
 * reset the connection while bytes still arrive, and the client might never read the answer.
 */
const LINGER_MS = 1000;

const REQUEST_START = /^[A-Z]+ /;

/**
 * Answers a request that never became one, in HTTP by hand, and closes its connection: after a
 * framing error nobody knows where the next request begins. Returns the code that was sent, or null
 * when the connection was already gone.
 */
export function answerClientError(
  error: ClientError,
  socket: Socket,
  options: { readonly urlBytesMax: number },
): ErrorCode | null {
  if (error.code === 'ECONNRESET' || !socket.writable || hasAnswerBegun(socket)) {
    socket.destroy();
    return null;
  }
  const { code, message } = describe(error, options.urlBytesMax);
  const body = encodeErrorBody(familyOf(error.rawPacket), {
    code,
    message,
    param: null,
    requestId: '',
  });
  const { status } = ERRORS[code];
  const head = [
    `HTTP/1.1 ${status} ${REASONS[status] ?? 'Error'}`,
    'content-type: application/json',
    `content-length: ${body.length}`,
    'connection: close',
    '\r\n',
  ].join('\r\n');
  socket.end(Buffer.concat([Buffer.from(head, 'latin1'), body]));
  socket.setTimeout(LINGER_MS, () => {
    socket.destroy();
  });
  return code;
}

/**
 * Whether an answer to an earlier request is half sent, into which ours must not be written. Node
 * keeps the answer being sent on the socket, and its own handler of such errors asks the same.
 */
function hasAnswerBegun(socket: Socket & { readonly _httpMessage?: ServerResponse }): boolean {
  return socket._httpMessage?.headersSent === true;
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  414: 'URI Too Long',
  431: 'Request Header Fields Too Large',
};

function describe(
  error: ClientError,
  urlBytesMax: number,
): { readonly code: ErrorCode; readonly message: string } {
  switch (error.code ?? '') {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return { code: 'request_timeout', message: 'The request did not arrive in time.' };
    case 'HPE_HEADER_OVERFLOW':
      return hasLongTarget(error.rawPacket, urlBytesMax)
        ? { code: 'url_too_long', message: `The URL is longer than ${urlBytesMax} bytes.` }
        : { code: 'header_too_large', message: 'The request head is too large.' };
    default:
      return {
        code: 'invalid_http',
        message: `The request is not valid HTTP/1.1 (${error.code ?? 'unknown error'}).`,
      };
  }
}

/**
 * Whether the request line is itself past the limit of a target. Of a head that came in pieces only
 * the last is at hand; unless that is the first one, a long target passes for a long header.
 */
function hasLongTarget(packet: Buffer | undefined, urlBytesMax: number): boolean {
  if (packet === undefined) return false;
  if (!REQUEST_START.test(packet.toString('latin1', 0, PEEK_BYTES))) return false;
  const end = packet.indexOf('\r\n');
  return end < 0 ? packet.length > urlBytesMax : end > urlBytesMax;
}

function familyOf(packet: Buffer | undefined): ApiFamily {
  const start = packet === undefined ? '' : packet.toString('latin1', 0, PEEK_BYTES);
  return start.includes(' /v1/messages') ? 'anthropic' : 'openai';
}
