import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createChatBodies, createChatBody } from './bodies.ts';

describe('chat bodies', () => {
  for (const sizeBytes of [1_024, 32_768, 220_000]) {
    it(`have about ${sizeBytes} bytes, are valid JSON and start with the model`, () => {
      const body = createChatBody({ sizeBytes, seed: 7, members: { stream: true } });
      const difference = Math.abs(Buffer.byteLength(body) - sizeBytes);
      assert.ok(difference <= 8, `${difference} bytes off`);
      assert.equal((JSON.parse(body) as { stream: boolean }).stream, true);
      assert.ok(body.startsWith('{"model":"bench-model","messages":[{"role":"system"'));
    });
  }

  it('hold escapes and text beyond ASCII', () => {
    const body = createChatBody({ sizeBytes: 32_768, seed: 1, members: {} });
    for (const sign of ['\\n', '\\"', '\\\\', '\\t', '模型']) assert.ok(body.includes(sign), sign);
  });

  it('differ from the first message on and are the same in every run', () => {
    const [first = '', second = ''] = createChatBodies(2, 4_096);
    assert.notEqual(first.slice(0, 150), second.slice(0, 150));
    assert.deepEqual(createChatBodies(2, 4_096), [first, second]);
  });
});
