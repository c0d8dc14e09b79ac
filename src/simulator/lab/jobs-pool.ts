import { Worker } from 'node:worker_threads';

import { assert } from '../../core/assert.ts';
import { PenstockError } from '../../core/errors.ts';
import { runJob, WorkloadShelf, type LabJob } from './jobs.ts';
import {
  readStopFlag,
  STOP_REASONS,
  type StopReason,
  type WorkerOrder,
  type WorkerReport,
  type WorkerSetup,
} from './jobs-messages.ts';
import type { RunResult } from './results.ts';

/** How far the jobs of a pool are. */
export interface PoolProgress {
  /** Jobs given to the pool so far. */
  readonly jobs: number;
  readonly finished: number;
  /** Work done, in jobs: the finished ones and the shares of those that run. */
  readonly doneJobs: number;
}

/** How a pool works. */
export interface JobPoolOptions {
  /** Threads at most; with 1 everything runs in the thread of the caller. */
  readonly workers: number;
  readonly onProgress: (progress: PoolProgress) => void;
  /** A plugin of a policy failed; told at least once for each job and plugin. */
  readonly onPluginFault: (policy: string, plugin: string, message: string) => void;
}

interface Task {
  readonly id: number;
  readonly job: LabJob;
  readonly resolve: (result: RunResult) => void;
  readonly reject: (cause: unknown) => void;
}

interface Thread {
  readonly worker: Worker;
  task: Task | null;
}

/**
 * Runs jobs on worker threads, each thread one at a time. A job gives the same result wherever it
 * runs. Jobs whose policy brings plugins of its own run in the thread of the caller, as functions
 * cannot be sent.
 */
export class JobPool {
  readonly #options: JobPoolOptions;
  readonly #shelf = new WorkloadShelf();
  readonly #stopFlag = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  readonly #flag: Int32Array = new Int32Array(this.#stopFlag);
  readonly #threads = new Set<Thread>();
  readonly #waiting: Task[] = [];
  /** Share done of each job that runs, by its id. */
  readonly #running = new Map<number, number>();
  /** The last job in this thread; they run one after the other. */
  #here: Promise<unknown> = Promise.resolve();
  #jobs = 0;
  #finished = 0;
  #isClosed = false;

  constructor(options: JobPoolOptions) {
    assert(options.workers >= 1, 'a pool has a worker');
    this.#options = options;
  }

  /** Why the runs were told to end; null while they were not. */
  get stopReason(): StopReason | null {
    return readStopFlag(this.#flag);
  }

  /**
   * Runs one job when a thread is free. After `stop` it resolves with what the run has so far.
   * Rejects with `internal` when the run fails or its thread dies.
   */
  run(job: LabJob): Promise<RunResult> {
    assert(!this.#isClosed, 'the pool is open');
    const id = this.#jobs;
    this.#jobs += 1;
    if (this.#options.workers === 1 || job.policy.plugins.length > 0) return this.#runHere(id, job);
    const { promise, resolve, reject } = Promise.withResolvers<RunResult>();
    this.#waiting.push({ id, job, resolve, reject });
    this.#dispatch();
    return promise;
  }

  /** Makes every run end soon with what it has; the first reason counts. */
  stop(reason: StopReason): void {
    Atomics.compareExchange(this.#flag, 0, 0, STOP_REASONS.indexOf(reason));
  }

  /** Ends the threads; jobs that have not ended reject. May be called twice. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const threads = [...this.#threads];
    this.#threads.clear();
    const left = [...this.#waiting.splice(0), ...threads.flatMap(({ task }) => task ?? [])];
    for (const { reject } of left) reject(new PenstockError('internal', 'the pool was closed'));
    await Promise.all(threads.map(({ worker }) => worker.terminate()));
  }

  async #runHere(id: number, job: LabJob): Promise<RunResult> {
    const before = this.#here;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#here = promise;
    await before;
    try {
      const hooks = {
        shelf: this.#shelf,
        shouldStop: () => this.stopReason,
        onProgress: (share: number) => {
          this.#noteProgress(id, share);
        },
        onPluginFault: (plugin: string, cause: unknown) => {
          const message = cause instanceof Error ? cause.message : String(cause);
          this.#options.onPluginFault(job.policy.name, plugin, message);
        },
      };
      const result = await runJob(job, hooks);
      this.#noteEnd(id);
      return result;
    } finally {
      resolve();
    }
  }

  #dispatch(): void {
    while (this.#waiting.length > 0) {
      const thread = this.#findThread();
      if (thread === null) return;
      const task = this.#waiting.shift();
      if (task === undefined) return;
      thread.task = task;
      thread.worker.postMessage({ id: task.id, job: task.job } satisfies WorkerOrder);
    }
  }

  #findThread(): Thread | null {
    for (const thread of this.#threads) if (thread.task === null) return thread;
    return this.#threads.size < this.#options.workers ? this.#startThread() : null;
  }

  #startThread(): Thread {
    // As source and as built.
    const file = import.meta.filename.endsWith('.ts')
      ? new URL('./jobs-worker.ts', import.meta.url)
      : new URL('./jobs-worker.js', import.meta.url);
    const setup: WorkerSetup = { stopFlag: this.#stopFlag };
    const thread: Thread = { worker: new Worker(file, { workerData: setup }), task: null };
    this.#threads.add(thread);
    thread.worker.on('message', (report: WorkerReport) => {
      this.#take(thread, report);
    });
    thread.worker.on('error', (cause) => {
      this.#lose(thread, cause instanceof Error ? cause.message : String(cause));
    });
    thread.worker.on('exit', (code) => {
      this.#lose(thread, `exit code ${code}`);
    });
    return thread;
  }

  #take(thread: Thread, report: WorkerReport): void {
    const { task } = thread;
    if (task === null || task.id !== report.id) return;
    if (report.kind === 'progress') {
      this.#noteProgress(report.id, report.share);
      return;
    }
    if (report.kind === 'fault') {
      this.#options.onPluginFault(task.job.policy.name, report.plugin, report.message);
      return;
    }
    thread.task = null;
    this.#noteEnd(report.id);
    if (report.kind === 'done') task.resolve(report.result);
    else task.reject(new PenstockError('internal', `a simulation failed: ${report.message}`));
    this.#dispatch();
  }

  /** A thread that is gone takes its job along; the others go on with what waits. */
  #lose(thread: Thread, reason: string): void {
    if (!this.#threads.delete(thread)) return;
    const { task } = thread;
    thread.task = null;
    if (task === null) return;
    this.#noteEnd(task.id);
    task.reject(new PenstockError('internal', `a simulation thread ended: ${reason}`));
    this.#dispatch();
  }

  #noteProgress(id: number, share: number): void {
    this.#running.set(id, share);
    this.#tell();
  }

  #noteEnd(id: number): void {
    this.#running.delete(id);
    this.#finished += 1;
    this.#tell();
  }

  #tell(): void {
    let doneJobs = this.#finished;
    for (const share of this.#running.values()) doneJobs += share;
    this.#options.onProgress({ jobs: this.#jobs, finished: this.#finished, doneJobs });
  }
}

/** Runs all jobs and resolves to their results in the order of the jobs. */
export async function runJobs(
  jobs: readonly LabJob[],
  options: JobPoolOptions,
): Promise<readonly RunResult[]> {
  const workers = Math.max(1, Math.min(options.workers, jobs.length));
  const pool = new JobPool({ ...options, workers });
  try {
    return await Promise.all(jobs.map((job) => pool.run(job)));
  } finally {
    await pool.close();
  }
}
