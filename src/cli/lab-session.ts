import type { TimerHandle } from '../core/clock.ts';
import type { StopReason } from '../simulator/lab/jobs-messages.ts';
import { JobPool, type PoolProgress } from '../simulator/lab/jobs-pool.ts';
import { EXIT_CODES, type CommandContext } from './command.ts';
import { ProgressDisplay } from './lab-progress.ts';
import { createSystemClock } from './system-clock.ts';

/** What a session is opened with. */
export interface SessionOptions {
  readonly workers: number;
  /** Wall-clock time after which runs end with what they have; null: none. */
  readonly budgetMs: number | null;
  /** What a line of progress says, and the share of all work that is done, null when unknown. */
  readonly describe: (progress: PoolProgress) => readonly [text: string, share: number | null];
}

/**
 * A pool of jobs that a signal or the end of a budget stops, and whose progress is shown. A second
 * signal ends the process at once.
 */
export class LabSession {
  readonly pool: JobPool;
  readonly #display: ProgressDisplay;
  readonly #clock = createSystemClock();
  readonly #removers: readonly (() => void)[];
  /** Lines already written. */
  readonly #faults = new Set<string>();
  readonly #timer: TimerHandle | null;

  constructor(context: CommandContext, { workers, budgetMs, describe }: SessionOptions) {
    const display = new ProgressDisplay(context, this.#clock);
    this.#display = display;
    this.pool = new JobPool({
      workers,
      onProgress: (progress) => {
        display.update(...describe(progress));
      },
      onPluginFault: (policy, plugin, message) => {
        const line = `${policy}: plugin ${plugin} failed and was left out: ${message}\n`;
        if (this.#faults.has(line)) return;
        this.#faults.add(line);
        display.clear();
        context.writeError(line);
      },
    });
    this.#removers = (['SIGINT', 'SIGTERM'] as const).map((signal) =>
      context.onSignal(signal, () => {
        this.pool.stop('interrupted');
        this.#removeHandlers();
      }),
    );
    this.#timer =
      budgetMs === null
        ? null
        : this.#clock.setTimer(budgetMs, () => {
            this.pool.stop('out_of_time');
          });
  }

  get elapsedMs(): number {
    return this.#display.elapsedMs;
  }

  /** Why runs were ended early; null when they were not. */
  get stopReason(): StopReason | null {
    return this.pool.stopReason;
  }

  /** The command's exit code as far as the session decides it. */
  get exitCode(): number {
    if (this.stopReason === 'interrupted') return EXIT_CODES.interrupted;
    return this.stopReason === 'out_of_time' ? EXIT_CODES.failed : EXIT_CODES.ok;
  }

  /** Ends threads, timer and signal handlers, and takes the progress line away. */
  async close(): Promise<void> {
    this.#removeHandlers();
    if (this.#timer !== null) this.#clock.clearTimer(this.#timer);
    this.#display.clear();
    await this.pool.close();
  }

  #removeHandlers(): void {
    for (const remove of this.#removers) remove();
  }
}
