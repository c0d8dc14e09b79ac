import type { ServerResponse } from 'node:http';

import type { Clock, TimerHandle } from '../../core/clock.ts';
import type { DecisionLog, DecisionPhase, DecisionRecord } from '../../telemetry/decision-log.ts';
import type { CounterSeries } from '../../telemetry/series.ts';

/** Bounds of the live stream. */
export interface DecisionStreamLimits {
  /** Followers at once. */
  readonly maxFollowers: number;
  /** Bytes that may wait for one follower before it is cut off. */
  readonly maxPendingBytes: number;
  /** Events sent per second; the rest is counted and told as skipped. */
  readonly maxEventsPerSecond: number;
  /** Time between comments that keep the connection alive, in milliseconds. */
  readonly heartbeatMs: number;
}

/**
 * 500 events a second of about 700 bytes cost under 1 % of a core and more than anyone can read.
 */
export const DEFAULT_STREAM_LIMITS: DecisionStreamLimits = Object.freeze({
  maxFollowers: 16,
  maxPendingBytes: 262_144,
  maxEventsPerSecond: 500,
  heartbeatMs: 15_000,
});

/** What the stream is made of. */
export interface DecisionStreamParts {
  readonly decisions: DecisionLog;
  readonly clock: Clock;
  /** Counts followers that were cut off. */
  readonly dropped: CounterSeries;
}

const WINDOW_MS = 1000;

/**
 * Sends decisions to all followers as server-sent events. Records are turned into text once for
 * all, at once, since they change in place; with no follower the log is not even subscribed to.
 */
export class DecisionStream {
  readonly #parts: DecisionStreamParts;
  readonly #limits: DecisionStreamLimits;
  readonly #followers = new Set<ServerResponse>();
  #unsubscribe: (() => void) | null = null;
  #heartbeat: TimerHandle | null = null;
  #windowStartMs = 0;
  #sentInWindow = 0;
  #skipped = 0;
  #isClosed = false;

  constructor(parts: DecisionStreamParts, limits: DecisionStreamLimits) {
    this.#parts = parts;
    this.#limits = limits;
  }

  get followerCount(): number {
    return this.#followers.size;
  }

  /** Whether one more follower is taken. */
  get hasRoom(): boolean {
    return !this.#isClosed && this.#followers.size < this.#limits.maxFollowers;
  }

  /** Sends events on `response`, whose head is set but not sent, until either side ends it. */
  follow(response: ServerResponse): void {
    if (response.closed) return;
    this.#followers.add(response);
    const leave = (): void => {
      this.#remove(response);
    };
    response.once('close', leave);
    response.once('error', leave);
    this.#start();
    response.write(': decisions\n\n');
  }

  /** Ends all streams and takes no more. */
  close(): void {
    this.#isClosed = true;
    for (const response of this.#followers) response.end();
    this.#followers.clear();
    this.#stop();
  }

  #start(): void {
    if (this.#unsubscribe !== null) return;
    this.#skipped = 0;
    this.#unsubscribe = this.#parts.decisions.subscribe((record, phase) => {
      this.#onDecision(record, phase);
    });
    this.#armHeartbeat();
  }

  #stop(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = null;
    if (this.#heartbeat !== null) this.#parts.clock.clearTimer(this.#heartbeat);
    this.#heartbeat = null;
  }

  #remove(response: ServerResponse): void {
    if (this.#followers.delete(response) && this.#followers.size === 0) this.#stop();
  }

  #onDecision(record: DecisionRecord, phase: DecisionPhase): void {
    const nowMs = this.#parts.clock.now();
    if (nowMs - this.#windowStartMs >= WINDOW_MS) {
      this.#windowStartMs = nowMs;
      this.#sentInWindow = 0;
    }
    if (this.#sentInWindow >= this.#limits.maxEventsPerSecond) {
      this.#skipped += 1;
      return;
    }
    this.#sentInWindow += 1;
    this.#send(`${this.#skippedEvent()}event: ${phase}\ndata: ${JSON.stringify(record)}\n\n`);
  }

  #skippedEvent(): string {
    if (this.#skipped === 0) return '';
    const text = `event: skipped\ndata: {"count":${this.#skipped}}\n\n`;
    this.#skipped = 0;
    return text;
  }

  #send(text: string): void {
    for (const response of this.#followers) {
      if (response.writableLength > this.#limits.maxPendingBytes) this.#drop(response);
      else response.write(text);
    }
  }

  #drop(response: ServerResponse): void {
    this.#parts.dropped.add(1);
    this.#remove(response);
    response.destroy();
  }

  #armHeartbeat(): void {
    this.#heartbeat = this.#parts.clock.setTimer(this.#limits.heartbeatMs, () => {
      this.#send(this.#skippedEvent() || ': heartbeat\n\n');
      if (this.#followers.size > 0) this.#armHeartbeat();
    });
  }
}
