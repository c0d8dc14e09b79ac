/** Handle of a pending timer, opaque to the holder. */
export type TimerHandle = object;

/**
 * The only source of time below rank 4. `now` is monotonic milliseconds (fractions allowed) from an
 * arbitrary origin, for durations; `wallMs` is Unix time in milliseconds, for records that people
 * read.
 */
export interface Clock {
  now(): number;
  wallMs(): number;
  /** Runs `fire` once after `delayMs` (0 or more). Never keeps a process alive by itself. */
  setTimer(delayMs: number, fire: () => void): TimerHandle;
  /** Stops a pending timer; a handle that has fired or was cleared is ignored. */
  clearTimer(handle: TimerHandle): void;
}
