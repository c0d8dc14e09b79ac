import fc from 'fast-check';
import { OUTCOMES } from '../../../core/errors.ts';
import { APIS } from '../../api-table.ts';
import type { RecordedRequest } from '../types.ts';
import { BLOCK_HASH_LIMIT } from '../types.ts';

/** Any request that a recording can hold. */
export function anyRecordedRequest(): fc.Arbitrary<RecordedRequest> {
  const name = fc.oneof(
    fc.constantFrom('qwen-7b', 'chat', '10.0.0.1:8000', 'a "quoted" \\ name', 'ünï\u2028\n', ''),
    fc.string({ unit: 'binary', maxLength: 20 }).map((text) => text.toWellFormed()),
  );
  const orNull = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(value);
  const count = fc.oneof({ weight: 9, arbitrary: fc.nat(5000) }, fc.nat(), fc.maxSafeNat());
  // A hundredth of a millisecond, up to some years.
  const time = fc
    .oneof(
      fc.nat(100_000),
      fc.maxSafeNat().map((n) => n % 1e13),
    )
    .map((n) => n / 100);
  const fields = {
    atMs: time,
    api: fc.constantFrom(...APIS.map(({ id }) => id)),
    model: orNull(name),
    adapter: orNull(name),
    pool: orNull(name),
    endpoint: orNull(name),
    tenant: orNull(fc.oneof(name, fc.constantFrom('wK3vR0aZ', 'A"34567\\'))),
    stream: fc.boolean(),
    promptBytes: count,
    promptTokens: count,
    tokensFrom: fc.constantFrom<RecordedRequest['tokensFrom'][]>('usage', 'estimate'),
    maxTokens: orNull(count),
    outputTokens: orNull(count),
    cachedTokens: orNull(count),
    ttftMs: orNull(time),
    tpotMs: orNull(time),
    durationMs: time,
    outcome: fc.constantFrom(...OUTCOMES),
    status: fc.nat(599),
    attempts: fc.nat(10),
    blocks: fc.array(
      fc.maxSafeNat().map((n) => n % BLOCK_HASH_LIMIT),
      { maxLength: 40 },
    ),
  };
  return fc.record(fields, { noNullPrototype: true });
}
