import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findApi } from '../api-table.ts';
import { cutAt, cuts, singleBytes } from '../testing/chunks.ts';
import type { BodyReader } from './body-reader.ts';
import { createBodyReader } from './create-body-reader.ts';
import { MAX_PART_HEADER_BYTES } from './multipart-reader.ts';

const TYPE = 'multipart/form-data; boundary=XyZ';

function read(chunks: readonly Uint8Array[], type = TYPE): BodyReader {
  const reader = createBodyReader(findApi('/v1/audio/transcriptions')!, type);
  for (const chunk of chunks) reader.push(chunk);
  reader.finish();
  return reader;
}

function part(name: string, value: Buffer | string, extra = ''): Buffer {
  return Buffer.concat([
    Buffer.from(`--XyZ\r\nContent-Disposition: form-data; name="${name}"${extra}\r\n\r\n`),
    Buffer.from(value),
    Buffer.from('\r\n'),
  ]);
}

function form(...parts: Buffer[]): Buffer {
  return Buffer.concat([...parts, Buffer.from('--XyZ--\r\n')]);
}

const FILE = part(
  'file',
  Buffer.from([0, 1, 2, 13, 10, 45, 45, 13, 10, 45, 45, 88, 121]),
  '; filename="a.wav"',
);

test('reads model and stream from a form', () => {
  const body = form(FILE, part('model', 'whisper-1'), part('stream', 'true'));
  const reader = read([body]);
  assert.equal(reader.failure, null);
  assert.equal(reader.isComplete, true);
  assert.equal(reader.model, 'whisper-1');
  assert.equal(reader.stream, true);
  const { start, end } = reader.modelSpan!;
  assert.equal(body.toString('utf8', start, end), 'whisper-1');
});

test('reads the same from any split of the form', () => {
  const value = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
  const name = fc.constantFrom('file', 'prompt', 'language');
  const parts = fc.array(fc.tuple(name, value), { maxLength: 3 });
  fc.assert(
    fc.property(parts, fc.string({ minLength: 1 }), cuts, (others, model, places) => {
      const around = others.map(([field, bytes]) => part(field, bytes));
      const body = form(...around, part('model', model), ...around);
      for (const chunks of [[body], cutAt(body, places), singleBytes(body)]) {
        const reader = read(chunks);
        assert.equal(reader.failure, null);
        assert.equal(reader.model, Buffer.from(model).toString());
        const { start, end } = reader.modelSpan!;
        assert.equal(body.toString('utf8', start, end), reader.model);
        assert.equal(reader.receivedBytes, body.length);
      }
    }),
  );
});

test('allows a preamble, a quoted boundary, other part headers, unquoted names and an epilogue', () => {
  const body = Buffer.from(
    'preamble\r\n--a b\r\nContent-Type: text/plain\r\ncontent-disposition: FORM-DATA; name=model\r\n\r\nm\r\n--a b--\r\nepilogue',
  );
  const reader = read(singleBytes(body), 'multipart/form-data; charset=utf-8; boundary="a b"');
  assert.equal(reader.failure, null);
  assert.equal(reader.model, 'm');
});

test('does not take a filename for a field name', () => {
  const body = form(part('file', 'x', '; filename="model"'));
  assert.equal(read([body]).failure?.code, 'model_missing');
});

test('refuses broken forms', () => {
  const headers = `--XyZ\r\nX: ${'x'.repeat(MAX_PART_HEADER_BYTES)}`;
  const cases: readonly (readonly [body: Buffer, message: RegExp])[] = [
    [Buffer.from(''), /ends early/],
    [form(FILE, part('model', 'm')).subarray(0, -4), /ends early/],
    [Buffer.from('--XyZ\r\nContent-Type: text/plain\r\n\r\nm\r\n--XyZ--'), /no form-data name/],
    [Buffer.from('--XyZoo\r\n\r\n'), /boundary line/],
    [Buffer.from(headers), /headers are longer/],
    [form(part('model', 'a'), part('model', 'b')), /given twice/],
    [form(part('model', 'm'.repeat(5000))), /longer than 4096/],
  ];
  for (const [body, message] of cases) {
    for (const chunks of [[body], singleBytes(body)]) {
      const reader = read(chunks);
      assert.equal(reader.failure?.code, 'invalid_multipart');
      assert.match(reader.failure.message, message);
    }
  }
  assert.equal(read([form(part('model', ''))]).failure?.code, 'model_missing');
});

test('refuses a content type without a boundary', () => {
  for (const type of [
    'multipart/form-data',
    'application/json',
    'multipart/form-data; boundary=""',
  ]) {
    assert.match(read([form(part('model', 'm'))], type).failure!.message, /boundary/);
  }
});

test('reads a form on a path that is not in the API table', () => {
  const reader = createBodyReader(findApi('/v1/audio/translations')!, TYPE);
  reader.push(form(part('model', 'm')));
  reader.finish();
  assert.equal(reader.model, 'm');
});
