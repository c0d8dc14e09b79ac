import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findApi } from '../api-table.ts';
import { cutAt, cuts, singleBytes } from '../testing/chunks.ts';
import { BodyEditor, type BodyEdits } from './body-editor.ts';
import type { BodyReader } from './body-reader.ts';
import { createBodyReader } from './create-body-reader.ts';

interface Run {
  readonly reader: BodyReader;
  readonly editor: BodyEditor;
  /** What each step gave, the last one being `finish`. */
  readonly steps: readonly string[];
  readonly sent: Buffer;
}

interface RunOptions {
  readonly edits: BodyEdits;
  /** The length is known. */
  readonly isSized: boolean;
  readonly path?: string;
}

/** Runs reader and editor as the gateway does: the editor is made as soon as the model is known. */
function run(chunks: readonly Buffer[], options: RunOptions): Run {
  const reader = createBodyReader(findApi(options.path ?? '/v1/chat/completions')!, '');
  const contentLength = options.isSized
    ? chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    : null;
  const steps: string[] = [];
  const sent: Uint8Array[] = [];
  const send = (parts: readonly Uint8Array[]): void => {
    sent.push(...parts);
    steps.push(Buffer.concat(parts).toString());
  };
  let early: Buffer[] = [];
  let editor: BodyEditor | null = null;
  for (const chunk of chunks) {
    reader.push(chunk);
    early.push(chunk);
    if (reader.model === null) continue;
    editor ??= new BodyEditor(reader, options.edits, { contentLength });
    for (const ready of early) send(editor.edit(ready));
    early = [];
  }
  reader.finish();
  assert.ok(editor !== null);
  send(editor.finish());
  return { reader, editor, steps, sent: Buffer.concat(sent) };
}

const ASK: BodyEdits = { model: null, includeUsage: true };

/** What the edited body must say. */
function expected(body: Record<string, unknown>, edits: BodyEdits): Record<string, unknown> {
  const result = edits.model === null ? body : { ...body, model: edits.model };
  if (!edits.includeUsage || body['stream'] !== true) return result;
  const options = body['stream_options'];
  if (options === undefined || options === null) {
    return { ...result, stream_options: { include_usage: true } };
  }
  if (typeof options !== 'object' || Array.isArray(options)) return result;
  const asked = (options as { include_usage?: unknown }).include_usage ?? false;
  if (asked !== false) return result;
  return { ...result, stream_options: { ...options, include_usage: true } };
}

const streamOptions = fc.oneof(
  fc.constant(null),
  fc.record(
    { include_usage: fc.oneof(fc.boolean(), fc.constantFrom(null, 'x', {})), x: fc.jsonValue() },
    { requiredKeys: [] },
  ),
  fc.jsonValue({ maxDepth: 2 }),
);

const bodyText = fc
  .tuple(
    fc.record(
      {
        model: fc.string({ unit: 'grapheme', minLength: 1 }),
        messages: fc.array(fc.record({ content: fc.string({ unit: 'grapheme' }) }), {
          maxLength: 2,
        }),
        stream: fc.oneof(
          { weight: 3, arbitrary: fc.constant(true) },
          fc.constantFrom(false, null, 1),
        ),
        stream_options: streamOptions,
        x: fc.jsonValue({ maxDepth: 2 }),
      },
      { requiredKeys: ['model'] },
    ),
    fc.array(fc.nat(), { minLength: 5, maxLength: 5 }),
    fc.constantFrom(0, 1),
    fc.constantFrom('', ' ', '\r\n'),
  )
  .map(([body, order, indent, tail]) => {
    const entries = Object.entries(body).map((entry, index) => ({ entry, rank: order[index]! }));
    entries.sort((a, b) => a.rank - b.rank);
    const shuffled = Object.fromEntries(entries.map(({ entry }) => entry));
    return JSON.stringify(shuffled, null, indent) + tail;
  });

const anyEdits = fc.record({
  model: fc.option(fc.string({ unit: 'grapheme', minLength: 1 })),
  includeUsage: fc.boolean(),
});

test('the edited body says what it shall, in the promised length, from any split', () => {
  fc.assert(
    fc.property(bodyText, anyEdits, fc.boolean(), cuts, (text, edits, isSized, places) => {
      const bytes = Buffer.from(text);
      const body = JSON.parse(text) as Record<string, unknown>;
      for (const chunks of [[bytes], cutAt(bytes, places), singleBytes(bytes)]) {
        const { editor, sent, reader } = run(chunks, { edits, isSized });
        assert.equal(reader.failure, null);
        assert.deepEqual(JSON.parse(sent.toString()), expected(body, edits));
        assert.equal(editor.contentLength, isSized ? sent.length : null);
        const isAsked = JSON.stringify(expected(body, ASK)) !== JSON.stringify(body);
        assert.equal(editor.usageInjected, edits.includeUsage && isAsked);
        if (editor.isIdentity) assert.deepEqual(sent, bytes);
        if (!isSized || chunks.length === 1) assert.doesNotMatch(sent.toString(), / {8}\}\s*$/);
      }
    }),
    { numRuns: 500 },
  );
});

test('changes nothing but the model value', () => {
  const text = '{ "n": 1.0e2, "model" : "a\\u0062" , "t":"\\u0041", "z":[1 , 2]}\n';
  const { sent, editor } = run([Buffer.from(text)], {
    edits: { model: 'x"y', includeUsage: false },
    isSized: true,
  });
  assert.equal(sent.toString(), text.replace('"a\\u0062"', '"x\\"y"'));
  assert.equal(editor.contentLength, sent.length);
  assert.equal(editor.usageInjected, false);
});

