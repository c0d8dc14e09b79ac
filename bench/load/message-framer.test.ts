import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MessageFramer } from './message-framer.ts';

const MESSAGES = Buffer.from(
  'POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello' +
    'GET /b HTTP/1.1\r\nhost: x\r\n\r\n' +
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n' +
    '3\r\nabc\r\n0a;x\r\n0123456789\r\n0\r\n\r\n' +
    'HTTP/1.1 204 No Content\r\n\r\n',
);

/** What a framer reports, with the pieces of each body joined. */
function readAll(chunks: readonly Buffer[]): readonly string[] {
  const seen: string[] = [];
  let body = '';
  const framer = new MessageFramer({
    onHead: (head) => seen.push(head.split('\r\n', 1)[0]!),
    onBody: (piece) => {
      body += piece.toString();
    },
    onEnd: () => {
      seen.push(`end ${body}`);
      body = '';
    },
  });
  for (const chunk of chunks) framer.push(chunk);
  return seen;
}

const EXPECTED = [
  'POST /a HTTP/1.1',
  'end hello',
  'GET /b HTTP/1.1',
  'end ',
  'HTTP/1.1 200 OK',
  'end abc0123456789',
  'HTTP/1.1 204 No Content',
  'end ',
];

describe('MessageFramer', () => {
  it('finds fixed, empty and chunked messages that arrive in one piece', () => {
    assert.deepEqual(readAll([MESSAGES]), EXPECTED);
  });

  it('finds the same messages wherever the bytes are split', () => {
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: MESSAGES.length - 1 }));
    fc.assert(
      fc.property(cuts, (positions) => {
        const bounds = [0, ...positions.toSorted((left, right) => left - right), MESSAGES.length];
        const chunks = bounds.slice(1).map((end, index) => MESSAGES.subarray(bounds[index], end));
        assert.deepEqual(readAll(chunks), EXPECTED);
      }),
    );
  });

  it('does not end a message before its last byte', () => {
    assert.deepEqual(readAll([Buffer.from('POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\nab')]), [
      'POST / HTTP/1.1',
    ]);
  });
});
