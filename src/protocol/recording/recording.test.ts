import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { must } from '../../core/assert.ts';
import {
  decodeRecordedRequest,
  decodeRecordingHeader,
  decodeRecordingLine,
  type RecordingLine,
} from './decode.ts';
import { writeBlockHash } from './block-text.ts';
import { encodeRecordedRequest, encodeRecordingHeader, roundTime } from './encode.ts';
import { encodeValue, type LineInput } from './line-input.ts';
import { LINE_TAIL_BYTES, LineTarget, RecordingLineWriter } from './line-writer.ts';
import type { RecordedRequest, RecordingHeader, RecordingProblem } from './types.ts';
import {
  BLOCK_HASH_CHARS,
  BLOCK_HASH_LIMIT,
  RECORDING_COLUMNS,
  RECORDING_LINE_BYTES_MAX,
} from './types.ts';
import { anyRecordedRequest } from './testing/any-request.ts';

const REQUEST: RecordedRequest = {
  atMs: 12.34,
  api: 'chat-completions',
  model: 'qwen-7b',
  adapter: null,
  pool: 'chat',
  endpoint: '10.0.0.1:8000',
  tenant: 'wK3vR0aZ',
  stream: true,
  promptBytes: 812,
  promptTokens: 203,
  tokensFrom: 'usage',
  maxTokens: 64,
  outputTokens: 12,
  cachedTokens: 0,
  ttftMs: 31.5,
  tpotMs: 8.25,
  durationMs: 122.2,
  outcome: 'completed',
  status: 200,
  attempts: 1,
  blocks: [0, 1, BLOCK_HASH_LIMIT - 1],
};
const HEADER: RecordingHeader = {
  session: '9f86d081884c7d65',
  startedAtMs: 1_790_000_000_000,
  part: 1,
  blockBytes: 256,
};

/** What is wrong with the usual line when one of its values is another. */
function problemOf(column: string, value: unknown): RecordingProblem {
  const values = JSON.parse(encodeRecordedRequest(REQUEST)) as unknown[];
  const line = JSON.stringify(values.with(RECORDING_COLUMNS.indexOf(column as never), value));
  const decoded = decodeRecordedRequest(line);
  assert.ok(!decoded.ok, line);
  return decoded.error;
}

/** What this request's line is written from. */
function inputOf(request: RecordedRequest): LineInput {
  const { atMs, promptBytes, promptTokens, tokensFrom, model, endpoint, attempts } = request;
  const isUsage = tokensFrom === 'usage';
  return {
    atMs,
    promptBytes,
    tenant: encodeValue(request.tenant),
    blockCount: request.blocks.length,
    record: {
      ...request,
      clientModel: model,
      promptTokens: isUsage ? promptTokens : null,
      promptTokensEstimate: isUsage ? 77 : promptTokens,
      completionTokens: request.outputTokens,
      attempts: Array.from({ length: attempts }, (_, index) => ({
        endpoint: index === attempts - 1 ? must(endpoint, 'one was tried') : 'an earlier one',
      })),
    },
  };
}

/** Any request as the gateway has them: tried nowhere, or somewhere; only streams have a TTFT. */
function anyEndedRequest(): fc.Arbitrary<RecordedRequest> {
  return anyRecordedRequest().map((request) => ({
    ...request,
    endpoint: request.attempts === 0 ? null : (request.endpoint ?? ''),
    ttftMs: request.stream ? request.ttftMs : null,
  }));
}

test('columns are the fields of a request, each once', () => {
  assert.deepEqual(RECORDING_COLUMNS.toSorted(), Object.keys(REQUEST).toSorted());
});

test('a request is read as it was written, on one line', () => {
  fc.assert(
    fc.property(anyRecordedRequest(), (request) => {
      const line = encodeRecordedRequest(request);
      assert.ok(!line.includes('\n'));
      assert.deepEqual(decodeRecordedRequest(line), { ok: true, value: request });
      assert.deepEqual(decodeRecordingLine(line), {
        ok: true,
        value: { kind: 'request', request },
      });
    }),
  );
});

