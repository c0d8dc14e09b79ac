import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

import type { Clock, TimerHandle } from '../core/clock.ts';
import { spawn } from '../core/spawn.ts';
import type { Logger } from '../telemetry/logger.ts';
import { parseEndpointList } from './endpoint-list.ts';
import type { EndpointDefaults, EndpointsChanged, EndpointSource } from './sources.ts';

/** How a file of endpoints is watched. */
export interface FileSourceOptions {
  readonly path: string;
  readonly defaults: EndpointDefaults;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The file is looked at this often, for file systems that tell of no changes. */
const POLL_MS = 2000;

/** A changed file is read when it has stayed as it is for this long. */
const SETTLE_MS = 100;

/** Bytes of a list at most. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;

/**
 * The endpoints that a YAML or JSON file lists (see `parseEndpointList`). What the path leads to is
 * compared, so that a rewrite, a rename over it and a swapped symbolic link on the way to it are
 * all seen. While the file is broken or missing the last good list stays, and the log says why.
 */
export function createFileSource(options: FileSourceOptions): EndpointSource {
  return new FileSource(options);
}

class FileSource implements EndpointSource {
  readonly #path: string;
  readonly #options: FileSourceOptions;
  #onChange: EndpointsChanged | null = null;
  #watcher: FSWatcher | null = null;
  #timer: TimerHandle | null = null;
  #check: Promise<void> | null = null;
  #isDirty = false;
  #isClosed = false;
  /** State of the file when it was last read, and at the last look. */
  #readState: string | null = null;
  #seenState: string | null = null;
  #content: string | null = null;
  #reason = '';

  constructor(options: FileSourceOptions) {
    this.#options = options;
    this.#path = resolve(options.path);
  }

  start(onChange: EndpointsChanged): void {
    this.#onChange = onChange;
    this.#look();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#watcher?.close();
    if (this.#timer !== null) this.#options.clock.clearTimer(this.#timer);
    this.#timer = null;
    await this.#check?.catch(() => undefined);
  }

  /** The folder is watched: a watch on the file would stay with the file that a rename replaces. */
  #watchFolder(): void {
    if (this.#watcher !== null) return;
    try {
      const watcher = watch(dirname(this.#path), { persistent: false }, () => {
        this.#look();
      });
      watcher.on('error', () => {
        watcher.close();
        this.#watcher = null;
      });
      this.#watcher = watcher;
    } catch {
      // No such folder yet, or no watches left: polling finds the file.
    }
  }

  #look(): void {
    if (this.#isClosed) return;
    this.#watchFolder();
    if (this.#check !== null) {
      this.#isDirty = true;
      return;
    }
    const check = this.#compare();
    this.#check = check;
    spawn('read endpoint file', check, (work, cause) => {
      this.#options.log.error({ work, err: cause }, 'background work failed');
    });
  }

  async #compare(): Promise<void> {
    try {
      const state = await this.#stateOfFile();
      const isSettled = this.#content === null || state === this.#seenState;
      this.#seenState = state;
      if (state !== this.#readState && isSettled) {
        this.#readState = state;
        await this.#read(state);
      }
    } finally {
      this.#check = null;
      const isAtRest = this.#seenState === this.#readState && !this.#isDirty;
      this.#isDirty = false;
      this.#wakeAfter(isAtRest ? POLL_MS : SETTLE_MS);
    }
  }

  #wakeAfter(delayMs: number): void {
    if (this.#isClosed) return;
    const { clock } = this.#options;
    if (this.#timer !== null) clock.clearTimer(this.#timer);
    this.#timer = clock.setTimer(delayMs, () => {
      this.#timer = null;
      this.#look();
    });
  }

  /** Device, inode, size and times of change; '' when there is no file. */
  async #stateOfFile(): Promise<string> {
    try {
      const { dev, ino, size, mtimeMs, ctimeMs } = await stat(this.#path);
      return `${dev}:${ino}:${size}:${mtimeMs}:${ctimeMs}`;
    } catch {
      return '';
    }
  }

  async #read(state: string): Promise<void> {
    if (state === '') {
      this.#complain('the file does not exist or cannot be read');
      return;
    }
    const content = await this.#readContent();
    if (content === null || this.#isClosed) return;
    if (content === this.#content && this.#reason === '') return;
    const parsed = parseEndpointList(content, this.#options.defaults);
    this.#content = content;
    if (!parsed.ok) {
      this.#complain(parsed.error);
      return;
    }
    this.#reason = '';
    const { log } = this.#options;
    log.info({ file: this.#path, endpoints: parsed.value.length }, 'endpoint file read');
    this.#onChange?.(parsed.value);
  }

  async #readContent(): Promise<string | null> {
    try {
      const bytes = await readFile(this.#path);
      if (bytes.length <= MAX_FILE_BYTES) return bytes.toString('utf8');
      this.#complain(`the file is longer than ${MAX_FILE_BYTES} bytes`);
    } catch {
      this.#complain('the file does not exist or cannot be read');
    }
    return null;
  }

  #complain(reason: string): void {
    if (reason === this.#reason || this.#isClosed) return;
    this.#reason = reason;
    const { log } = this.#options;
    log.warn({ file: this.#path, reason }, 'endpoint file is unusable; the last good list stays');
  }
}
