import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findApi } from '../api-table.ts';
import { cutAt, cuts, singleBytes } from '../testing/chunks.ts';
import type { BodyReader } from './body-reader.ts';
import { createBodyReader } from './create-body-reader.ts';

function read(chunks: readonly Uint8Array[], path = '/v1/chat/completions'): BodyReader {
  const reader = createBodyReader(findApi(path)!, 'application/json');
  for (const chunk of chunks) reader.push(chunk);
  reader.finish();
  return reader;
}

function readText(text: string, path?: string): BodyReader {
  return read([Buffer.from(text)], path);
}

/** All that a reader says; after a failure only that counts. */
function facts(reader: BodyReader): object {
  if (reader.failure !== null) return reader.failure;
  return {
    isComplete: reader.isComplete,
    model: reader.model,
    modelSpan: reader.modelSpan,
    stream: reader.stream,
    maxTokens: reader.maxTokens,
    promptBytes: reader.promptBytes,
    usageRequest: reader.usageRequest,
    streamDecision: reader.streamDecision,
    closeOffset: reader.closeOffset,
    receivedBytes: reader.receivedBytes,
  };
}

const body = fc.record(
  {
    messages: fc.array(fc.record({ role: fc.string(), content: fc.string({ unit: 'grapheme' }) }), {
      maxLength: 3,
    }),
    model: fc.oneof(fc.string({ unit: 'grapheme', minLength: 1 }), fc.jsonValue()),
    stream: fc.oneof(fc.boolean(), fc.jsonValue()),
    max_tokens: fc.oneof(fc.nat(), fc.jsonValue()),
    stream_options: fc.oneof(fc.record({ include_usage: fc.jsonValue() }), fc.jsonValue()),
    tools: fc.jsonValue({ maxDepth: 3 }),
    other: fc.jsonValue({ maxDepth: 3 }),
  },
  { requiredKeys: [] },
);

/** The same members in another order, as SDKs differ in it. */
const shuffledBody = fc
  .tuple(body, fc.infiniteStream(fc.nat()))
  .map(([value, keys]) =>
    Object.entries(value)
      .map((entry) => ({ entry, key: keys.next().value as number }))
      .sort((a, b) => a.key - b.key)
      .map(({ entry }) => entry),
  )
  .map((entries) => Object.fromEntries(entries) as Record<string, unknown>);

test('reads the fields that JSON.parse reads', () => {
  fc.assert(
    fc.property(shuffledBody, fc.constantFrom(0, 2), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      const reader = readText(text);
      const { model } = value;
      if (typeof model !== 'string' || model === '') {
        assert.equal(reader.failure?.code, 'model_missing');
        assert.equal(reader.model, null);
        return;
      }
      assert.equal(reader.failure, null);
      assert.equal(reader.isComplete, true);
      assert.equal(reader.model, model);
      assert.equal(reader.stream, value['stream'] === true);
      const limit = value['max_tokens'];
      const isLimit = typeof limit === 'number' && Number.isSafeInteger(limit) && limit >= 0;
      assert.equal(reader.maxTokens, isLimit ? Math.abs(limit) : null);
      const { start, end } = reader.modelSpan!;
      assert.equal(JSON.parse(Buffer.from(text).toString('utf8', start, end)), model);
    }),
  );
});

test('reads the same from any split of the body', () => {
  fc.assert(
    fc.property(shuffledBody, cuts, fc.nat(3), (value, places, cutOff) => {
      const bytes = Buffer.from(JSON.stringify(value)).subarray(cutOff);
      const whole = facts(read([bytes]));
      assert.deepEqual(facts(read(cutAt(bytes, places))), whole);
      assert.deepEqual(facts(read(singleBytes(bytes))), whole);
    }),
  );
});

test('knows the model before the rest of the body has come', () => {
  const reader = createBodyReader(findApi('/v1/chat/completions')!, 'application/json');
  reader.push(Buffer.from('{"model":"m'));
  assert.equal(reader.model, null);
  reader.push(Buffer.from('1","messages":[{"ro'));
  assert.equal(reader.model, 'm1');
  assert.equal(reader.isComplete, false);
  assert.equal(reader.promptBytes, 5);
  assert.equal(reader.failure, null);
});

test('counts the bytes of the prompt fields of the API', () => {
  assert.equal(readText('{"model":"m","messages":[1,2],"tools":"abc","x":[1]}').promptBytes, 10);
  assert.equal(readText('{"model":"m","prompt":"abc"}', '/v1/completions').promptBytes, 5);
  assert.equal(readText('{"model":"m","input":[[1,2]]}', '/v1/embeddings').promptBytes, 7);
  const messages = '{"model":"m","system":"a","messages":[]}';
  assert.equal(readText(messages, '/v1/messages').promptBytes, 5);
});

