import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { StepSchedule } from './step-schedule.ts';

it('always has the earliest engine first, the lowest number of equals', () => {
  const changes = fc.array(
    fc.record({
      engine: fc.nat(9),
      atMs: fc.oneof(fc.nat(6), fc.constant(Number.POSITIVE_INFINITY)),
    }),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(changes, (list) => {
      const schedule = new StepSchedule(10);
      const times = Array.from({ length: 10 }, () => Number.POSITIVE_INFINITY);
      for (const { engine, atMs } of list) {
        schedule.set(engine, atMs);
        times[engine] = atMs;
        const earliest = Math.min(...times);
        assert.equal(schedule.nextAtMs, earliest);
        assert.equal(schedule.next, times.indexOf(earliest));
      }
    }),
  );
});
