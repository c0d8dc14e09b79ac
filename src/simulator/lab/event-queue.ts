import { assert } from '../../core/assert.ts';
import type { Clock, TimerHandle } from '../../core/clock.ts';
import { Heap } from '../../core/heap.ts';

/** Kinds of events; of all that happens at one time the lowest kind is first. */
export type EventKind = number;

/** What an event may be; engines step after all of these. */
export const EVENT_KINDS: {
  /** An endpoint starts, ends, slows down or drains. */
  readonly endpoint: EventKind;
  readonly timer: EventKind;
  /** The monitor looks whom to ask. */
  readonly monitor: EventKind;
  /** An engine's report reaches the gateway. */
  readonly report: EventKind;
  /** Something reaches the gateway from a client or an engine. */
  readonly gateway: EventKind;
  /** A request reaches an engine. */
  readonly delivery: EventKind;
  readonly sample: EventKind;
} = Object.freeze({
  endpoint: 0,
  timer: 1,
  monitor: 2,
  report: 3,
  gateway: 4,
  delivery: 5,
  sample: 6,
});

interface QueuedEvent {
  readonly atMs: number;
  readonly kind: EventKind;
  readonly order: number;
  readonly run: () => void;
}

/** Events in a total order: time, then kind, then the order in which they were planned. */
export class EventQueue {
  readonly #heap = new Heap<QueuedEvent>(isBefore);
  #order = 0;
  #nextAtMs = Number.POSITIVE_INFINITY;

  /** Time of the next event in milliseconds; infinite without one. */
  get nextAtMs(): number {
    return this.#nextAtMs;
  }

  /** Plans `run` for a time that has not passed. */
  plan(atMs: number, kind: EventKind, run: () => void): void {
    assert(atMs < Number.POSITIVE_INFINITY, 'an event has a time');
    this.#heap.push({ atMs, kind, order: this.#order, run });
    this.#order += 1;
    if (atMs < this.#nextAtMs) this.#nextAtMs = atMs;
  }

  /** Runs the next event. */
  runNext(): void {
    const next = this.#heap.pop();
    assert(next !== undefined, 'an event is planned');
    this.#nextAtMs = this.#heap.peek()?.atMs ?? Number.POSITIVE_INFINITY;
    next.run();
  }
}

function isBefore(a: QueuedEvent, b: QueuedEvent): boolean {
  if (a.atMs !== b.atMs) return a.atMs < b.atMs;
  if (a.kind !== b.kind) return a.kind < b.kind;
  return a.order < b.order;
}

/** Unix milliseconds at the start of every run, 2026-01-01; shown in records only. */
const WALL_START_MS = 1_767_225_600_000;

interface LabTimer {
  fire: (() => void) | null;
}

/** The time of a world, which alone moves it; timers are events like all others. */
export class LabClock implements Clock {
  /** Milliseconds since the start of the run. Written by the world alone. */
  nowMs = 0;
  readonly #queue: EventQueue;

  constructor(queue: EventQueue) {
    this.#queue = queue;
  }

  now(): number {
    return this.nowMs;
  }

  wallMs(): number {
    return WALL_START_MS + this.nowMs;
  }

  setTimer(delayMs: number, fire: () => void): TimerHandle {
    const timer: LabTimer = { fire };
    this.#queue.plan(this.nowMs + delayMs, EVENT_KINDS.timer, () => {
      timer.fire?.();
    });
    return timer;
  }

  clearTimer(handle: TimerHandle): void {
    (handle as LabTimer).fire = null;
  }
}
