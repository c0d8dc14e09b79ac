import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BytePatterns } from './byte-patterns.ts';

test('finds the first of several patterns where a plain search finds it', () => {
  const letters = fc.constantFrom(...'abc"'.split(''));
  const pattern = fc.string({ unit: letters, minLength: 2, maxLength: 5 });
  fc.assert(
    fc.property(
      fc.array(pattern, { minLength: 1, maxLength: 4 }),
      fc.string({ unit: letters, maxLength: 60 }),
      fc.nat(10),
      (patterns, text, from) => {
        const places = patterns.map((one) => text.indexOf(one, from)).filter((place) => place >= 0);
        const expected = places.length === 0 ? -1 : Math.min(...places);
        assert.equal(new BytePatterns(patterns).indexIn(Buffer.from(text), from), expected);
      },
    ),
    { numRuns: 1000 },
  );
});

test('finds nothing in bytes shorter than the pattern', () => {
  const search = new BytePatterns(['"usage"']);
  assert.equal(search.indexIn(Buffer.from('"usage'), 0), -1);
  assert.equal(search.indexIn(Buffer.alloc(0), 0), -1);
});
