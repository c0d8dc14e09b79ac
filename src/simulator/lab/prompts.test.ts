import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { PromptHasher, type PromptDigest } from '../engine/prompt-digest.ts';
import type { PromptSegment } from '../workloads/types.ts';
import { PromptBook, tokenIdOf } from './prompts.ts';

function hashPlainly(
  segments: readonly PromptSegment[],
  salt: string,
  blockTokens: number,
): PromptDigest {
  const hasher = new PromptHasher(blockTokens, salt);
  for (const { id, tokens } of segments) {
    for (let index = 0; index < tokens; index += 1) hasher.add(tokenIdOf(id, index));
  }
  return hasher.digest();
}

const prompts = fc.array(
  fc.record({
    segments: fc.array(fc.record({ id: fc.nat(3), tokens: fc.integer({ min: 1, max: 150 }) }), {
      minLength: 1,
      maxLength: 5,
    }),
    salt: fc.constantFrom('', 'adapter'),
  }),
  { minLength: 1, maxLength: 20 },
);

it('gives engines the hashes of a token by token walk, whatever the memo forgets', () => {
  fc.assert(
    fc.property(prompts, fc.constantFrom(0, 5000, 1e9), (list, maxBytes) => {
      const book = new PromptBook([16, 32], { maxBytes });
      for (const { segments, salt } of list) {
        const prompt = book.build(segments, salt);
        assert.deepEqual(prompt.digest(16), hashPlainly(segments, salt, 16));
        assert.deepEqual(prompt.digest(32), hashPlainly(segments, salt, 32));
        assert.ok(book.sizeBytes <= maxBytes, `${book.sizeBytes} bytes`);
      }
    }),
  );
});

it('shows the gateway every fourth block of 16 tokens', () => {
  const book = new PromptBook([16], { maxBytes: 1e6 });
  const segments = [
    { id: 1, tokens: 100 },
    { id: 2, tokens: 100 },
  ];
  const { blocks } = book.build(segments, '');
  const { blockHashes } = hashPlainly(segments, '', 64);
  assert.equal(blocks.blockBytes, 256);
  assert.equal(blocks.count, 3);
  assert.deepEqual(blocks.hashes, new Uint32Array(blockHashes.buffer));
});

it('serves engines whose blocks are no multiple of 16', () => {
  const book = new PromptBook([24], { maxBytes: 1e6 });
  const segments = [{ id: 7, tokens: 200 }];
  const prompt = book.build(segments, '');
  assert.deepEqual(prompt.digest(24), hashPlainly(segments, '', 24));
  assert.equal(prompt.blocks.count, 3);
});

it('hashes a conversation once: a turn costs its new tokens only', () => {
  const book = new PromptBook([16], { maxBytes: 64 * 1024 * 1024 });
  const segments: PromptSegment[] = [{ id: 1, tokens: 160_000 }];
  book.build(segments, '');
  assert.equal(book.hashedTokens, 160_000);
  for (let turn = 0; turn < 10; turn += 1) {
    segments.push({ id: 10 + turn, tokens: 500 });
    book.build(segments, '');
  }
  assert.equal(book.hashedTokens, 165_000);
  book.build([{ id: 1, tokens: 160_000 }], 'another adapter');
  assert.equal(book.hashedTokens, 325_000);
});

it('keeps of a shared prefix what single prompts behind it come and go', () => {
  const book = new PromptBook([16], { maxBytes: 20_000 });
  for (let index = 0; index < 500; index += 1) {
    book.build(
      [
        { id: 1, tokens: 1000 },
        { id: 100 + index, tokens: 100 },
      ],
      '',
    );
  }
  assert.equal(book.hashedTokens, 1000 + 500 * 100);
});

it('tells the longest possible segments and ids apart', () => {
  assert.equal(tokenIdOf(2 ** 32 - 1, 2 ** 21 - 1), Number.MAX_SAFE_INTEGER);
  assert.notEqual(tokenIdOf(1, 0), tokenIdOf(0, 2 ** 21 - 1));
});
