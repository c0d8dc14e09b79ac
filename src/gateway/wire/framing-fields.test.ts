import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  framingFaultOf,
  type FramingFields,
  noteContentLength,
  noteTransferCoding,
} from './framing-fields.ts';

interface Said {
  readonly fields: FramingFields;
  readonly fault: string | null;
}

/** What a head of these lines says; a line begins with `L:` or `T:` for length or coding. */
function read(lines: readonly string[], isHttp11 = true): Said {
  const fields: FramingFields = { isHttp11, contentLength: -1, transferCoding: null };
  for (const line of lines) {
    const value = line.slice(2);
    const note = line.startsWith('L') ? noteContentLength : noteTransferCoding;
    const fault = note(fields, value);
    if (fault !== null) return { fields, fault };
  }
  return { fields, fault: framingFaultOf(fields) };
}

test('lengths are digits that are exact as a number', () => {
  for (const [text, length] of [
    ['0', 0],
    ['5', 5],
    ['000000000000005', 5],
    ['999999999999999', 999_999_999_999_999],
  ] as const) {
    const { fields, fault } = read([`L:${text}`]);
    assert.deepEqual([fields.contentLength, fault], [length, null], text);
  }
  for (const text of ['', '+5', '-5', '5 5', '5,5', '0x5', '5.0', '5e0', '1'.repeat(16), '\xb2']) {
    assert.equal(read([`L:${text}`]).fault, 'length-not-a-number', text);
  }
});

test('the only coding is chunked, in any case and with blanks around it', () => {
  for (const text of ['chunked', 'CHUNKED', ' chunked', '\tchunked ', '  Chunked  ']) {
    assert.equal(read([`T:${text}`]).fault, null, text);
  }
  for (const text of ['', 'gzip', 'gzip, chunked', 'chunked, gzip', 'chunked,', 'xchunked']) {
    assert.equal(read([`T:${text}`]).fault, 'coding-unknown', text);
  }
  for (const text of ['chunked\t', 'chunked \t ', '\t']) {
    assert.equal(read([`T:${text}`]).fault, 'coding-ends-in-tab', text);
  }
});

test('what frames a body is said once and by one field', () => {
  assert.equal(read([]).fault, null);
  assert.equal(read(['L:5', 'L:5']).fault, 'two-lengths');
  assert.equal(read(['L:5', 'L:x']).fault, 'two-lengths');
  assert.equal(read(['T:chunked', 'T:chunked']).fault, 'two-codings');
  assert.equal(read(['T:', 'T:chunked']).fault, 'two-codings');
  assert.equal(read(['T:gzip', 'T:chunked']).fault, 'two-codings');
  assert.equal(read(['L:0', 'T:chunked']).fault, 'length-and-coding');
  assert.equal(read(['T:chunked', 'L:5']).fault, 'length-and-coding');
  assert.equal(read(['T:chunked'], false).fault, 'coding-in-http-1.0');
  assert.equal(read(['L:5'], false).fault, null);
});
