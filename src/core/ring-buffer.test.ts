import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RingBuffer } from './ring-buffer.ts';

test('the buffer holds the newest items and hands back what falls out', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), fc.array(fc.nat()), (capacity, items) => {
      const buffer = new RingBuffer<number>(capacity);
      for (const [index, item] of items.entries()) {
        assert.equal(buffer.push(item), items[index - capacity]);
        assert.equal(buffer.size, Math.min(index + 1, capacity));
      }
      const expected = items.toReversed().slice(0, capacity);
      const seen = Array.from({ length: buffer.size }, (_, age) => buffer.newest(age));
      assert.deepEqual(seen, expected);
      assert.equal(buffer.newest(buffer.size), undefined);
      assert.equal(buffer.newest(-1), undefined);
      assert.equal(buffer.capacity, capacity);
    }),
  );
});

test('a capacity must be a positive integer', () => {
  for (const capacity of [0, -1, 1.5, Number.NaN]) {
    assert.throws(() => new RingBuffer(capacity), { name: 'AssertionError' });
  }
});
