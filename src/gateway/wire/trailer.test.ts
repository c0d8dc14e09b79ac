import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isTrailer } from './trailer.ts';

test('trailers are fields that do not frame', () => {
  for (const line of ['a: b', 'a:', 'X-Checksum: 12 34\xff', 'a: b: c']) {
    assert.equal(isTrailer(line), true, line);
  }
  for (const line of [
    '',
    'a',
    ': b',
    ' a: b',
    'a b: c',
    'a: b\x00',
    'a : b',
    'a: \rb',
    'a: b\nc',
    'Content-Length: 1',
    'transfer-encoding: chunked',
    'Connection: close',
    'proxy-connection: close',
  ]) {
    assert.equal(isTrailer(line), false, line);
  }
});
