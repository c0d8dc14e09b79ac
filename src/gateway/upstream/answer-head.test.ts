import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findHeadEnd } from '../wire/head-end.ts';
import type { AnswerHead } from './answer-head.ts';
import { parseAnswerHead } from './answer-head.ts';

/** What is made of a head of these lines; a reason as text when there is something wrong. */
function parse(text: string): AnswerHead | string {
  const bytes = Buffer.from(`${text}\r\n\r\n`, 'latin1');
  const end = findHeadEnd(bytes, 0);
  if (end < 0) return 'forbidden';
  if (end + 4 < bytes.length) return 'a blank line';
  return parseAnswerHead(bytes.toString('latin1', 0, end));
}

function head(...lines: readonly string[]): AnswerHead {
  const parsed = parse(lines.join('\r\n'));
  if (typeof parsed === 'string') assert.fail(parsed);
  return parsed;
}

const OK = 'HTTP/1.1 200 OK';

test('the fields of a usual head are read, in order and with names in lower case', () => {
  const parsed = head(
    OK,
    'Date: Tue, 24 Nov 2026 06:58:00 GMT',
    'server:uvicorn',
    'Content-Length: 12 ',
    'content-type:\t Application/JSON; charset=UTF-8',
    'X-Empty:',
    'Set-Cookie: a=1',
    'Set-Cookie: b=2',
  );
  assert.deepEqual(parsed, {
    status: 200,
    headers: [
      ['date', 'Tue, 24 Nov 2026 06:58:00 GMT', 'server', 'uvicorn', 'content-length', '12'],
      ['content-type', 'Application/JSON; charset=UTF-8', 'x-empty', ''],
      ['set-cookie', 'a=1', 'set-cookie', 'b=2'],
    ].flat(),
    framing: 'length',
    contentLength: 12,
    contentType: 'application/json; charset=utf-8',
    contentEncoding: '',
    isPersistent: true,
    keepAliveSeconds: null,
  });
});

const STATUS_LINES: readonly (readonly [string, number | null])[] = [
  ['HTTP/1.1 200 OK', 200],
  ['HTTP/1.1 200', 200],
  ['HTTP/1.1 200 ', 200],
  ['HTTP/1.1 999 Caf\xe9 au lait', 999],
  ['HTTP/1.0 404 Not Found', 404],
  ['HTTP/1.1 099 Low', null],
  ['HTTP/1.1 20 Short', null],
  ['HTTP/1.1 2000 Long', null],
  ['HTTP/1.1 2x0 Letters', null],
  ['HTTP/1.1  200 OK', null],
  ['HTTP/1.1\t200 OK', null],
  ['HTTP/1.1 200\tOK', null],
  ['HTTP/1.2 200 OK', null],
  ['HTTP/2 200', null],
  ['HTTP/0.9 200 OK', null],
  ['http/1.1 200 OK', null],
  [' HTTP/1.1 200 OK', null],
  ['ICY 200 OK', null],
  ['HTTP/1.1 200 a\x00b', null],
  ['', null],
];

for (const [line, status] of STATUS_LINES) {
  const verdict = status === null ? 'refused' : 'read';
  test(`the status line ${JSON.stringify(line)} is ${verdict}`, () => {
    const parsed = parse(`${line}\r\ncontent-length: 0`);
    assert.equal(typeof parsed === 'string' ? null : parsed.status, status);
  });
}