test('forwards the same buffers when nothing can change', () => {
  const chunks = [Buffer.from('{"model":"m","str'), Buffer.from('eam":false}')];
  const reader = createBodyReader(findApi('/v1/chat/completions')!, '');
  for (const chunk of chunks) reader.push(chunk);
  const editor = new BodyEditor(reader, { model: 'm', includeUsage: true }, { contentLength: 28 });
  assert.equal(editor.isIdentity, true);
  assert.equal(editor.contentLength, 28);
  assert.equal(editor.edit(chunks[0]!)[0], chunks[0]);
});

test('asks for usage in each spelling of stream_options', () => {
  const cases: readonly (readonly [before: string, after: string])[] = [
    [
      '{"model":"m","stream":true,"stream_options":{},"x":{"a":1}}',
      '{"model":"m","stream":true,"stream_options":{"include_usage":true},"x":{"a":1}}',
    ],
    [
      '{"model":"m","stream":true}',
      '{"model":"m","stream":true,"stream_options":{"include_usage":true}}',
    ],
    [
      '{"model":"m","stream":true,"stream_options":{}}',
      '{"model":"m","stream":true,"stream_options":{"include_usage":true}}',
    ],
    [
      '{"stream_options":{"a":{"include_usage":true}},"model":"m","stream":true}',
      '{"stream_options":{"a":{"include_usage":true},"include_usage":true},"model":"m","stream":true}',
    ],
    [
      '{"model":"m","stream_options":{"include_usage":false},"stream":true}',
      '{"model":"m","stream_options":{"include_usage":true},"stream":true}',
    ],
    [
      '{"model":"m","stream_options":null,"stream":true}',
      '{"model":"m","stream_options":{"include_usage":true},"stream":true}',
    ],
  ];
  for (const [before, after] of cases) {
    const { sent, editor } = run([Buffer.from(before)], { edits: ASK, isSized: true });
    assert.equal(sent.toString(), after);
    assert.equal(editor.usageInjected, true);
  }
});

test('does not ask for usage when the client did, when it is no stream, or when the API cannot', () => {
  const asked = '{"model":"m","stream":true,"stream_options":{"include_usage":true}}';
  const plain = '{"model":"m","stream":true}';
  const cases: readonly (readonly [body: string, path: string])[] = [
    [asked, '/v1/chat/completions'],
    ['{"model":"m"}', '/v1/chat/completions'],
    ['{"model":"m","stream_options":null}', '/v1/completions'],
    [plain, '/v1/responses'],
    [plain, '/v1/messages'],
    [plain, '/v1/anything'],
  ];
  for (const [body, path] of cases) {
    for (const chunks of [[Buffer.from(body)], singleBytes(Buffer.from(body))]) {
      const { sent, editor } = run(chunks, { edits: ASK, isSized: false, path });
      assert.equal(sent.toString(), body);
      assert.equal(editor.usageInjected, false);
    }
  }
});

test('sends all bytes at once while no edit before them is open', () => {
  const chunks = ['{"model":"m","messages":["', 'long', '"],"stream":true', '}'].map((text) =>
    Buffer.from(text),
  );
  const { steps, editor } = run(chunks, { edits: ASK, isSized: true });
  assert.deepEqual(steps.slice(0, 3), chunks.slice(0, 3).map(String));
  assert.equal(steps[3], ',"stream_options":{"include_usage":true}}');
  assert.equal(editor.contentLength, steps.join('').length);
});

test('holds bytes only from a place that may need an edit, and until it is known', () => {
  const chunks = [
    '{"model":"m","stream_options":',
    'null,"messages":[]',
    ',"stream":true',
    ',"x":1}',
  ].map((text) => Buffer.from(text));
  const { steps } = run(chunks, { edits: ASK, isSized: false });
  assert.deepEqual(steps, [
    '{"model":"m","stream_options":',
    '',
    '{"include_usage":true},"messages":[],"stream":true',
    ',"x":1}',
    '',
  ]);
});

test('pads with spaces before the closing brace when the reserve is not needed', () => {
  const chunks = ['{"model":"m","messages":[', ']}'].map((text) => Buffer.from(text));
  const { sent, editor } = run(chunks, { edits: ASK, isSized: true });
  assert.match(sent.toString(), /^\{"model":"m","messages":\[\] +\}$/);
  assert.equal(sent.length, editor.contentLength);
  assert.equal(editor.usageInjected, false);
});

test('writes a form field as it is', () => {
  const body = '--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nold\r\n--b--\r\n';
  for (const chunks of [[Buffer.from(body)], singleBytes(Buffer.from(body))]) {
    const reader = createBodyReader(
      findApi('/v1/audio/transcriptions')!,
      'multipart/form-data; boundary=b',
    );
    for (const chunk of chunks) reader.push(chunk);
    reader.finish();
    const editor = new BodyEditor(
      reader,
      { model: 'newer', includeUsage: true },
      { contentLength: body.length },
    );
    const sent = [...chunks.flatMap((chunk) => editor.edit(chunk)), ...editor.finish()];
    assert.equal(Buffer.concat(sent).toString(), body.replace('old', 'newer'));
    assert.equal(editor.contentLength, body.length + 2);
  }
});
