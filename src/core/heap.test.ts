import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Heap } from './heap.ts';

const isLess = (a: number, b: number): boolean => a < b;

test('items leave in order, whatever the order of pushes and pops', () => {
  const operations = fc.array(fc.option(fc.integer({ min: -50, max: 50 })), { maxLength: 200 });
  fc.assert(
    fc.property(operations, (steps) => {
      const heap = new Heap<number>(isLess);
      let model: number[] = [];
      for (const step of steps) {
        if (step === null) {
          assert.equal(heap.pop(), model[0]);
          model = model.slice(1);
        } else {
          heap.push(step);
          model = [...model, step].toSorted((a, b) => a - b);
        }
        assert.equal(heap.size, model.length);
        assert.equal(heap.peek(), model[0]);
      }
    }),
  );
});

test('an empty heap has nothing to give', () => {
  const heap = new Heap<number>(isLess);
  assert.equal(heap.pop(), undefined);
  assert.equal(heap.peek(), undefined);
  assert.equal(heap.size, 0);
});
