import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  describeGaps,
  describeUsers,
  formatArrivals,
  parseArrivals,
  type ArrivalSpec,
} from './arrival-spec.ts';

const READ: readonly (readonly [string, ArrivalSpec])[] = [
  ['constant', { kind: 'open', gaps: { kind: 'constant' }, perSecond: null }],
  ['poisson:rate=12.5', { kind: 'open', gaps: { kind: 'poisson' }, perSecond: 12.5 }],
  ['gamma:cv=2', { kind: 'open', gaps: { kind: 'gamma', cv: 2 }, perSecond: null }],
  ['gamma:burstiness=0.25, rate=3', { kind: 'open', gaps: { kind: 'gamma', cv: 2 }, perSecond: 3 }],
  ['closed', { kind: 'closed', users: null, thinkMs: null }],
  ['closed:users=50,think=5s', { kind: 'closed', users: 50, thinkMs: 5000 }],
  ['closed:think=0s', { kind: 'closed', users: null, thinkMs: 0 }],
];

for (const [text, spec] of READ) {
  test(`${text} is read`, () => {
    assert.deepEqual(parseArrivals(text), { ok: true, value: spec });
  });
}

const WRONG: readonly (readonly [string, RegExp])[] = [
  ['', /"" is no kind of arrivals; write constant/],
  ['posson', /did you mean poisson\?/],
  ['concurrent', /did you mean closed:users=N\?/],
  ['constructor', /"constructor" is no kind/],
  ['gamma', /one of cv and burstiness/],
  ['gamma:cv=2,burstiness=1', /one of cv and burstiness/],
  ['gamma:cv=0', /cv must be a number above 0/],
  ['gamma:cv=NaN', /cv must be a number above 0/],
  ['gamma:cv=1e3', /cv must be a number above 0/],
  ['gamma:burstiness=0.0000001', /burstiness must be at least/],
  ['poisson:rate=0', /rate must be a number above 0/],
  ['poisson:rate=-1', /rate must be a number above 0/],
  ['poisson:rate=', /rate must be a number above 0/],
  ['poisson:rate', /rate has no value/],
  ['poisson:', /poisson has no "", only rate/],
  ['constant:cv=2', /constant has no "cv", only rate/],
  ['poisson:rate=1,rate=2', /rate is given twice/],
  ['closed:users=2.5', /users must be a whole number/],
  ['closed:users=250001', /up to 250000/],
  ['closed:think=5', /think: expected a time with its unit.*write 5s/],
];

for (const [text, message] of WRONG) {
  test(`${JSON.stringify(text)} is refused with the way out`, () => {
    const parsed = parseArrivals(text);
    assert.ok(!parsed.ok);
    assert.match(parsed.error, message);
  });
}

const number = fc.integer({ min: 1, max: 99_000 }).map((value) => value / 1000);
const PLAIN = { noNullPrototype: true };
const spec: fc.Arbitrary<ArrivalSpec> = fc.oneof(
  fc.record(
    {
      kind: fc.constant('open' as const),
      gaps: fc.oneof(
        fc.constant({ kind: 'constant' as const }),
        fc.constant({ kind: 'poisson' as const }),
        number.map((cv) => ({ kind: 'gamma' as const, cv })),
      ),
      perSecond: fc.option(number),
    },
    PLAIN,
  ),
  fc.record(
    {
      kind: fc.constant('closed' as const),
      users: fc.option(fc.integer({ min: 1, max: 250_000 })),
      thinkMs: fc.option(fc.integer({ min: 0, max: 1_000_000 })),
    },
    PLAIN,
  ),
);

test('what is written of arrivals is read as the same', () => {
  fc.assert(
    fc.property(spec, (given) => {
      assert.deepEqual(parseArrivals(formatArrivals(given)), { ok: true, value: given });
    }),
  );
});

test('arrivals in words', () => {
  assert.equal(describeGaps({ kind: 'gamma', cv: 1 / Math.sqrt(0.3) }), 'gamma with cv 1.83');
  assert.equal(describeUsers(50, 5000), '50 users, 5 s to think');
  assert.equal(describeUsers(1, 0), '1 user without a pause');
});