const BAD_LINES: readonly (readonly [string, string])[] = [
  ['a folded line', 'x-a: 1\r\n  2'],
  ['a folded line with a colon', 'x-a: 1\r\n b: 2'],
  ['a folded first line', ' x-a: 1'],
  ['a space before the colon', 'x-a : 1'],
  ['a tab before the colon', 'content-length\t: 5'],
  ['a line without a colon', 'x-a'],
  ['an empty name', ': 1'],
  ['a name with a space', 'x a: 1'],
  ['a name that is not ASCII', 'x-\xe9: 1'],
  ['a NUL', 'x-a: a\x00b'],
  ['a NUL at the end of a value', 'x-a: a\x00'],
  ['a bare CR', 'x-a: a\rb'],
  ['a bare CR at the start of a value', 'x-a: \rb'],
  ['a bare CR at the end of a value', 'x-a: b\r\r\nx-b: 1'],
  ['a bare LF', 'x-a: a\nx-b: 1'],
  ['a bare LF at the start of a value', 'x-a: \nb'],
  ['a vertical tab at the end of a value', 'x-a: a\x0b'],
  ['a form feed at the start of a value', 'x-a: \x0ca'],
  ['a DEL', 'x-a: a\x7f'],
  ['an empty line', 'x-a: 1\r\n\r\nx-b: 1'],
  ['a length that is negative', 'content-length: -1'],
  ['a length with a sign', 'content-length: +5'],
  ['a length in hex', 'content-length: 0x5'],
  ['a length with an exponent', 'content-length: 1e3'],
  ['a length with a fraction', 'content-length: 5.0'],
  ['an empty length', 'content-length:'],
  ['a list of lengths', 'content-length: 5, 5'],
  ['a length beyond what is exact', 'content-length: 9007199254740993'],
  ['two lengths', 'content-length: 5\r\ncontent-length: 6'],
  ['the same length twice', 'content-length: 5\r\nContent-Length: 5'],
  ['length and transfer encoding', 'content-length: 5\r\ntransfer-encoding: chunked'],
  ['transfer encoding and length', 'transfer-encoding: chunked\r\ncontent-length: 5'],
  ['an empty transfer encoding', 'transfer-encoding:'],
  ['a transfer encoding that is not chunked', 'transfer-encoding: gzip'],
  ['a list of transfer encodings', 'transfer-encoding: gzip, chunked'],
  ['chunked that is not the last', 'transfer-encoding: chunked, gzip'],
  ['chunked twice', 'transfer-encoding: chunked, chunked'],
  ['chunked in two fields', 'transfer-encoding: chunked\r\ntransfer-encoding: chunked'],
  ['an empty and a chunked field', 'transfer-encoding:\r\ntransfer-encoding: chunked'],
  ['something like chunked', 'transfer-encoding: xchunked'],
  ['chunked with a parameter', 'transfer-encoding: chunked;q=1'],
  ['257 fields', Array.from({ length: 257 }, (_, i) => `x-${i}: 1`).join('\r\n')],
];

for (const [what, lines] of BAD_LINES) {
  test(`a head with ${what} is refused`, () => {
    assert.equal(typeof parse(`${OK}\r\n${lines}`), 'string');
  });
}

test('what may stand in a value is kept as it is', () => {
  const { headers } = head(OK, 'x-a: \xa0caf\xe9\xa0 ', 'x-b: a\tb', "!#$%&'*+-.^_`|~: x");
  assert.deepEqual(headers, ['x-a', '\xa0caf\xe9\xa0', 'x-b', 'a\tb', "!#$%&'*+-.^_`|~", 'x']);
});

type Framing = readonly [status: string, lines: readonly string[], expected: string];
const CLOSE = 'connection: close';
const CHUNKED = 'transfer-encoding: Chunked';
const FRAMINGS: readonly Framing[] = [
  ['1.1 200', ['content-length: 5'], 'length 5, stays'],
  ['1.1 200', ['content-length: 0'], 'length 0, stays'],
  ['1.1 200', ['content-length: 000000000000005'], 'length 5, stays'],
  ['1.1 200', [CHUNKED], 'chunked 0, stays'],
  ['1.1 200', [], 'until-close 0, closes'],
  ['1.1 200', ['connection: keep-alive'], 'until-close 0, closes'],
  ['1.1 200', ['content-length: 5', CLOSE], 'length 5, closes'],
  ['1.1 200', ['content-length: 5', 'connection: Keep-Alive'], 'length 5, stays'],
  ['1.1 200', ['content-length: 5', 'connection: upgrade, CLOSE'], 'length 5, closes'],
  ['1.1 200', ['content-length: 5', 'connection: x', CLOSE], 'length 5, closes'],
  ['1.1 200', ['content-length: 5', 'connection: x-close'], 'length 5, stays'],
  ['1.0 200', ['content-length: 5'], 'length 5, closes'],
  ['1.0 200', ['content-length: 5', 'connection: Keep-Alive'], 'length 5, stays'],
  ['1.0 200', ['content-length: 5', 'connection: keep-alive, close'], 'length 5, closes'],
  ['1.0 200', ['content-length: 5', 'connection: x-keep-alive'], 'length 5, closes'],
  ['1.0 200', [], 'until-close 0, closes'],
  ['1.0 200', [CHUNKED], 'refused'],
  ['1.1 100', [], 'none 0, stays'],
  ['1.1 103', ['link: </a>'], 'none 0, stays'],
  ['1.1 204', [], 'none 0, stays'],
  ['1.1 204', ['content-length: 0'], 'none 0, stays'],
  ['1.1 204', ['content-length: 5'], 'none 0, closes'],
  ['1.1 204', [CHUNKED], 'none 0, closes'],
  ['1.1 204', [CLOSE], 'none 0, closes'],
  ['1.0 204', [], 'none 0, closes'],
  ['1.1 304', ['content-length: 5'], 'none 0, stays'],
  ['1.1 304', [CHUNKED], 'none 0, closes'],
  ['1.1 205', ['content-length: 0'], 'length 0, stays'],
  ['1.1 500', ['content-length: 2'], 'length 2, stays'],
];

