import type { ServerResponse } from 'node:http';
import type { Clock } from '../../core/clock.ts';
import type { FaultPlan } from './faults.ts';

/**
 * Writes server-sent events, each frame as its own small write. A stream is as long as its output,
 * which the context length bounds, so a slow reader cannot make it grow without end.
 */
export class SseStream {
  readonly #response: ServerResponse;
  readonly #clock: Clock;
  readonly #fault: FaultPlan;
  /** Frames held back during a stall; null outside of one. */
  #held: string[] | null = null;
  #isEnding = false;
  /** The connection is about to be destroyed. */
  #isCut = false;
  #frames = 0;

  constructor(response: ServerResponse, clock: Clock, fault: FaultPlan) {
    this.#response = response;
    this.#clock = clock;
    this.#fault = fault;
  }

  /** Sends one complete frame, its blank line included. */
  write(frame: string): void {
    if (this.#held !== null) {
      this.#held.push(frame);
      return;
    }
    if (this.#response.destroyed || this.#isCut) return;
    if (this.#fault.cutAfterChunks === 0) {
      this.#cut();
      return;
    }
    this.#response.write(frame);
    this.#frames += 1;
    if (this.#frames === this.#fault.cutAfterChunks) this.#cut();
    else if (this.#frames === this.#fault.stallAfterChunks) this.#stall();
  }

  end(): void {
    this.#isEnding = true;
    if (this.#held === null && !this.#isCut && !this.#response.destroyed) this.#response.end();
  }

  #cut(): void {
    this.#isCut = true;
    // An empty write reports when what came before has left, so that the client sees those frames.
    this.#response.socket?.write('', () => this.#response.destroy());
  }

  #stall(): void {
    this.#held = [];
    const timer = this.#clock.setTimer(this.#fault.stallMs, () => {
      const held = this.#held ?? [];
      this.#held = null;
      for (const frame of held) this.write(frame);
      if (this.#isEnding) this.end();
    });
    this.#response.once('close', () => {
      this.#clock.clearTimer(timer);
    });
  }
}
