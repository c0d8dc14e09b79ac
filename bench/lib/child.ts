import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Cleanup } from './cleanup.ts';
import { BenchFailure } from './failure.ts';

const STOP_GRACE_MS = 3_000;
const LOG_TAIL_CHARS = 4_000;

/**
 * The shell raises the limit of open files (5,000 streams are 10,000 sockets in the proxy) and is
 * replaced by taskset and then by the program, so the child's pid is the program's.
 */
const LAUNCH_SCRIPT =
  'ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -Hn)"; ' +
  'cpu=$1; shift; exec taskset -c "$cpu" "$@"';

/** How a child process is to be run. */
export interface ChildOptions {
  /** The name used in messages. */
  readonly name: string;
  /** The core the process is pinned to. */
  readonly cpu: number;
  readonly cleanup: Cleanup;
  /** Whether to open a message channel (Node children only). */
  readonly channel: 'ipc' | 'none';
}

/** A running process that is pinned to one core and stopped by pid when the bench ends. */
export class Child {
  readonly name: string;
  readonly pid: number;
  readonly process: ChildProcess;
  readonly #exited: Promise<unknown>;
  #logTail = '';

  constructor(command: readonly string[], options: ChildOptions) {
    this.name = options.name;
    this.process = spawn('sh', ['-c', LAUNCH_SCRIPT, 'sh', String(options.cpu), ...command], {
      stdio: ['ignore', 'pipe', 'pipe', ...(options.channel === 'ipc' ? ['ipc' as const] : [])],
      env: { ...process.env, NODE_ENV: 'production' },
      serialization: 'advanced',
    });
    if (this.process.pid === undefined) throw new BenchFailure(`cannot start ${this.name}`);
    this.pid = this.process.pid;
    this.#exited = once(this.process, 'exit');
    this.process.stdout?.on('data', (chunk: Buffer) => this.#keepLog(chunk));
    this.process.stderr?.on('data', (chunk: Buffer) => this.#keepLog(chunk));
    options.cleanup.add(() => this.stop());
  }

  get hasExited(): boolean {
    return this.process.exitCode !== null || this.process.signalCode !== null;
  }

  /** The end of what the process has printed, for messages about its failure. */
  get logTail(): string {
    return this.#logTail;
  }

  /** Resolves when the process has ended. */
  async exited(): Promise<void> {
    await this.#exited;
  }

  /** Throws when the process has already ended, with what it printed. */
  assertRunning(): void {
    if (this.hasExited) throw new BenchFailure(`${this.name} has ended:\n${this.#logTail}`);
  }

  /** SIGTERM, then SIGKILL after a grace period. */
  async stop(): Promise<void> {
    if (this.hasExited) return;
    const timer = setTimeout(() => this.process.kill('SIGKILL'), STOP_GRACE_MS);
    this.process.kill('SIGTERM');
    await this.#exited;
    clearTimeout(timer);
  }

  #keepLog(chunk: Buffer): void {
    this.#logTail = (this.#logTail + chunk.toString('utf8')).slice(-LOG_TAIL_CHARS);
  }
}
