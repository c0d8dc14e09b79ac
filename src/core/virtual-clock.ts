import { assert } from './assert.ts';
import type { Clock, TimerHandle } from './clock.ts';
import { Heap } from './heap.ts';

interface VirtualTimer {
  readonly dueMs: number;
  readonly order: number;
  fire: (() => void) | null;
}

/**
 * A clock that moves only when told to. Timers due at the same instant fire in the order they were
 * set, so that one seed gives one trace.
 */
export class VirtualClock implements Clock {
  #nowMs = 0;
  #order = 0;
  readonly #wallStartMs: number;
  readonly #timers = new Heap<VirtualTimer>(
    (a, b) => a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order),
  );

  /** `wallStartMs` is the Unix time in milliseconds that `wallMs` shows at virtual time zero. */
  constructor(wallStartMs = 0) {
    this.#wallStartMs = wallStartMs;
  }

  now(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#wallStartMs + this.#nowMs;
  }

  setTimer(delayMs: number, fire: () => void): TimerHandle {
    assert(delayMs >= 0, 'timer delay is negative or not a number');
    const timer: VirtualTimer = { dueMs: this.#nowMs + delayMs, order: this.#order++, fire };
    this.#timers.push(timer);
    return timer;
  }

  clearTimer(handle: TimerHandle): void {
    (handle as VirtualTimer).fire = null;
  }

  /** Fires the next pending timer and moves time to it; false when none is left. */
  step(): boolean {
    for (;;) {
      const timer = this.#timers.pop();
      if (timer === undefined) return false;
      if (timer.fire === null) continue;
      this.#nowMs = timer.dueMs;
      timer.fire();
      return true;
    }
  }

  /** Fires every timer due within the next `durationMs` and leaves time at its end. */
  advance(durationMs: number): void {
    const endMs = this.#nowMs + durationMs;
    for (;;) {
      const next = this.#timers.peek();
      if (next === undefined || next.dueMs > endMs) break;
      this.step();
    }
    this.#nowMs = Math.max(this.#nowMs, endMs);
  }
}
