import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { SeededOutput } from './output-text.ts';
import { detokenize, markerId, tokenIds } from './tokenizer.ts';

it('turns ids back into the same text, whatever the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const clean = text.toWellFormed();
      assert.equal(detokenize(tokenIds(clean)), clean);
    }),
  );
});

it('gives ids that survive JSON and stay apart from markers', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      for (const id of tokenIds(text.toWellFormed())) {
        assert.ok(Number.isSafeInteger(id) && id >= 0 && id < markerId('system'));
      }
    }),
  );
});

it('takes about four bytes of English a token', () => {
  const text =
    'The gate opens when the river rises, and the water that runs through the pipe turns a wheel.';
  const bytesPerToken = text.length / tokenIds(text).length;
  assert.ok(bytesPerToken > 3.5 && bytesPerToken < 5.5, String(bytesPerToken));
});

it('keeps the ids of a prefix that ends before white space', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (first, second) => {
      const head = `x${first.trimEnd()}`;
      const joined = tokenIds(`${head} ${second}`);
      assert.deepEqual(joined.slice(0, tokenIds(head).length), tokenIds(head));
    }),
  );
});

it('generates text that reads back as the ids under which it is cached', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 1, max: 60 }), (seed, length) => {
      const output = new SeededOutput(seed, {
        maxTokens: length,
        room: 1000,
        minTokens: 0,
        ignoresEnd: true,
      });
      const indexes = Array.from({ length: output.length }, (_, index) => index);
      const text = indexes.map((index) => output.textAt(index)).join('');
      assert.deepEqual(
        tokenIds(text),
        indexes.map((index) => output.idAt(index)),
      );
    }),
  );
});
