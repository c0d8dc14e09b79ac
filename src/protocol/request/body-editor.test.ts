import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findApi } from '../api-table.ts';
import { BodyEditor } from './body-editor.ts';
import { createBodyReader } from './create-body-reader.ts';
test('smoke', () => {
  const api = findApi('/v1/chat/completions')!;
  const body = Buffer.from(
    '{"messages":[{"role":"user","content":"hi"}],"model":"a","stream":true,"x":1}',
  );
  const reader = createBodyReader(api, 'application/json');
  reader.push(body);
  const editor = new BodyEditor(
    reader,
    { model: 'bb', includeUsage: true },
    { contentLength: body.length },
  );
  const out = Buffer.concat([...editor.edit(body), ...editor.finish()]);
  reader.finish();
  assert.equal(reader.failure, null);
  assert.equal(out.length, editor.contentLength);
  assert.deepEqual(JSON.parse(out.toString()), {
    messages: [{ role: 'user', content: 'hi' }],
    model: 'bb',
    stream: true,
    x: 1,
    stream_options: { include_usage: true },
  });
});
