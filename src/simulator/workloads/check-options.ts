import { assertPositive, WorkloadError } from './errors.ts';
import type { TrafficOptions } from './types.ts';

/** Throws a `WorkloadError` unless load and duration are above 0 and the seed is an integer. */
export function assertTrafficOptions({ seed, load, durationMs }: TrafficOptions): void {
  assertPositive(load, 'the load', 'load_invalid');
  assertPositive(durationMs, 'the duration in milliseconds', 'duration_invalid');
  if (Number.isSafeInteger(seed)) return;
  throw new WorkloadError('seed_invalid', `the seed must be an integer, not ${seed}`);
}