test('a header is read as it was written and told apart from a request', () => {
  const line = encodeRecordingHeader(HEADER);
  const expected: RecordingLine = { kind: 'header', header: HEADER };
  assert.deepEqual(decodeRecordingLine(line), { ok: true, value: expected });
  assert.equal(decodeRecordedRequest(line).ok, false);
  assert.equal(decodeRecordingHeader(encodeRecordedRequest(REQUEST)).ok, false);
});

test('another version is refused by its number, and so are other columns', () => {
  const line = encodeRecordingHeader(HEADER);
  const old = decodeRecordingHeader(line.replace('Recording":2', 'Recording":1'));
  assert.ok(!old.ok);
  assert.equal(old.error.field, 'penstockRecording');
  assert.match(old.error.reason, /must be 2, the only version known, got 1/);
  const other = decodeRecordingHeader(line.replace('"tenant","stream"', '"stream","tenant"'));
  assert.ok(!other.ok);
  assert.equal(other.error.field, 'columns');
  assert.match(other.error.reason, /must begin with atMs, api, /);
});

test('every cut of a line is refused', () => {
  const line = encodeRecordedRequest(REQUEST);
  for (let end = 0; end < line.length; end += 1) {
    assert.equal(decodeRecordingLine(line.slice(0, end)).ok, false);
  }
});

test('the first value that is missing is named', () => {
  const values = JSON.parse(encodeRecordedRequest(REQUEST)) as unknown[];
  for (const [index, field] of RECORDING_COLUMNS.entries()) {
    const decoded = decodeRecordedRequest(JSON.stringify(values.slice(0, index)));
    assert.deepEqual(decoded, { ok: false, error: { field, reason: 'is missing' } });
  }
});

