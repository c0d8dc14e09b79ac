import fc from 'fast-check';
import type { BodyFraming } from '../../wire/message-body.ts';
import { damage } from '../../wire/testing/damaged-messages.ts';
import {
  chunk,
  encodeChunks,
  encodeField,
  type Field,
  field,
  framingLine,
  joinContent,
} from '../../wire/testing/raw-messages.ts';

/** An answer as bytes, and what a client must read from them. */
export interface RawAnswer {
  readonly bytes: Buffer;
  readonly status: number;
  /** Names in lower case and values, alternating. */
  readonly headers: readonly string[];
  readonly body: Buffer;
  /** Whether the end of the body is the end of the connection. */
  readonly isUntilClose: boolean;
}

/** Complete answers without a fault, in all framings. */
export const rawAnswer: fc.Arbitrary<RawAnswer> = fc
  .record({
    version: fc.constantFrom('1.1', '1.1', '1.1', '1.0'),
    framing: fc.constantFrom<BodyFraming>('length', 'chunked', 'until-close', 'none'),
    status: fc.constantFrom(200, 200, 201, 206, 302, 400, 404, 429, 500, 503, 599),
    reason: fc.constantFrom('', ' ', ' OK', ' Not Found', ' Caf\xe9'),
    informational: fc.array(fc.constantFrom(100, 102, 103), { maxLength: 2 }),
    fields: fc.array(field, { maxLength: 5 }),
    chunks: fc.array(chunk, { maxLength: 5 }),
    trailers: fc.array(field, { maxLength: 2 }),
    lastZeros: fc.constantFrom(1, 1, 3),
    framingPlace: fc.nat(5),
    connection: fc.constantFrom('', '', '', 'connection: close', 'Connection: keep-alive'),
  })
  .map((parts) => {
    const { framing, status, fields, chunks, connection } = parts;
    const isChunked = framing === 'chunked';
    const version = isChunked ? '1.1' : parts.version;
    const body = framing === 'none' ? Buffer.alloc(0) : joinContent(chunks);
    const own = [framingLine(framing, body), connection].filter((line) => line !== '');
    const lines = fields.map(encodeField);
    const place = Math.min(parts.framingPlace, lines.length);
    lines.splice(place, 0, ...own);
    const finalStatus = framing === 'none' ? (status % 2 === 0 ? 204 : 304) : status;
    const start = `HTTP/${version} ${finalStatus}${parts.reason}`;
    const informational = parts.informational
      .map((code) => `HTTP/1.1 ${code} Wait\r\nx-early: 1\r\n\r\n`)
      .join('');
    const text = `${informational}${[start, ...lines].join('\r\n')}\r\n\r\n`;
    return {
      bytes: Buffer.concat([
        Buffer.from(text, 'latin1'),
        isChunked ? encodeChunks(chunks, parts.trailers, parts.lastZeros) : body,
      ]),
      status: finalStatus,
      headers: headersOf(fields, own, place),
      body,
      isUntilClose: framing === 'until-close',
    };
  });

/** Answers with faults, most of them, but not all, not valid any more. */
export const damagedAnswer: fc.Arbitrary<Buffer> = damage(rawAnswer.map(({ bytes }) => bytes));

function headersOf(fields: readonly Field[], own: readonly string[], place: number): string[] {
  const pairs = fields.map(({ name, value }) => [name.toLowerCase(), value]);
  pairs.splice(
    place,
    0,
    ...own.map((line) => line.split(': ')).map(([name, value]) => [name!.toLowerCase(), value!]),
  );
  return pairs.flat();
}
