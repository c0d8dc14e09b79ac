import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Listed } from './open-list.ts';
import { OpenList } from './open-list.ts';

test('the list holds what was added and not removed, like a set', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(9))), (steps) => {
      const items: Listed[] = Array.from({ length: 10 }, () => ({ openIndex: -1 }));
      const list = new OpenList<Listed>();
      const expected = new Set<Listed>();
      for (const [isAdd, index] of steps) {
        const item = items[index]!;
        if (!isAdd) {
          list.remove(item);
          expected.delete(item);
        } else if (!expected.has(item)) {
          list.add(item);
          expected.add(item);
        }
        assert.equal(list.size, expected.size);
        assert.deepEqual(new Set(list.snapshot()), expected);
      }
    }),
  );
});
