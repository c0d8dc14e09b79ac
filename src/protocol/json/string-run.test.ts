import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { must } from '../../core/assert.ts';
import { sharedPromptKernel, WINDOW_BYTES } from '../wasm/prompt-kernel.ts';
import { skipStringRun } from './string-run.ts';

const kernel = must(sharedPromptKernel(), 'WebAssembly with vectors');

/** Both ways agree on every start in `bytes`, with other bytes behind its end. */
function assertSame(bytes: Uint8Array, starts: Iterable<number>): void {
  kernel.unload();
  const padded = Buffer.alloc(bytes.length + 80, '"');
  padded.set(bytes);
  kernel.load(padded);
  for (const start of starts) {
    const expected = skipStringRun(bytes, start);
    assert.equal(
      kernel.skipString(start, bytes.length),
      expected,
      `${start} of ${Buffer.from(bytes).toString('hex')}`,
    );
  }
}

/** Parts of string bodies, whole and broken. */
const part = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: 'grapheme', maxLength: 40 }) },
  {
    weight: 4,
    arbitrary: fc.constantFrom('\\n', '\\"', '\\\\', '\\/', '\\u00e9', '\\uD83D\\uDE00'),
  },
  {
    weight: 4,
    arbitrary: fc
      .array(fc.constantFrom('\\u4f60', '\\u597D', '\\uffff', '\\u0000'), { maxLength: 20 })
      .map((escapes) => escapes.join('')),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('"', '\n', '\0', '\x1f', '\\', '\\x', '\\u', '\\u12', '\\u123g'),
  },
);
const bodyText = fc.array(part, { maxLength: 12 }).map((parts) => parts.join(''));

test('with and without the kernel, strings end at the same byte', () => {
  fc.assert(
    fc.property(bodyText, (text) => {
      const bytes = Buffer.from(text);
      assertSame(bytes, bytes.keys());
    }),
    { numRuns: 1000 },
  );
});

test('with and without the kernel, random bytes are skipped alike', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => assertSame(bytes, bytes.keys())),
    { numRuns: 1000 },
  );
});

test('every byte is told apart at every place of a vector', () => {
  for (let place = 0; place < 80; place++) {
    for (let byte = 0; byte < 256; byte++) {
      const bytes = Buffer.alloc(150, 'x');
      bytes[place] = byte;
      assertSame(bytes, [0, Math.min(place, 1)]);
    }
  }
});

test('every byte is told apart at every place of an escape', () => {
  const escapes = '\\u4f60\\u597d\\uABCD\\u0190';
  for (let place = 0; place < escapes.length; place++) {
    for (let byte = 0; byte < 256; byte++) {
      const bytes = Buffer.from(`${escapes}"`);
      bytes[place] = byte;
      assertSame(bytes, [0, 6]);
    }
  }
});

test('an escape that the end cuts is left to the caller', () => {
  for (const escape of ['\\n', '\\u4f60', '\\u4f60\\u597d', '\\u4f60\\u597d\\u4f60']) {
    for (let lead = 0; lead < 70; lead++) {
      const bytes = Buffer.from('x'.repeat(lead) + escape);
      for (let end = lead; end <= bytes.length; end++) assertSame(bytes.subarray(0, end), [0]);
    }
  }
  assert.equal(skipStringRun(Buffer.from('ab\\u12'), 0), 2);
});

test('a full window is skipped to its end and not beyond', () => {
  const bytes = Buffer.alloc(WINDOW_BYTES, 'é');
  kernel.unload();
  kernel.load(bytes);
  assert.equal(kernel.skipString(1, bytes.length), bytes.length);
  assert.equal(kernel.skipString(bytes.length, bytes.length), bytes.length);
  bytes[WINDOW_BYTES - 1] = 0x22;
  assert.equal(kernel.skipString(0, bytes.length), WINDOW_BYTES, 'the copy is the old one');
  kernel.unload();
  kernel.load(bytes);
  assert.equal(kernel.skipString(0, bytes.length), WINDOW_BYTES - 1);
});
