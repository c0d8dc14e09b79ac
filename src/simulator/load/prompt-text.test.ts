import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { tokenIds } from '../server/tokenizer.ts';
import { BYTES_PER_TOKEN, segmentText } from './prompt-text.ts';

const segment = fc.record({
  id: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  tokens: fc.integer({ min: 1, max: 600 }),
});

test('text has as many tokens as planned, of four bytes each, alone and joined', () => {
  fc.assert(
    fc.property(segment, segment, fc.nat(), (first, second, salt) => {
      const text = segmentText(first, salt);
      assert.equal(Buffer.byteLength(text), first.tokens * BYTES_PER_TOKEN);
      assert.match(text, /^( [a-z]{3})+$/);
      assert.equal(tokenIds(text).length, first.tokens);
      const both = tokenIds(text + segmentText(second, salt));
      assert.equal(both.length, first.tokens + second.tokens);
    }),
  );
});

test('equal ids give equal text, longer segments begin with shorter ones, salts separate', () => {
  fc.assert(
    fc.property(segment, fc.nat(), ({ id }, salt) => {
      const text = segmentText({ id, tokens: 64 }, salt);
      assert.equal(segmentText({ id, tokens: 64 }, salt), text);
      assert.ok(segmentText({ id, tokens: 100 }, salt).startsWith(text));
      assert.notEqual(segmentText({ id, tokens: 64 }, salt + 1), text);
      assert.notEqual(segmentText({ id: (id + 1) % 2 ** 32, tokens: 64 }, salt), text);
    }),
  );
});

test('thousands of segments differ within their first eight tokens', () => {
  const starts = new Set<string>();
  for (let id = 0; id < 20_000; id += 1) starts.add(segmentText({ id, tokens: 8 }, 3));
  assert.equal(starts.size, 20_000);
});
