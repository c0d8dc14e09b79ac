import { ERRORS } from '../../core/errors.ts';
import { encodeErrorBody } from '../../protocol/error-body.ts';
import type { RequestProblem } from './request-head.ts';
import { statusLine } from './status-line.ts';

/**
 * The whole answer to a request that never became one. `start` is what is known of it: its first
 * bytes, in which a path may show whose form of errors its client reads.
 */
export function encodeRefusal(
  { code, message }: RequestProblem,
  start: string,
  dateLine: string,
): Buffer {
  const family = start.slice(0, 64).includes(' /v1/messages') ? 'anthropic' : 'openai';
  const body = encodeErrorBody(family, { code, message, param: null, requestId: '' });
  const head = [
    `${statusLine(ERRORS[code].status)}content-type: application/json`,
    `content-length: ${body.length}`,
    `${dateLine}connection: close`,
    '\r\n',
  ].join('\r\n');
  return Buffer.concat([Buffer.from(head, 'latin1'), body]);
}
