import type { Clock, TimerHandle } from '../../core/clock.ts';
import type { LabRequest } from '../workloads/types.ts';
import { AnswerReader } from './answer-reader.ts';
import type { EndedRequest } from './load-collector.ts';
import type { LoadFailure } from './load-failure.ts';
import type { WireRequest } from './request-writer.ts';
import type { AnswerSink, LoadTransport } from './transport.ts';

/** What a request needs of the run it belongs to. */
export interface OpenRequestPorts {
  readonly clock: Clock;
  readonly transport: LoadTransport;
  /** `clock.now()` at the start of the run, in milliseconds. */
  readonly startMs: number;
  /** From sending to the end of the answer, in milliseconds. */
  readonly timeoutMs: number;
  /** Called once, except after `cancel`. */
  readonly onEnded: (open: OpenRequest, ended: EndedRequest) => void;
}

/** One request on its way, from sending to the end of its answer. */
export class OpenRequest implements AnswerSink {
  readonly #request: LabRequest;
  readonly #ports: OpenRequestPorts;
  readonly #scheduledAtMs: number;
  readonly #answer = new AnswerReader();
  #sentAtMs = 0;
  #sizeBytes = 0;
  #giveUp: (() => void) | null = null;
  #timer: TimerHandle | null = null;
  #isEnded = false;

  constructor(request: LabRequest, scheduledAtMs: number, ports: OpenRequestPorts) {
    this.#request = request;
    this.#scheduledAtMs = scheduledAtMs;
    this.#ports = ports;
  }

  send(wire: WireRequest): void {
    const { clock, transport, timeoutMs } = this.#ports;
    this.#sizeBytes = Buffer.byteLength(wire.body);
    this.#timer = clock.setTimer(timeoutMs, () => {
      this.#giveUp?.();
      this.#end({ kind: 'timeout', message: `no complete answer within ${timeoutMs / 1000} s` });
    });
    this.#sentAtMs = this.#nowMs();
    this.#giveUp = transport.send(wire, this);
  }

  /** Ends it without a word, as the run is over. */
  cancel(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#stopTimer();
    this.#giveUp?.();
  }

  onData(bytes: Buffer): void {
    if (!this.#isEnded) this.#answer.push(bytes, this.#nowMs());
  }

  onEnd(): void {
    this.#answer.finish(this.#nowMs());
    this.#end(this.#streamFailure());
  }

  onFailure(failure: LoadFailure): void {
    // A connection that breaks after the end was announced has lost nothing.
    const isHarmless = failure.kind === 'connection' && this.#answer.isComplete;
    this.#end(isHarmless ? this.#streamFailure() : failure);
  }

  #streamFailure(): LoadFailure | null {
    const { error, isComplete, chunks } = this.#answer;
    if (error !== null) return { kind: 'stream', message: error };
    if (!isComplete) return { kind: 'stream', message: 'the stream ended without its end mark' };
    if (chunks === 0) return { kind: 'stream', message: 'the stream ended without any text' };
    return null;
  }

  #end(failure: LoadFailure | null): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#stopTimer();
    const { transport, onEnded } = this.#ports;
    onEnded(this, {
      request: this.#request,
      sizeBytes: this.#sizeBytes,
      scheduledAtMs: this.#scheduledAtMs,
      sentAtMs: this.#sentAtMs,
      endedAtMs: this.#nowMs(),
      answer: this.#answer,
      failure: failure === null ? null : { ...failure, message: transport.redact(failure.message) },
    });
  }

  #stopTimer(): void {
    if (this.#timer !== null) this.#ports.clock.clearTimer(this.#timer);
    this.#timer = null;
  }

  #nowMs(): number {
    return this.#ports.clock.now() - this.#ports.startMs;
  }
}
