import type { Clock, TimerHandle } from '../core/clock.ts';

/** The machine's own time. Its timers never keep the process alive. */
export function createSystemClock(): Clock {
  return {
    now: () => performance.now(),
    wallMs: () => Date.now(),
    setTimer: (delayMs: number, fire: () => void): TimerHandle => setTimeout(fire, delayMs).unref(),
    clearTimer: (handle: TimerHandle) => {
      clearTimeout(handle as NodeJS.Timeout);
    },
  };
}
