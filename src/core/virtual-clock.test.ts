import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { VirtualClock } from './virtual-clock.ts';

test('timers fire in the order of their time, and of their setting within one instant', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20), { maxLength: 30 }), (delaysMs) => {
      const clock = new VirtualClock();
      const fired: [number, number][] = [];
      for (const [index, delayMs] of delaysMs.entries()) {
        clock.setTimer(delayMs, () => fired.push([clock.now(), index]));
      }
      clock.advance(20);
      const expected = delaysMs
        .map((delayMs, index): [number, number] => [delayMs, index])
        .toSorted(([a], [b]) => a - b);
      assert.deepEqual(fired, expected);
      assert.equal(clock.now(), 20);
    }),
  );
});

test('time moves only when told to, and wall time with it', () => {
  const clock = new VirtualClock(1_000_000);
  clock.advance(2.5);
  assert.deepEqual([clock.now(), clock.wallMs()], [2.5, 1_000_002.5]);
  clock.advance(0);
  assert.equal(clock.now(), 2.5);
});

test('a cleared timer does not fire, also when cleared by one of the same instant', () => {
  const clock = new VirtualClock();
  const fired: string[] = [];
  const gone = clock.setTimer(1, () => fired.push('gone'));
  clock.setTimer(1, () => {
    fired.push('first');
    clock.clearTimer(second);
  });
  const second = clock.setTimer(1, () => fired.push('second'));
  clock.clearTimer(gone);
  clock.advance(10);
  assert.deepEqual(fired, ['first']);
  clock.clearTimer(second);
});

test('timers set while time moves fire within the same advance when they are due', () => {
  const clock = new VirtualClock();
  const atMs: number[] = [];
  const tick = (): void => {
    atMs.push(clock.now());
    clock.setTimer(3, tick);
  };
  clock.setTimer(0, tick);
  clock.advance(10);
  assert.deepEqual(atMs, [0, 3, 6, 9]);
  assert.equal(clock.now(), 10);
});

test('step goes to the next live timer and no further', () => {
  const clock = new VirtualClock();
  const fired: number[] = [];
  clock.clearTimer(clock.setTimer(1, () => fired.push(1)));
  clock.setTimer(5, () => fired.push(5));
  clock.setTimer(7, () => fired.push(7));
  assert.equal(clock.step(), true);
  assert.deepEqual([clock.now(), ...fired], [5, 5]);
  assert.equal(clock.step(), true);
  assert.equal(clock.step(), false);
  assert.equal(clock.now(), 7);
});

test('a delay that is negative or not a number is a defect of the caller', () => {
  const clock = new VirtualClock();
  for (const delayMs of [-1, Number.NaN]) {
    assert.throws(() => clock.setTimer(delayMs, () => {}), { name: 'AssertionError' });
  }
});
