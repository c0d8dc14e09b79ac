import type { Clock } from '../core/clock.ts';
import type { Fleet } from '../pool/fleet.ts';

const CHECK_MS = 20;

/**
 * Resolves when no endpoint is waiting for its first answer any more, when `limitMs` are over, or
 * soon after `isWanted` turns false.
 */
export async function awaitFirstProbes(
  fleet: Fleet,
  clock: Clock,
  options: { readonly limitMs: number; readonly isWanted: () => boolean },
): Promise<void> {
  const deadlineMs = clock.now() + options.limitMs;
  const isProbing = (): boolean =>
    fleet.endpoints().some(({ slot }) => fleet.statusOf(slot).state === 'probing');
  while (isProbing() && clock.now() < deadlineMs && options.isWanted()) {
    const { promise, resolve } = Promise.withResolvers<void>();
    clock.setTimer(CHECK_MS, resolve);
    await promise;
  }
}