for (const [status, lines, expected] of FRAMINGS) {
  test(`HTTP/${status} with [${lines.join('; ')}]: ${expected}`, () => {
    const parsed = parse([`HTTP/${status} X`, ...lines].join('\r\n'));
    const got =
      typeof parsed === 'string'
        ? 'refused'
        : `${parsed.framing} ${parsed.contentLength}, ${parsed.isPersistent ? 'stays' : 'closes'}`;
    assert.equal(got, expected);
  });
}

const HINTS: readonly (readonly [string, number | null])[] = [
  ['timeout=5', 5],
  ['timeout=5, max=1000', 5],
  ['max=1000, Timeout = 75', 75],
  ['timeout="15"', 15],
  ['timeout=0', 0],
  ['max=100', null],
  ['timeout=', null],
  ['x-timeout=5', null],
  ['timeout=-5', null],
];

for (const [value, seconds] of HINTS) {
  test(`Keep-Alive: ${value} says ${seconds}`, () => {
    assert.equal(head(OK, `keep-alive: ${value}`).keepAliveSeconds, seconds);
  });
}

test('of two content types the first counts, of content encodings all', () => {
  const twice = head(OK, 'content-type: text/event-stream', 'content-type: application/json');
  assert.equal(twice.contentType, 'text/event-stream');
  assert.equal(twice.headers.length, 4);
  const encodings = head(OK, 'content-encoding: identity', 'Content-Encoding: GZIP');
  assert.equal(encodings.contentEncoding, 'identity, gzip');
});

test('256 fields are read, and more different names than are remembered', () => {
  for (let round = 0; round < 4; round += 1) {
    const lines = Array.from({ length: 256 }, (_, i) => `X-Name-${round}-${i}: ${i}`);
    const { headers } = head(OK, ...lines);
    assert.equal(headers.length, 512);
    assert.equal(headers[2 * 255], `x-name-${round}-255`);
  }
  assert.equal(head(OK, 'Content-Length: 7').contentLength, 7);
  assert.equal(typeof parse(`${OK}\r\nX-Never(Seen): 1`), 'string');
});

test('any text gives a head or a reason, and nothing in a head could end a header', () => {
  const piece = fc.constantFrom(
    ...'HTTP/1.1 200 OK|\r\n|\r|\n|: |:|content-length|transfer-encoding|chunked|5'.split('|'),
    ...'connection|close| |\t|\x00|\xff|a|,'.split('|'),
  );
  const text = fc.array(piece, { maxLength: 24 }).map((pieces) => pieces.join(''));
  fc.assert(
    fc.property(text, fc.boolean(), (tail, isStarted) => {
      const parsed = parse(isStarted ? `${OK}\r\n${tail}` : tail);
      if (typeof parsed === 'string') return;
      // eslint-disable-next-line no-control-regex
      for (const part of parsed.headers) assert.doesNotMatch(part, /[\r\n\x00]/);
      assert.equal(parsed.headers.length % 2, 0);
      assert.ok(Number.isSafeInteger(parsed.contentLength) && parsed.contentLength >= 0);
    }),
    { numRuns: 3000 },
  );
});
