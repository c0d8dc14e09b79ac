import fc from 'fast-check';
import type { BodyFraming } from '../../wire/message-body.ts';
import { damage } from '../../wire/testing/damaged-messages.ts';
import {
  chunk,
  encodeChunks,
  encodeField,
  field,
  framingLine,
  joinContent,
} from '../../wire/testing/raw-messages.ts';

/** A request as bytes, and what a server must read from them. */
export interface RawRequest {
  readonly bytes: Buffer;
  readonly method: string;
  readonly target: string;
  readonly body: Buffer;
}

/** Complete requests without a fault, in all framings; the connection stays open after them. */
export const rawRequest: fc.Arbitrary<RawRequest> = fc
  .record({
    method: fc.constantFrom('POST', 'POST', 'GET', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'HEAD'),
    target: fc.constantFrom(
      '/',
      '/v1/chat/completions',
      '/v1/models/a%20b?x=1&y=/../z',
      '/?',
      '//x',
      'http://other:80/v1/models?x',
      'http://other',
    ),
    framing: fc.constantFrom<BodyFraming>('length', 'length', 'chunked', 'none'),
    fields: fc.array(field, { maxLength: 5 }),
    chunks: fc.array(chunk, { maxLength: 5 }),
    trailers: fc.array(field, { maxLength: 2 }),
    lastZeros: fc.constantFrom(1, 1, 3),
    framingPlace: fc.nat(6),
    connection: fc.constantFrom('', '', '', 'Connection: keep-alive', 'connection: x-a, te'),
    emptyLines: fc.constantFrom('', '', '', '\r\n', '\r\n\r\n'),
  })
  .map((parts) => {
    const { method, target, framing, chunks } = parts;
    const isChunked = framing === 'chunked';
    const body = framing === 'none' ? Buffer.alloc(0) : joinContent(chunks);
    const own = ['Host: gateway', framingLine(framing, body), parts.connection];
    const lines = parts.fields.map(encodeField);
    const place = Math.min(parts.framingPlace, lines.length);
    lines.splice(place, 0, ...own.filter((line) => line !== ''));
    const start = `${parts.emptyLines}${method} ${target} HTTP/1.1`;
    return {
      bytes: Buffer.concat([
        Buffer.from([start, ...lines, '', ''].join('\r\n'), 'latin1'),
        isChunked ? encodeChunks(chunks, parts.trailers, parts.lastZeros) : body,
      ]),
      method,
      target,
      body,
    };
  });

/** One to three good requests, one behind the other. */
export const pipelinedRequests: fc.Arbitrary<readonly RawRequest[]> = fc.array(rawRequest, {
  minLength: 1,
  maxLength: 3,
});

/** Requests with faults, most of them, but not all, not valid any more. */
export const damagedRequests: fc.Arbitrary<Buffer> = damage(
  pipelinedRequests.map((requests) => Buffer.concat(requests.map(({ bytes }) => bytes))),
);
