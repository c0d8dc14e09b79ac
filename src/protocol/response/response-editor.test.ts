import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findApi } from '../api-table.ts';
import { cutAt, cuts, escapeNonAscii, singleBytes } from '../testing/chunks.ts';
import {
  ANTHROPIC_MESSAGES,
  LLAMA_CPP_CHAT,
  OPENAI_CHAT,
  RESPONSES,
  SPACED_CHAT,
  VLLM_CHAT,
} from '../testing/streams.ts';
import type { TokenUsage } from '../token-usage.ts';
import { ResponseEditor, type ResponseEditOptions } from './response-editor.ts';

const CHAT = '/v1/chat/completions';

type Options = Partial<Omit<ResponseEditOptions, 'api'>> & { readonly path?: string };

function create(options: Options): ResponseEditor {
  return new ResponseEditor({
    api: findApi(options.path ?? CHAT)!,
    format: options.format ?? 'sse',
    modelForClient: options.modelForClient ?? null,
    stripUsageFrame: options.stripUsageFrame ?? false,
  });
}

interface Result {
  readonly text: string;
  readonly usage: TokenUsage | null;
  readonly sawEnd: boolean;
  readonly atFrameBoundary: boolean;
}

function run(chunks: readonly Buffer[], options: Options): Result {
  const editor = create(options);
  const out = chunks.map((chunk) => editor.push(chunk));
  out.push(editor.finish());
  const text = Buffer.concat(out.filter((bytes) => bytes !== null)).toString();
  const { usage, sawEnd, atFrameBoundary } = editor;
  return { text, usage, sawEnd, atFrameBoundary };
}

/** The result, after checking that single bytes and random splits give the same. */
function runAll(text: string, options: Options): Result {
  const bytes = Buffer.from(text);
  const whole = run([bytes], options);
  assert.deepEqual(run(singleBytes(bytes), options), whole);
  fc.assert(
    fc.property(cuts, (places) => assert.deepEqual(run(cutAt(bytes, places), options), whole)),
    { numRuns: 50 },
  );
  return whole;
}

interface Golden {
  readonly name: string;
  readonly stream: string;
  readonly path: string;
  readonly usage: TokenUsage;
  readonly model: string;
}

const GOLDENS: readonly Golden[] = [
  {
    name: 'vLLM',
    stream: VLLM_CHAT,
    path: CHAT,
    model: 'meta-llama/Llama-3.1-8B',
    usage: { promptTokens: 11, completionTokens: 7, cachedTokens: 8 },
  },
  {
    name: 'OpenAI',
    stream: OPENAI_CHAT,
    path: CHAT,
    model: 'gpt-x',
    usage: { promptTokens: 9, completionTokens: 2, cachedTokens: 0 },
  },
  {
    name: 'llama.cpp',
    stream: LLAMA_CPP_CHAT,
    path: CHAT,
    model: 'qwen',
    usage: { promptTokens: 13, completionTokens: 4, cachedTokens: 12 },
  },
  {
    name: 'spaced',
    stream: SPACED_CHAT,
    path: CHAT,
    model: 'm1',
    usage: { promptTokens: 5, completionTokens: 1, cachedTokens: null },
  },
  {
    name: 'Anthropic',
    stream: ANTHROPIC_MESSAGES,
    path: '/v1/messages',
    model: 'claude-x',
    usage: { promptTokens: 100, completionTokens: 15, cachedTokens: 70 },
  },
  {
    name: 'Responses',
    stream: RESPONSES,
    path: '/v1/responses',
    model: 'gpt-x',
    usage: { promptTokens: 37, completionTokens: 11, cachedTokens: 32 },
  },
];

