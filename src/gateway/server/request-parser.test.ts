import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cutInto, cuts } from '../wire/testing/raw-messages.ts';
import { findField, parseRequestHead } from './request-head.ts';
import type { RequestHead } from './request-head.ts';
import { pipelinedRequests } from './testing/raw-requests.ts';
import { LIMITS, readPieces, Recorder } from './testing/reading.ts';

function headOf(...lines: readonly string[]): RequestHead {
  const head = parseRequestHead(`${lines.join('\r\n')}\r\n`);
  if ('code' in head) assert.fail(head.message);
  return head;
}

function problemOf(...lines: readonly string[]): string {
  const head = parseRequestHead(`${lines.join('\r\n')}\r\n`);
  return 'code' in head ? head.message : '';
}

const START = 'POST /v1/x?y=1 HTTP/1.1';
const HOST = 'Host: gateway';

function bytesOf(...lines: readonly string[]): Buffer {
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

test('requests are read alike however they are cut', () => {
  fc.assert(
    fc.property(pipelinedRequests, cuts, (requests, lengths) => {
      const bytes = Buffer.concat(requests.map(({ bytes: part }) => part));
      const reading = readPieces(cutInto(bytes, lengths));
      assert.equal(reading.problem, null);
      assert.equal(reading.requests.length, requests.length);
      for (const [index, { head, body }] of reading.requests.entries()) {
        const { method, target, body: sent } = requests[index]!;
        assert.equal(head.line.method, method);
        assert.ok(head.line.text.startsWith(`${method} ${target} `));
        assert.deepEqual(body, sent);
      }
      assert.ok(reading.piecesInReadMax <= 1);
      assert.equal(reading.isInside, false);
    }),
    { numRuns: 500 },
  );
});

test('the target is split, and an absolute one loses its origin', () => {
  const cases: readonly (readonly [given: string, target: string, path: string])[] = [
    ['/', '/', '/'],
    ['/a/b?c=/d?e', '/a/b?c=/d?e', '/a/b'],
    ['//x', '//x', '//x'],
    ['http://h', '/', '/'],
    ['http://h:80/a?b', '/a?b', '/a'],
    ['HTTPS://h?b', '/?b', '/'],
  ];
  for (const [given, target, path] of cases) {
    const { line } = headOf(`GET ${given} HTTP/1.1`, HOST);
    assert.deepEqual([line.target, line.path, line.method], [target, path, 'GET']);
    // Once more, now that the line is known.
    assert.deepEqual(headOf(`GET ${given} HTTP/1.1`, HOST).line, line);
  }
});

test('end-to-end lines are forwarded as they were written, others not', () => {
  const { forwarded } = headOf(
    START,
    'X-First:1',
    HOST,
    'x-penstock-any: 1',
    'X-Penstock-: 1',
    'AUTHORIZATION:  Bearer x \t',
    'X-Twice: a',
    'x-twice: \xe9',
    'Content-Length: 5',
    'Accept-Encoding: gzip',
    'x-request-id: r',
    'Content-Type: text/plain',
  );
  const lines = ['X-First:1', 'AUTHORIZATION:  Bearer x \t', 'X-Twice: a', 'x-twice: \xe9'];
  assert.equal(forwarded, [...lines, 'Content-Type: text/plain', ''].join('\r\n'));
});

test('what Connection names is not forwarded, in any spelling and order', () => {
  const { forwarded, isPersistent } = headOf(
    START,
    'X-Hop: 1',
    HOST,
    'Connection: keep-alive , x-hop',
    'X-Stay: 2',
    'connection: X-HOP-2',
    'x-hop-2: 3',
    'Content-Type: a',
  );
  assert.equal(forwarded, 'X-Stay: 2\r\nContent-Type: a\r\n');
  assert.equal(isPersistent, true);
});

test('fields are found by name, several joined', () => {
  const head = headOf(START, HOST, 'X-A: 1', 'x-ab: no', 'x-A:2 ', 'Cookie: a=1', 'cookie: b=2');
  assert.equal(findField(head, 'x-a'), '1, 2');
  assert.equal(findField(head, 'x-'), null);
  assert.equal(findField(head, 'cookie'), 'a=1; b=2');
  assert.equal(findField(head, 'host'), 'gateway');
  assert.equal(findField(head, 'post'), null);
});

test('the credential is known by its place: authorization, else x-api-key, else api-key', () => {
  const credentialOf = (...lines: string[]): string => {
    const { text, credentialStart, credentialEnd } = headOf(START, HOST, ...lines);
    return text.slice(credentialStart, credentialEnd);
  };
  assert.equal(credentialOf(), '');
  assert.equal(credentialOf('Authorization:Bearer a', 'x-api-key: b'), 'Bearer a');
  assert.equal(credentialOf('api-key: c', 'X-Api-Key: b ', 'authorisation: a'), ' b ');
  assert.equal(credentialOf('x-api-key: b', 'AUTHORIZATION: a', 'authorization: d'), ' a');
  assert.equal(credentialOf('api-key: c'), ' c');
});

test('connections persist as version and Connection say', () => {
  const cases: readonly (readonly [version: string, lines: string[], isPersistent: boolean])[] = [
    ['1.1', [], true],
    ['1.1', ['Connection: close'], false],
    ['1.1', ['Connection: Keep-Alive'], true],
    ['1.1', ['Connection: x, CLOSE'], false],
    ['1.1', ['Connection: x', 'Connection: close'], false],
    ['1.1', ['Proxy-Connection: close'], false],
    ['1.1', ['Connection: closed'], true],
    ['1.0', [], false],
    ['1.0', ['Connection: keep-alive'], true],
    ['1.0', ['Connection: x, keep-alive'], true],
    ['1.0', ['Connection: keep-alive, close'], false],
  ];
  for (const [version, lines, expected] of cases) {
    const { isPersistent } = headOf(`GET / HTTP/${version}`, HOST, ...lines);
    assert.equal(isPersistent, expected, `${version} ${lines.join()}`);
  }
});

test('what a problem is about is said', () => {
  const cases: readonly (readonly [lines: string[], says: RegExp])[] = [
    [[START], /no Host/],
    [[START, HOST, HOST], /two Host/],
    [[START, HOST, 'Content-Length: 1', 'Content-Length: 1'], /two Content-Length/],
    [[START, HOST, 'Content-Length: 1, 1'], /not a number/],
    [[START, HOST, 'Content-Length: 1', 'Transfer-Encoding: chunked'], /both/],
    [[START, HOST, 'Transfer-Encoding: gzip'], /not "chunked"/],
    [[START, HOST, 'Transfer-Encoding: chunked\t'], /tab/],
    [[START, HOST, 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], /two Transfer/],
    [['POST / HTTP/1.0', 'Transfer-Encoding: chunked'], /HTTP\/1\.0/],
    [[START, HOST, ' folded'], /not a token/],
    [[START, HOST, 'a : b'], /not a token/],
    [[START, HOST, 'ab', 'c: d'], /not a token/],
    [['POST / HTTP/2.0', HOST], /request line/],
    [['POST /#a HTTP/1.1', HOST], /request line/],
    [['FETCH / HTTP/1.1', HOST], /request line/],
  ];
  for (const [lines, says] of cases) assert.match(problemOf(...lines), says, lines.join('|'));
});

test('too many fields are a head that is too large', () => {
  const lines = (count: number): string[] => Array.from({ length: count }, (_, i) => `x-${i}: 1`);
  assert.equal(
    'code' in parseRequestHead(`${[START, HOST, ...lines(255)].join('\r\n')}\r\n`),
    false,
  );
  const head = parseRequestHead(`${[START, HOST, ...lines(256)].join('\r\n')}\r\n`);
  assert.ok('code' in head && head.code === 'header_too_large');
});

const SMALL = { ...LIMITS, headerBytes: 100, urlBytes: 50 };

test('a head that is too long is refused as soon as that shows, by what is too long', () => {
  const long = 'x'.repeat(300);
  const url = readPieces([Buffer.from(`GET /${long}`)], SMALL);
  assert.equal(url.problem?.code, 'url_too_long');
  const piecewise = readPieces(cutInto(Buffer.from(`GET /${long}`), [40]), SMALL);
  assert.equal(piecewise.problem?.code, 'url_too_long');
  const field = readPieces([Buffer.from(`GET / HTTP/1.1\r\n${HOST}\r\na: ${long}`)], SMALL);
  assert.equal(field.problem?.code, 'header_too_large');
  const whole = readPieces([bytesOf('GET / HTTP/1.1', HOST, `a: ${long}`)], SMALL);
  assert.equal(whole.problem?.code, 'header_too_large');
  const beyond = readPieces([bytesOf('GET / HTTP/1.1', HOST, `a: ${'x'.repeat(80)}`)], SMALL);
  assert.equal(
    beyond.problem?.code,
    'header_too_large',
    'what the target leaves is not for fields',
  );
  // Too long for a target, but short enough to be read: whoever answers says so.
  const moderate = readPieces([bytesOf(`GET /${'x'.repeat(80)} HTTP/1.1`, HOST)], SMALL);
  assert.equal(moderate.problem, null);
  assert.equal(moderate.requests.length, 1);
});

test('what cannot become a request is refused before its line has ended', () => {
  for (const text of ['FETCH /', '\x16\x03\x01', 'post', 'GET\t', 'POST / HTTP/1.1\n', '\r\rG']) {
    const { problem } = readPieces([Buffer.from(text, 'latin1')]);
    assert.equal(problem?.code, 'invalid_http', JSON.stringify(text));
  }
  for (const text of ['P', 'POST', 'POST /', '\r', '\r\n', '\r\n\r']) {
    assert.equal(readPieces([Buffer.from(text)]).problem, null, text);
  }
});

test('empty lines before a request are passed over, and begin none', () => {
  const recorder = new Recorder();
  recorder.push(Buffer.from('\r\n\r'));
  assert.equal(recorder.parser.isInside, false);
  recorder.push(Buffer.from('\n\r\nGE'));
  assert.equal(recorder.parser.isInHead, true);
  recorder.push(Buffer.from(`T / HTTP/1.1\r\n${HOST}\r\n\r\n\r\n`));
  assert.equal(recorder.requests.length, 1);
  assert.equal(recorder.parser.isInside, false);
});

test('held, the parser leaves the next request of a read to the caller', () => {
  const recorder = new Recorder();
  recorder.onComplete = () => {
    recorder.requests.length += 1;
    recorder.parser.hold();
  };
  const one = bytesOf('GET / HTTP/1.1', HOST);
  const both = Buffer.concat([one, one]);
  assert.equal(recorder.push(both), one.length);
  assert.equal(recorder.push(one), 0);
  recorder.parser.release();
  assert.equal(recorder.push(one), one.length);
  assert.equal(recorder.requests.length, 2);
});

test('nothing is told after a stop, not even the rest of a read', () => {
  const recorder = new Recorder();
  recorder.onHead = () => {
    recorder.parser.stop();
  };
  const one = bytesOf('POST / HTTP/1.1', HOST, 'Content-Length: 3');
  recorder.push(Buffer.concat([one, Buffer.from('abc'), one]));
  assert.equal(recorder.requests.length, 0);
  assert.equal(recorder.reading.problem, null);
  recorder.push(Buffer.from('garbage'));
  assert.equal(recorder.reading.problem, null);
});

test('names are learned up to a limit, and read all the same beyond it', () => {
  for (let round = 0; round < 1200; round += 1) {
    const head = headOf(START, HOST, `x-name-${round}: ${round}`, 'X-PENSTOCK-Secret: 1');
    assert.equal(head.forwarded, `x-name-${round}: ${round}\r\n`);
  }
});
