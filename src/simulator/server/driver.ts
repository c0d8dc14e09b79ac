import type { Clock, TimerHandle } from '../../core/clock.ts';
import type { EngineModel, SleepLevel, Submission } from '../engine/engine-model.ts';
import type { EngineRequest, Sequence } from '../engine/sequence.ts';

/** Steps run in one go before other work of the process gets its turn. */
const STEPS_PER_TURN = 64;

/**
 * Runs an engine model in the time of a clock, `speed` engine milliseconds per clock millisecond.
 */
export class EngineDriver {
  readonly #model: EngineModel;
  readonly #clock: Clock;
  readonly #speed: number;
  readonly #originMs: number;
  #timer: TimerHandle | null = null;
  #timerAtMs = Number.POSITIVE_INFINITY;
  #isClosed = false;

  constructor(model: EngineModel, clock: Clock, options: { readonly speed: number }) {
    this.#model = model;
    this.#clock = clock;
    this.#speed = options.speed;
    this.#originMs = clock.now();
  }

  /** Engine time in milliseconds. */
  nowMs(): number {
    return (this.#clock.now() - this.#originMs) * this.#speed;
  }

  submit(request: EngineRequest): Submission {
    const submission = this.#model.submit(request, this.nowMs());
    this.#arm();
    return submission;
  }

  cancel(sequence: Sequence): void {
    this.#model.cancel(sequence);
    this.#arm();
  }

  /** Loads an adapter; resolves when it is ready. */
  async loadAdapter(name: string): Promise<'loaded' | 'already_loaded' | 'no_adapter_slots'> {
    const ready = this.#model.loadAdapter(name, this.nowMs());
    if (typeof ready === 'string') return ready;
    await this.#until(ready);
    return 'loaded';
  }

  sleep(level: SleepLevel): void {
    this.#model.sleep(level);
    this.#arm();
  }

  /** Wakes the engine; resolves when it works again. */
  async wake(): Promise<void> {
    const readyMs = this.#model.wake(this.nowMs());
    this.#arm();
    await this.#until(readyMs);
  }

  /** Stops stepping for good. */
  close(): void {
    this.#isClosed = true;
    this.#disarm();
  }

  async #until(engineMs: number): Promise<void> {
    const delayMs = (engineMs - this.nowMs()) / this.#speed;
    if (delayMs <= 0) return;
    await new Promise<void>((resolve) => {
      this.#clock.setTimer(delayMs, resolve);
    });
  }

  #arm(): void {
    const atMs = this.#model.nextStepAtMs();
    if (this.#isClosed || atMs === this.#timerAtMs) return;
    this.#disarm();
    if (atMs === Number.POSITIVE_INFINITY) return;
    this.#timerAtMs = atMs;
    const delayMs = Math.max(0, (atMs - this.nowMs()) / this.#speed);
    this.#timer = this.#clock.setTimer(delayMs, () => {
      this.#run();
    });
  }

  #disarm(): void {
    if (this.#timer !== null) this.#clock.clearTimer(this.#timer);
    this.#timer = null;
    this.#timerAtMs = Number.POSITIVE_INFINITY;
  }

  #run(): void {
    this.#timer = null;
    this.#timerAtMs = Number.POSITIVE_INFINITY;
    const nowMs = this.nowMs();
    for (let count = 0; count < STEPS_PER_TURN; count += 1) {
      if (this.#model.nextStepAtMs() > nowMs) break;
      this.#model.step(nowMs);
    }
    this.#arm();
  }
}
