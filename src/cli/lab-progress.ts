import type { Clock } from '../core/clock.ts';
import type { CommandContext } from './command.ts';

/** A terminal's line is drawn anew this often, a log gets a line this often. */
const TERMINAL_MS = 200;
const LOG_MS = 5000;

/**
 * Tells on standard error how far a long run is: on a terminal in one line that is drawn anew,
 * elsewhere in a line every five seconds, so that short runs say nothing.
 */
export class ProgressDisplay {
  readonly #context: CommandContext;
  readonly #clock: Clock;
  readonly #startedAtMs: number;
  #lastMs: number;
  #isDrawn = false;

  constructor(context: CommandContext, clock: Clock) {
    this.#context = context;
    this.#clock = clock;
    this.#startedAtMs = clock.now();
    this.#lastMs = this.#startedAtMs;
  }

  /** Wall-clock time since the display was made. */
  get elapsedMs(): number {
    return this.#clock.now() - this.#startedAtMs;
  }

  /** `share` of all work that is done, 0 to 1; null when nobody knows. */
  update(text: string, share: number | null): void {
    const isTerminal = this.#context.isErrorTerminal === true;
    const nowMs = this.#clock.now();
    if (nowMs - this.#lastMs < (isTerminal ? TERMINAL_MS : LOG_MS)) return;
    this.#lastMs = nowMs;
    const line = `${text}${this.#estimate(share)}`;
    if (!isTerminal) {
      this.#context.writeError(`${line}\n`);
      return;
    }
    this.#isDrawn = true;
    this.#context.writeError(`\r\u001B[K${line}`);
  }

  /** Takes the line away, before results are printed. */
  clear(): void {
    if (this.#isDrawn) this.#context.writeError('\r\u001B[K');
    this.#isDrawn = false;
  }

  #estimate(share: number | null): string {
    if (share === null || share <= 0.01) return `, ${formatWait(this.elapsedMs)} so far`;
    const leftMs = (this.elapsedMs / share) * (1 - share);
    return `, ${Math.floor(100 * share)} %, about ${formatWait(leftMs)} left`;
  }
}

/** Wall-clock time as people say it: `0.4 s`, `12 s`, `3 min 20 s`. */
export function formatWait(ms: number): string {
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
