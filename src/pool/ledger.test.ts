import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { poolId } from '../core/ids.ts';
import type { Booking } from './ledger.ts';
import { addPool, createFleetWorld, specsOf } from './testing/builders.ts';

const POOL = poolId('p');

type Step =
  | {
      readonly kind: 'book';
      readonly slot: number;
      readonly prompt: number;
      readonly output: number;
    }
  | { readonly kind: 'releasePrompt' | 'release'; readonly index: number }
  | { readonly kind: 'resize'; readonly count: number }
  | { readonly kind: 'wait'; readonly durationMs: number };

const tokens = fc.oneof(
  fc.nat(200_000),
  fc.double({ min: 0, noNaN: true }),
  fc.constantFrom(0.1, Number.NaN, Number.POSITIVE_INFINITY, -5),
);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('book' as const),
      slot: fc.nat(40),
      prompt: tokens,
      output: tokens,
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom('releasePrompt' as const, 'release' as const),
      index: fc.nat(200),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('resize' as const), count: fc.nat(24) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), durationMs: fc.nat(900_000) }),
  },
);

test('after every booking ended the ledger is exactly zero, whatever happened in between', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const { clock, fleet } = createFleetWorld();
      addPool(fleet, 4);
      const bookings: Booking[] = [];
      const perform = (next: Step): void => {
        switch (next.kind) {
          case 'book': {
            const live = fleet.endpoints();
            const chosen = live[next.slot % Math.max(1, live.length)];
            if (chosen !== undefined)
              bookings.push(fleet.book(chosen.slot, next.prompt, next.output));
            break;
          }
          case 'releasePrompt':
          case 'release':
            bookings[next.index % Math.max(1, bookings.length)]?.[next.kind]();
            break;
          case 'resize':
            fleet.setPool(POOL, specsOf(next.count, `h${next.count % 3}-`));
            break;
          case 'wait':
            clock.advance(next.durationMs);
            break;
        }
      };
      for (const next of steps) {
        perform(next);
        const { load } = fleet;
        const open = bookings.filter((booking) => booking.isOpen).length;
        assert.equal(
          load.requestsInFlight.reduce((sum, count) => sum + count, 0),
          open,
        );
        for (const [slot, held] of load.tokensInFlight.entries()) {
          assert.ok(Number.isSafeInteger(held) && held >= 0);
          assert.ok((load.prefillTokensInFlight[slot] as number) <= held);
        }
      }
      for (const booking of bookings) booking.release();
      const { load } = fleet;
      assert.ok(load.requestsInFlight.every((value) => value === 0));
      assert.ok(load.tokensInFlight.every((value) => value === 0));
      assert.ok(load.prefillTokensInFlight.every((value) => value === 0));
    }),
    { numRuns: 150 },
  );
});

test('the first token releases the prompt, the end the rest, and each only once', () => {
  const { fleet } = createFleetWorld();
  const slot = addPool(fleet, 1)[0]!.slot;
  const read = (): readonly (number | undefined)[] => [
    fleet.load.requestsInFlight[slot],
    fleet.load.tokensInFlight[slot],
    fleet.load.prefillTokensInFlight[slot],
  ];
  const booking = fleet.book(slot, 100.2, 50);
  assert.deepEqual(read(), [1, 151, 101]);
  booking.releasePrompt();
  booking.releasePrompt();
  assert.deepEqual(read(), [1, 50, 0]);
  booking.release();
  booking.release();
  booking.releasePrompt();
  assert.deepEqual(read(), [0, 0, 0]);
});

test('200 bookings in one instant are each visible to the next reader', () => {
  const { fleet } = createFleetWorld();
  const slots = addPool(fleet, 8).map((endpoint) => endpoint.slot);
  for (let request = 0; request < 200; request += 1) {
    const { load } = fleet;
    const tokensOn = (slot: number): number => load.tokensInFlight[slot] as number;
    const least = slots.reduce((a, b) => (tokensOn(b) < tokensOn(a) ? b : a));
    fleet.book(least, 1_000, 500);
    assert.equal(
      fleet.load.requestsInFlight.reduce((sum, count) => sum + count, 0),
      request + 1,
    );
  }
  for (const slot of slots) assert.equal(fleet.load.requestsInFlight[slot], 25);
});

test('bookings live through the growth of the load table', () => {
  const { fleet } = createFleetWorld();
  const slot = addPool(fleet, 1)[0]!.slot;
  const before = fleet.load.tokensInFlight;
  const booking = fleet.book(slot, 10, 5);
  fleet.setPool(POOL, specsOf(100));
  assert.notEqual(fleet.load.tokensInFlight, before);
  assert.equal(fleet.load.tokensInFlight[slot], 15);
  assert.ok(Number.isNaN(fleet.load.kvCacheUsage[99]));
  booking.release();
  assert.equal(fleet.load.tokensInFlight[slot], 0);
});
