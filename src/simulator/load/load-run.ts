import { assert } from '../../core/assert.ts';
import type { Clock, TimerHandle } from '../../core/clock.ts';
import type { LabRequest, TrafficSource } from '../workloads/types.ts';
import { HeldQueue } from './held-queue.ts';
import type { EndedRequest } from './load-collector.ts';
import { OpenRequest, type OpenRequestPorts } from './open-request.ts';
import type { RequestWriter } from './request-writer.ts';
import { SampleList } from './sample-list.ts';
import type { LoadTransport } from './transport.ts';

/**
 * How a run ended. `finished`: everything was answered or failed; `interrupted`: by the caller;
 * `saturated`: too many requests waited for a connection, or some were unanswered at the end.
 */
export type LoadStatus = 'finished' | 'interrupted' | 'saturated';

/** What a run is made of. Times in milliseconds. */
export interface LoadRunOptions {
  readonly traffic: TrafficSource;
  readonly transport: LoadTransport;
  readonly writer: RequestWriter;
  readonly clock: Clock;
  /** No request is sent that was planned later than this. */
  readonly durationMs: number;
  /** Of one request; the whole run ends this long after `durationMs` at the latest. */
  readonly timeoutMs: number;
  readonly maxOpenRequests: number;
  /** Hears of every request that has ended. */
  readonly onEnded: (ended: EndedRequest) => void;
}

/** How far a run is. */
export interface LoadProgress {
  readonly elapsedMs: number;
  readonly sent: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly open: number;
  /** Waiting in the client because as many as allowed are open. */
  readonly held: number;
}

/** Requests that may wait in the client before the run is given up. */
const MAX_HELD_REQUESTS = 100_000;
/** How often the lateness of timers is measured. */
const LAG_INTERVAL_MS = 100;

/**
 * Sends the requests of a traffic source at their times, whatever the server does with those before
 * (open loop); when as many as allowed are open, a request waits here and is sent late.
 *
 *     source ──at its time──► held (only when all are open) ──► open ──► ended ─► source, onEnded
 */
export class LoadRun {
  readonly #options: LoadRunOptions;
  readonly #ports: OpenRequestPorts;
  readonly #open = new Set<OpenRequest>();
  readonly #held = new HeldQueue();
  readonly #done = Promise.withResolvers<LoadStatus>();
  /** How late timers fired, in milliseconds: what the client adds to every time it measures. */
  readonly loopLagMs: SampleList = new SampleList();
  #timer: TimerHandle | null = null;
  #lagTimer: TimerHandle | null = null;
  #isPumping = false;
  #status: LoadStatus | null = null;
  #sent = 0;
  #succeeded = 0;
  #failed = 0;
  #heldBack = 0;
  #unanswered = 0;

  constructor(options: LoadRunOptions) {
    assert(options.maxOpenRequests >= 1, 'at least one request may be open');
    this.#options = options;
    const { clock, transport, timeoutMs } = options;
    this.#ports = {
      clock,
      transport,
      timeoutMs,
      startMs: clock.now(),
      onEnded: (open, ended) => {
        this.#noteEnded(open, ended);
      },
    };
  }

  /** How the run ended; null while it goes on. */
  get status(): LoadStatus | null {
    return this.#status;
  }

  /** Requests that had to wait because as many as allowed were open. */
  get heldBack(): number {
    return this.#heldBack;
  }

  /** Requests that were open or held when the run ended. */
  get unanswered(): number {
    return this.#unanswered;
  }

  get progress(): LoadProgress {
    return {
      elapsedMs: this.#nowMs(),
      sent: this.#sent,
      succeeded: this.#succeeded,
      failed: this.#failed,
      open: this.#open.size,
      held: this.#held.size,
    };
  }

  /** Begins, and resolves when the run is over. To be called once, right after construction. */
  run(): Promise<LoadStatus> {
    this.#watchLag();
    this.#pump();
    return this.#done.promise;
  }

  /** Ends the run at once; requests under way are given up. */
  stop(status: LoadStatus = 'interrupted'): void {
    if (this.#status !== null) return;
    this.#status = status;
    this.#unanswered = this.#open.size + this.#held.size;
    const { clock } = this.#options;
    for (const timer of [this.#timer, this.#lagTimer]) {
      if (timer !== null) clock.clearTimer(timer);
    }
    for (const open of this.#open) open.cancel();
    this.#open.clear();
    this.#held.clear();
    this.#done.resolve(status);
  }

  #nowMs(): number {
    return this.#options.clock.now() - this.#ports.startMs;
  }

  /** Sends what is due and sets the timer for what is next. */
  #pump(): void {
    // A request that fails while it is being sent comes back here through `#noteEnded`.
    if (this.#isPumping || this.#status !== null) return;
    this.#isPumping = true;
    const { traffic } = this.#options;
    this.#sendHeld();
    while (this.#status === null && this.#nextAtMs() <= this.#nowMs()) {
      this.#admit(traffic.take());
    }
    this.#isPumping = false;
    this.#arm();
  }

  /** When the next request is due; infinite when none is planned within the duration. */
  #nextAtMs(): number {
    const atMs = this.#options.traffic.nextAtMs();
    return atMs > this.#options.durationMs ? Number.POSITIVE_INFINITY : atMs;
  }

  #arm(): void {
    if (this.#status !== null) return;
    const { clock, durationMs, timeoutMs } = this.#options;
    const nextAtMs = this.#nextAtMs();
    const isIdle = this.#open.size === 0 && this.#held.size === 0;
    if (isIdle && nextAtMs === Number.POSITIVE_INFINITY) {
      this.stop('finished');
      return;
    }
    const endAtMs = durationMs + timeoutMs;
    const atMs = Math.min(nextAtMs, endAtMs);
    if (this.#timer !== null) clock.clearTimer(this.#timer);
    this.#timer = clock.setTimer(Math.max(0, atMs - this.#nowMs()), () => {
      if (this.#nowMs() >= endAtMs) this.stop('saturated');
      else this.#pump();
    });
  }

  #admit(request: LabRequest): void {
    if (this.#open.size < this.#options.maxOpenRequests) {
      this.#send(request);
      return;
    }
    this.#heldBack += 1;
    this.#held.push(request);
    if (this.#held.size > MAX_HELD_REQUESTS) this.stop('saturated');
  }

  #sendHeld(): void {
    while (this.#open.size < this.#options.maxOpenRequests) {
      const request = this.#held.shift();
      if (request === null) return;
      this.#send(request);
    }
  }

  #send(request: LabRequest): void {
    const open = new OpenRequest(request, request.atMs, this.#ports);
    this.#open.add(open);
    this.#sent += 1;
    open.send(this.#options.writer.write(request));
  }

  #noteEnded(open: OpenRequest, ended: EndedRequest): void {
    this.#open.delete(open);
    const { traffic, writer, onEnded } = this.#options;
    if (ended.failure === null) {
      this.#succeeded += 1;
      writer.noteAnswer(ended.request, ended.answer.text);
    } else this.#failed += 1;
    onEnded(ended);
    traffic.noteEnded(ended.request, ended.endedAtMs);
    this.#pump();
  }

  #watchLag(): void {
    const { clock } = this.#options;
    const dueMs = clock.now() + LAG_INTERVAL_MS;
    this.#lagTimer = clock.setTimer(LAG_INTERVAL_MS, () => {
      this.loopLagMs.add(Math.max(0, clock.now() - dueMs));
      this.#watchLag();
    });
  }
}