for (const { name, stream, path, usage, model } of GOLDENS) {
  test(`${name} stream passes unchanged, with its usage and end seen`, () => {
    const result = runAll(stream, { path });
    assert.deepEqual(result, { text: stream, usage, sawEnd: true, atFrameBoundary: true });
  });

  test(`${name} stream gets the client's model name and nothing else`, () => {
    const result = runAll(stream, { path, modelForClient: 'my "alias" ü' });
    const quoted = new RegExp(`"model":( ?)${JSON.stringify(model)}`, 'g');
    const text = stream.replaceAll(quoted, `"model":$1${JSON.stringify('my "alias" ü')}`);
    assert.notEqual(text, stream);
    assert.deepEqual(result, { text, usage, sawEnd: true, atFrameBoundary: true });
  });

  test(`${name} stream loses only a frame that holds nothing but usage`, () => {
    const result = runAll(stream, { path, stripUsageFrame: true });
    const frames = stream.split(/(?<=\n\r?\n)/);
    const kept = frames.filter((frame) => !/"choices":\[\].*"usage":\{/.test(frame));
    assert.deepEqual(result, { text: kept.join(''), usage, sawEnd: true, atFrameBoundary: true });
  });

  test(`${name} stream cut short is not taken for ended`, () => {
    const frames = stream.split(/(?<=\n\r?\n)/);
    const { sawEnd, text } = runAll(frames.slice(0, -1).join(''), { path });
    assert.equal(sawEnd, false);
    assert.equal(text, frames.slice(0, -1).join(''));
  });
}

test('a usage frame with content is kept', () => {
  const stream =
    'data: {"choices":[{"delta":{"content":"x"}}],"usage":{"prompt_tokens":1,"completion_tokens":1}}\n\n';
  const { text, usage } = runAll(stream, { stripUsageFrame: true });
  assert.equal(text, stream);
  assert.equal(usage?.completionTokens, 1);
});

test('the last of several usage objects wins', () => {
  const frame = (count: number): string =>
    `data: {"choices":[{"delta":{}}],"usage":{"prompt_tokens":4,"completion_tokens":${count}}}\n\n`;
  assert.equal(runAll(frame(1) + frame(2) + frame(3), {}).usage?.completionTokens, 3);
});

test('a chunk of whole frames with nothing to do is returned as it is', () => {
  const frame = Buffer.from(
    'data: {"model":"m","choices":[{"delta":{"content":"x"}}],"usage":null}\n\n',
  );
  const crlf = Buffer.from('data: {"choices":[]}\r\n\r\n');
  for (const stripUsageFrame of [true, false]) {
    const editor = create({ stripUsageFrame });
    for (const chunk of [frame, crlf, Buffer.concat([frame, frame]), frame]) {
      assert.equal(editor.push(chunk), chunk);
      assert.equal(editor.atFrameBoundary, true);
    }
    assert.equal(editor.usage, null);
    assert.equal(editor.sawEnd, false);
  }
});

test('bytes do not wait for the end of their frame when no frame can change', () => {
  const editor = create({});
  const part = Buffer.from('data: {"choices":[');
  assert.equal(editor.push(part), part);
  assert.equal(editor.atFrameBoundary, false);
  editor.push(Buffer.from(']}\n\n'));
  assert.equal(editor.atFrameBoundary, true);
});

test('when frames may change, whole frames are forwarded and the rest is held', () => {
  const editor = create({ stripUsageFrame: true });
  assert.equal(editor.push(Buffer.from('data: 1\n\ndata: 2'))?.toString(), 'data: 1\n\n');
  assert.equal(editor.atFrameBoundary, true);
  assert.equal(editor.push(Buffer.from('3')), null);
  assert.equal(editor.finish()?.toString(), 'data: 23');
  assert.equal(editor.atFrameBoundary, false);
});

test('a last frame without its blank line is still read', () => {
  const stream = VLLM_CHAT.trimEnd();
  assert.equal(runAll(stream, {}).sawEnd, true);
  const cut = stream.slice(0, stream.indexOf('\n\ndata: [DONE]'));
  const { usage, text } = runAll(cut, { stripUsageFrame: true });
  assert.equal(usage?.promptTokens, 11);
  assert.doesNotMatch(text, /"choices":\[\]/);
});

test('an error event ends a stream of named events', () => {
  const error = 'event: error\ndata: {"type":"error","error":{"type":"overloaded_error"}}\n\n';
  assert.equal(runAll(error, { path: '/v1/messages' }).sawEnd, true);
  assert.equal(
    runAll('data: {"type":"response.failed"}\n\n', { path: '/v1/responses' }).sawEnd,
    true,
  );
  assert.equal(runAll('data: {"type":"error"}\n\n', {}).sawEnd, false);
});

test('a transcription ends with its named event or with [DONE]', () => {
  const path = '/v1/audio/transcriptions';
  const delta = 'data: {"type":"transcript.text.delta","delta":"[DONE] transcript.text.done"}\n\n';
  const done =
    'data: {"type":"transcript.text.done","text":"a","usage":{"type":"tokens","input_tokens":3,"output_tokens":1}}\n\n';
  assert.equal(runAll(delta, { path }).sawEnd, false);
  assert.equal(runAll(`${delta}data: [DONE]\n\n`, { path }).sawEnd, true);
  const { sawEnd, usage } = runAll(delta + done, { path });
  assert.equal(sawEnd, true);
  assert.equal(usage?.promptTokens, 3);
});

test('a string that goes over the end of a data line is no JSON and is not renamed', () => {
  const stream = 'data: {"model":"a\ndata: b","c":1,"model":"x"}\n\ndata: {"model":"a"}\n\n';
  const { text } = runAll(stream, { modelForClient: 'b' });
  assert.equal(text, stream.replace('{"model":"a"}', '{"model":"b"}'));
});

test('a frame that is too long to be held passes, and its usage is read', () => {
  const filler = 'x'.repeat(1024 * 1024);
  const stream = `data: {"model":"a","output":"${filler}","usage":{"input_tokens":3,"output_tokens":4}}\n\ndata: {"model":"a"}\n\n`;
  const bytes = Buffer.from(stream);
  const { text, usage, atFrameBoundary } = run(cutAt(bytes, [1000, 400_000, 900_000, 1_048_700]), {
    path: '/v1/responses',
    modelForClient: 'b',
  });
  assert.deepEqual(usage, { promptTokens: 3, completionTokens: 4, cachedTokens: null });
  assert.equal(atFrameBoundary, true);
  assert.ok(text.endsWith('data: {"model":"b"}\n\n'));
  assert.equal(text.length, stream.length);
});

test('a document on several data lines is read and renamed', () => {
  const stream =
    'event: x\ndata: {"model":\ndata: "a",\r\ndata: "usage":{"prompt_tokens":1,\ndata:"completion_tokens":2}}\n\n';
  const { text, usage } = runAll(stream, { modelForClient: 'b' });
  assert.equal(text, stream.replace('"a"', '"b"'));
  assert.deepEqual(usage, { promptTokens: 1, completionTokens: 2, cachedTokens: null });
});

const jsonBody = fc.record({
  id: fc.string(),
  model: fc.oneof(fc.string({ unit: 'grapheme' }), fc.constant(null)),
  choices: fc.array(
    fc.record({ model: fc.string(), text: fc.constantFrom('"usage"', 'usage', '"model":"x"') }),
    { maxLength: 3 },
  ),
  response: fc.record({ model: fc.string(), deeper: fc.record({ model: fc.string() }) }),
  x: fc.jsonValue({ maxDepth: 2 }),
  usage: fc.record({
    prompt_tokens: fc.nat(),
    completion_tokens: fc.nat(),
    total_tokens: fc.nat(),
  }),
});

test('a JSON body is renamed and its usage read from any split', () => {
  fc.assert(
    fc.property(
      jsonBody,
      fc.constantFrom(0, 1),
      fc.boolean(),
      cuts,
      (body, indent, isEscaped, places) => {
        const plain = JSON.stringify(body, null, indent);
        const parsed = JSON.parse(plain) as typeof body;
        const bytes = Buffer.from(isEscaped ? escapeNonAscii(plain) : plain);
        const renamed = {
          ...parsed,
          model: body.model === null ? null : 'new',
          response: { ...parsed.response, model: 'new' },
        };
        for (const chunks of [[bytes], cutAt(bytes, places), singleBytes(bytes)]) {
          const { text, usage } = run(chunks, { format: 'json', modelForClient: 'new' });
          assert.deepEqual(JSON.parse(text), renamed);
          assert.equal(usage?.promptTokens, body.usage.prompt_tokens);
          assert.equal(usage.completionTokens, body.usage.completion_tokens);
          const untouched = run(chunks, { format: 'json' });
          assert.equal(untouched.text, bytes.toString());
          assert.deepEqual(untouched.usage, usage);
        }
      },
    ),
  );
});

test('usage of embeddings, rerank, Anthropic and Responses bodies', () => {
  const cases: readonly (readonly [path: string, usage: string, expected: TokenUsage | null])[] = [
    [
      '/v1/embeddings',
      '{"prompt_tokens":8,"total_tokens":8}',
      { promptTokens: 8, completionTokens: 0, cachedTokens: null },
    ],
    [
      '/v1/rerank',
      '{"total_tokens":56}',
      { promptTokens: 56, completionTokens: 0, cachedTokens: null },
    ],
    [
      '/v1/messages',
      '{"input_tokens":10,"cache_read_input_tokens":null,"output_tokens":5}',
      { promptTokens: 10, completionTokens: 5, cachedTokens: null },
    ],
    [
      '/v1/responses',
      '{"input_tokens":1,"input_tokens_details":{"cached_tokens":1},"output_tokens":2}',
      { promptTokens: 1, completionTokens: 2, cachedTokens: 1 },
    ],
    ['/v1/audio/transcriptions', '{"type":"duration","seconds":3}', null],
    [CHAT, 'null', null],
    [CHAT, '"prompt_tokens"', null],
    [CHAT, '{"prompt_tokens":-1}', null],
    [CHAT, '{"prompt_tokens":1.5,"x":"}\\""}', null],
  ];
  for (const [path, usage, expected] of cases) {
    const body = `{"a":"usage","b":["usage"],"usage":${usage},"c":1}`;
    assert.deepEqual(runAll(body, { path, format: 'json' }).usage, expected);
  }
});

test('a body that is not JSON passes unchanged', () => {
  for (const body of [
    'upstream exploded',
    '{"model":"a',
    '{"model":nope}',
    '[{"model":"a"}]',
    '',
  ]) {
    const { text } = runAll(body, {
      format: 'json',
      modelForClient: body.endsWith('"a') ? 'a' : 'b',
    });
    if (!body.endsWith('"a')) assert.equal(text, body);
  }
});

test('an opaque body is not read', () => {
  const body = Buffer.from('{"model":"a","usage":{"prompt_tokens":1}}');
  const editor = create({ format: 'opaque', modelForClient: 'b' });
  assert.equal(editor.push(body), body);
  assert.equal(editor.finish(), null);
  assert.equal(editor.usage, null);
  assert.equal(editor.isLengthPreserving, true);
});

test('says whether the length stays the same', () => {
  assert.equal(create({}).isLengthPreserving, true);
  assert.equal(create({ stripUsageFrame: true }).isLengthPreserving, false);
  assert.equal(create({ format: 'json', stripUsageFrame: true }).isLengthPreserving, true);
  assert.equal(create({ format: 'json', modelForClient: 'x' }).isLengthPreserving, false);
});