test('takes the first valid output limit', () => {
  const chat = (text: string): number | null => readText(`{"model":"m",${text}}`).maxTokens;
  assert.equal(chat('"max_tokens":5,"max_completion_tokens":9'), 5);
  assert.equal(chat('"max_tokens":null,"max_completion_tokens":9'), 9);
  assert.equal(chat('"max_tokens":"7"'), null);
  assert.equal(chat('"max_tokens":1e2'), 100);
  assert.equal(chat('"max_tokens":-1'), null);
  assert.equal(chat('"max_tokens":1.5'), null);
  assert.equal(chat('"nested":{"max_tokens":5}'), null);
});

test('reads escaped names and values', () => {
  const reader = readText('{"mod\\u0065l":"a\\u002fb\\n\\ud83d\\ude00","str\\u0065am":true}');
  assert.equal(reader.model, 'a/b\n😀');
  assert.equal(reader.stream, true);
});

test('does not take a nested or quoted model for the model', () => {
  const text =
    '{"messages":[{"model":"no","content":"\\"model\\":\\"no\\""}],"metadata":{"model":"no"}}';
  const reader = readText(text);
  assert.equal(reader.model, null);
  assert.equal(reader.failure?.code, 'model_missing');
});

const FAILURES: readonly (readonly [body: string, code: string, message: RegExp])[] = [
  ['', 'invalid_json', /empty/],
  ['  ', 'invalid_json', /ends early, after 2 bytes/],
  ['{"model":"m"', 'invalid_json', /ends early, after 12 bytes/],
  ['{"model":"m"}}', 'invalid_json', /byte 13/],
  ['{"model":"m"} {"a":1}', 'invalid_json', /byte 14/],
  ['{model:"m"}', 'invalid_json', /byte 1/],
  ['[{"model":"m"}]', 'invalid_json', /must be a JSON object, not an array/],
  ['"model"', 'invalid_json', /not a string/],
  ['null', 'invalid_json', /not null/],
  ['\ufeff{"model":"m"}', 'invalid_json', /byte 0/],
  ['{}', 'model_missing', /no top-level "model"/],
  ['{"model":""}', 'model_missing', /empty/],
  ['{"model":null}', 'model_missing', /must be a string, not null/],
  ['{"model":1}', 'model_missing', /must be a string, not a number/],
  ['{"model":["m"]}', 'model_missing', /must be a string, not an array/],
  ['{"model":{"a":1}}', 'model_missing', /must be a string, not an object/],
  ['{"model":"a","model":"b"}', 'invalid_json', /"model" is given twice/],
  ['{"model":"a","mod\\u0065l":"a"}', 'invalid_json', /"model" is given twice/],
  ['{"model":"a","stream":true,"stream":false}', 'invalid_json', /"stream" is given twice/],
  [
    '{"model":"a","stream_options":{"include_usage":true,"include_usage":false}}',
    'invalid_json',
    /"include_usage" is given twice/,
  ],
  [`{"model":"${'m'.repeat(5000)}"}`, 'model_missing', /longer than 4096 bytes/],
];

for (const [text, code, message] of FAILURES) {
  test(`refuses ${text.slice(0, 40) || 'nothing'} as ${code}`, () => {
    for (const chunks of [[Buffer.from(text)], singleBytes(Buffer.from(text))]) {
      const reader = read(chunks);
      assert.equal(reader.failure?.code, code);
      assert.match(reader.failure.message, message);
      assert.equal(reader.isComplete, false);
      assert.equal(reader.receivedBytes, Buffer.byteLength(text));
    }
  });
}

test('does not take what lies inside a field for its value', () => {
  const reader = readText(
    '{"model":"m","stream":{"a":true},"max_tokens":{"b":5},"tools":{"stream":true}}',
  );
  assert.equal(reader.failure, null);
  assert.equal(reader.stream, false);
  assert.equal(reader.maxTokens, null);
  assert.equal(reader.promptBytes, 15);
});

test('allows an unrelated field to be given twice', () => {
  const reader = readText('{"a":1,"model":"m","a":2,"max_tokens":1,"max_tokens":2}');
  assert.equal(reader.failure, null);
  assert.equal(reader.maxTokens, 1);
});

test('only counts bytes that come after a failure', () => {
  const reader = read([Buffer.from('x'), Buffer.from('{"model":"m"}')]);
  assert.equal(reader.failure?.offset, 0);
  assert.equal(reader.model, null);
  assert.equal(reader.receivedBytes, 14);
});
