import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findHeadEnd, HEAD_IS_CUT, HEAD_IS_FORBIDDEN } from './head-end.ts';

test('the end of a head is found wherever the search for it goes on', () => {
  const bytes = Buffer.from('xxHTTP/1.1 200 OK\r\na: b\r\n\r\n\0\0', 'latin1');
  for (let from = 2; from <= 23; from += 1) assert.equal(findHeadEnd(bytes, from), 23);
  for (let length = 2; length < 27; length += 1) {
    assert.equal(findHeadEnd(bytes.subarray(0, length), 2), HEAD_IS_CUT);
  }
});

test('half a line end and control characters are found wherever they stand', () => {
  for (const text of ['a\nb', '\na', 'a\rb', 'a\r\rb', 'a\0b', 'a\x7fb', 'a\x1b', 'a\r\n\n']) {
    assert.equal(findHeadEnd(Buffer.from(text, 'latin1'), 0), HEAD_IS_FORBIDDEN, text);
  }
  for (const text of ['a\tb', 'a\x80\xffb', 'a\r', 'a\r\n', 'a\r\n\r']) {
    assert.equal(findHeadEnd(Buffer.from(text, 'latin1'), 0), HEAD_IS_CUT, text);
  }
});