test('a wrong value is refused with its field and what belongs there', () => {
  const wrong: readonly (readonly [string, unknown, RegExp])[] = [
    ['atMs', -1, /must be milliseconds, at least 0, got -1/],
    ['atMs', null, /must be milliseconds/],
    ['durationMs', '12', /must be milliseconds, at least 0, got "12"/],
    ['ttftMs', -0.5, /must be milliseconds/],
    ['api', 'chat', /must be one of chat-completions, .*got "chat"/],
    ['model', 7, /must be a text, got 7/],
    ['stream', 'true', /must be true or false, got "true"/],
    ['promptTokens', 1.5, /must be a whole number from 0 to/],
    ['promptTokens', -3, /must be a whole number/],
    ['outputTokens', 2 ** 60, /must be a whole number/],
    ['status', 600, /must be a whole number from 0 to 599, got 600/],
    ['tokensFrom', 'guess', /must be one of usage, estimate, got "guess"/],
    ['outcome', 'fine', /must be one of completed/],
    ['tenant', ['x'.repeat(99)], /must be a text, got \["x+…$/],
    ['blocks', 'AAAAAAA', /hashes of 8 characters/],
    ['blocks', 'AAAAAAA!', /hashes of 8 characters/],
    ['blocks', 'AAAAAAAé', /hashes of 8 characters/],
    ['blocks', null, /must be a text/],
  ];
  for (const [field, value, reason] of wrong) {
    const problem = problemOf(field, value);
    assert.equal(problem.field, field);
    assert.match(problem.reason, reason);
  }
});

test('lines that are neither headers nor lists are refused as a whole', () => {
  for (const line of [
    '',
    'null',
    '{"atMs":1}',
    '3',
    '"x"',
    '{',
    'x'.repeat(RECORDING_LINE_BYTES_MAX + 1),
  ]) {
    const decoded = decodeRecordingLine(line);
    assert.ok(!decoded.ok);
    assert.equal(decoded.error.field, null);
  }
});

test('what later versions may add is ignored', () => {
  const line = encodeRecordedRequest(REQUEST).replace(/\]$/, ',[1]]');
  assert.deepEqual(decodeRecordedRequest(line), { ok: true, value: REQUEST });
  const header = encodeRecordingHeader(HEADER).replace('"blocks"]', '"blocks","later"],"more":1');
  assert.deepEqual(decodeRecordingHeader(header), { ok: true, value: HEADER });
});

test('times are kept to a hundredth', () => {
  assert.equal(roundTime(1.006), 1.01);
});

test('any text is read or refused, and nothing thrown', () => {
  fc.assert(fc.property(fc.string(), (text) => typeof decodeRecordingLine(text).ok === 'boolean'));
});

test('what the writer of bytes writes is read as it was given, hashes filled in', () => {
  const writer = new RecordingLineWriter();
  const target = new LineTarget(2 * RECORDING_LINE_BYTES_MAX);
  const { bytes, view } = target;
  fc.assert(
    fc.property(anyEndedRequest(), fc.nat(1000), (request, from) => {
      const { blocks } = request;
      bytes.fill(7);
      const end = writer.write(target, from, inputOf(request));
      const roomAt = end - LINE_TAIL_BYTES - blocks.length * BLOCK_HASH_CHARS;
      for (const [index, hash] of blocks.entries()) {
        const high = Math.floor(hash / 2 ** 24);
        writeBlockHash(view, roomAt + index * BLOCK_HASH_CHARS, high, hash - high * 2 ** 24);
      }
      const line = bytes.toString('utf8', from, end);
      assert.equal(line.indexOf('\n'), line.length - 1);
      assert.deepEqual(decodeRecordedRequest(line.slice(0, -1)), { ok: true, value: request });
      assert.ok(from === 0 || bytes[from - 1] === 7);
      assert.equal(bytes[end], 7);
    }),
    { numRuns: 300 },
  );
});

test('values that were seen before do not hide that others have changed', () => {
  const writer = new RecordingLineWriter();
  const target = new LineTarget(RECORDING_LINE_BYTES_MAX);
  const changes: readonly Partial<RecordedRequest>[] = [
    {},
    { api: 'completions' },
    { adapter: 'lora' },
    { pool: 'other' },
    { pool: null },
    { endpoint: '10.0.0.2:8000' },
    { endpoint: null, attempts: 0 },
    { attempts: 2 },
    { model: null },
    { status: 0 },
    { outcome: 'interrupted' },
    {},
  ];
  for (const change of [...changes, ...changes]) {
    const request = { ...REQUEST, blocks: [], ...change };
    const end = writer.write(target, 0, inputOf(request));
    const decoded = decodeRecordedRequest(target.bytes.toString('utf8', 0, end));
    assert.deepEqual(decoded, { ok: true, value: request });
  }
});

test('what is not known yet when a request ends has a value all the same', () => {
  const target = new LineTarget(RECORDING_LINE_BYTES_MAX);
  const input = inputOf({ ...REQUEST, blocks: [] });
  const record = { ...input.record, outcome: null, status: null, durationMs: null, maxTokens: -1 };
  const end = new RecordingLineWriter().write(target, 0, { ...input, record });
  const expected = { outcome: 'interrupted', status: 0, durationMs: 0, maxTokens: null } as const;
  const decoded = decodeRecordedRequest(target.bytes.toString('utf8', 0, end));
  assert.deepEqual(decoded, { ok: true, value: { ...REQUEST, blocks: [], ...expected } });
});

test('a line without room, or longer than allowed, is not written', () => {
  const writer = new RecordingLineWriter();
  const full = Array.from({ length: 4096 }, () => 0);
  const write = (at: number, more: Partial<RecordedRequest> = {}): number =>
    writer.write(target, at, inputOf({ ...REQUEST, blocks: full, ...more }));
  const target = new LineTarget(RECORDING_LINE_BYTES_MAX + 10);
  assert.ok(write(10) > 4096 * BLOCK_HASH_CHARS);
  assert.equal(write(11), -1);
  assert.equal(write(0, { model: '\0'.repeat(11_000) }), -1);
  assert.equal(write(0, { tenant: '\0'.repeat(11_000) }), -1);
  assert.equal(write(0, { blocks: [...full, ...full, 1] }), -1);
});
