import assert from 'node:assert/strict';
import fc from 'fast-check';

/** Connections to Node's reader that are open at once. */
const BATCH_SIZE = 32;
/** Faults that are shown; one mistake makes many. */
const SHOWN_MAX = 20;

/** Compares all messages, some at a time. */
export async function compareInBatches<Message, Comparison>(
  messages: readonly Message[],
  compare: (message: Message, index: number) => Promise<Comparison>,
): Promise<Comparison[]> {
  const comparisons: Comparison[] = [];
  for (let at = 0; at < messages.length; at += BATCH_SIZE) {
    const batch = messages.slice(at, at + BATCH_SIZE);
    const done = batch.map((message, index) => compare(message, at + index));
    comparisons.push(...(await Promise.all(done)));
  }
  return comparisons;
}

/** Fails with the messages that are not read as they may be; `faultOf` gives null for others. */
export function reportFaults<Comparison extends { readonly bytes: Buffer }>(
  comparisons: readonly Comparison[],
  faultOf: (comparison: Comparison) => string | null,
  seed: number,
): void {
  const faults = comparisons.flatMap((comparison) => {
    const fault = faultOf(comparison);
    const text = comparison.bytes.toString('latin1');
    return fault === null ? [] : [`${fault}: ${JSON.stringify(text.slice(0, 400))}`];
  });
  assert.deepEqual(
    faults.slice(0, SHOWN_MAX),
    [],
    `${faults.length} differences with seed ${seed}`,
  );
}

/** A seed that a failure can be repeated with, once it is printed. */
export function pickSeed(): number {
  return fc.sample(fc.nat(), 1)[0] ?? 0;
}
