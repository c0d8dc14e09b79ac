import { watch, type FSWatcher } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';

import type { Clock, TimerHandle } from '../core/clock.ts';
import { spawn, type FailureSink } from '../core/spawn.ts';

/** How changes are noticed. */
export interface WatchOptions {
  readonly clock: Clock;
  /** A change is told when files have stayed as they are for this long. */
  readonly settleMs: number;
  /** Files are looked at this often even when the system tells of no change. */
  readonly pollMs: number;
  readonly onFailure: FailureSink;
}

/** Fast enough for a person who saves a file; polling costs one system call per file. */
export const WATCH_TIMES: Pick<WatchOptions, 'settleMs' | 'pollMs'> = Object.freeze({
  settleMs: 200,
  pollMs: 2000,
});

/** After this many looks a file that never rests is told as it is. */
const MOST_LOOKS = 25;

/**
 * Calls back when one of some files has changed and come to rest.
 *
 * What a path leads to is compared, not events counted: so a rename over the file, a swapped
 * symbolic link on the way to it (as Kubernetes does for mounted config maps) and a system without
 * notifications all work. Notifications of the folders only make it faster.
 *
 *     idle ──event or poll──► look ──same──► idle
 *                              │differs
 *                              ▼
 *                           settle ──same twice──► onChange ──► idle
 */
export class FileWatcher {
  readonly #onChange: () => void;
  readonly #options: WatchOptions;
  #files: readonly string[] = [];
  readonly #folders: Map<string, FSWatcher> = new Map();
  /** State of each file when its last change was told, or when it was first seen. */
  #told: ReadonlyMap<string, string> = new Map();
  #previous = '';
  #looks = 0;
  #timer: TimerHandle | null = null;
  #dueMs = Number.POSITIVE_INFINITY;
  #looking: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(onChange: () => void, options: WatchOptions) {
    this.#onChange = onChange;
    this.#options = options;
  }

  /**
   * Watches these files instead of those before; resolves when their present state is known. A file
   * that was watched before keeps the state last told, so that one that changes while it is being
   * loaded is told again.
   */
  async watch(files: readonly string[]): Promise<void> {
    if (this.#isClosed) return;
    this.#closeFolders();
    this.#files = files;
    this.#told = new Map([...this.#told].filter(([file]) => files.includes(file)));
    await this.#look();
  }

  /** Stops; resolves when nothing more will be called. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#closeFolders();
    this.#stopTimer();
    await this.#looking;
  }

  /** Folders that are not there yet, or whose watch has ended, are tried at every look. */
  #openFolders(): void {
    for (const folder of new Set(this.#files.map((file) => dirname(file)))) {
      if (!this.#folders.has(folder)) this.#openFolder(folder);
    }
  }

  #openFolder(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => {
        this.#lookWithin(this.#options.settleMs);
      });
      watcher.on('error', () => {
        watcher.close();
        this.#folders.delete(folder);
      });
      this.#folders.set(folder, watcher);
    } catch {
      // No such folder, or no watches left: polling still notices changes.
    }
  }

  #closeFolders(): void {
    for (const watcher of this.#folders.values()) watcher.close();
    this.#folders.clear();
  }

  #lookWithin(delayMs: number): void {
    const { clock, onFailure } = this.#options;
    const dueMs = clock.now() + delayMs;
    if (this.#isClosed || dueMs >= this.#dueMs) return;
    this.#stopTimer();
    this.#dueMs = dueMs;
    this.#timer = clock.setTimer(delayMs, () => {
      this.#dueMs = Number.POSITIVE_INFINITY;
      this.#timer = null;
      spawn('look at watched files', this.#look(), onFailure);
    });
  }

  #stopTimer(): void {
    if (this.#timer !== null) this.#options.clock.clearTimer(this.#timer);
    this.#timer = null;
    this.#dueMs = Number.POSITIVE_INFINITY;
  }

  #look(): Promise<void> {
    this.#looking = this.#looking.then(async () => {
      const files = this.#files;
      if (!this.#isClosed) this.#openFolders();
      const states = await Promise.all(files.map(stateOf));
      if (this.#isClosed || files !== this.#files) return;
      this.#compare(new Map(files.map((file, index) => [file, states[index] ?? ''])));
    });
    return this.#looking;
  }

  #compare(seen: ReadonlyMap<string, string>): void {
    const { settleMs, pollMs } = this.#options;
    const hasChanged = [...seen].some(([file, state]) => (this.#told.get(file) ?? state) !== state);
    const now = [...seen.values()].join('\n');
    const isAtRest = now === this.#previous || this.#looks >= MOST_LOOKS;
    this.#previous = now;
    if (hasChanged && !isAtRest) {
      this.#looks += 1;
      this.#lookWithin(settleMs);
      return;
    }
    this.#looks = 0;
    this.#told = seen;
    this.#lookWithin(pollMs);
    if (hasChanged) this.#onChange();
  }
}

/** Identifies the content that a path leads to, without reading it. */
async function stateOf(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
  } catch (cause) {
    return cause instanceof Error && 'code' in cause ? String(cause.code) : 'unreadable';
  }
}
