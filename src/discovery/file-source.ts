import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';

import type { Clock } from '../core/clock.ts';
import { spawn, type FailureSink } from '../core/spawn.ts';
import type { Logger } from '../telemetry/logger.ts';
import { parseEndpointList } from './endpoint-list.ts';
import { FileWatcher, WATCH_TIMES } from './file-watcher.ts';
import type { EndpointDefaults, EndpointsChanged, EndpointSource } from './sources.ts';

/** How a file of endpoints is watched. */
export interface FileSourceOptions {
  readonly path: string;
  readonly defaults: EndpointDefaults;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Bytes of a list at most. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;

/**
 * The endpoints that a YAML or JSON file lists (see `parseEndpointList`). While the file is broken
 * or missing the last good list stays, and the log says why.
 */
export function createFileSource(options: FileSourceOptions): EndpointSource {
  return new FileSource(options);
}

class FileSource implements EndpointSource {
  readonly #path: string;
  readonly #options: FileSourceOptions;
  readonly #watcher: FileWatcher;
  readonly #onFailure: FailureSink;
  #onChange: EndpointsChanged | null = null;
  #reading: Promise<unknown> = Promise.resolve();
  #isClosed = false;
  #content: string | null = null;
  #reason = '';

  constructor(options: FileSourceOptions) {
    const { clock, log } = options;
    this.#options = options;
    this.#path = resolve(options.path);
    this.#onFailure = (work, cause) => {
      log.error({ work, err: cause }, 'background work failed');
    };
    this.#watcher = new FileWatcher(
      () => {
        this.#readAgain();
      },
      { ...WATCH_TIMES, clock, onFailure: this.#onFailure },
    );
  }

  start(onChange: EndpointsChanged): void {
    this.#onChange = onChange;
    // In this order, so that a change during the first reading is seen.
    this.#reading = this.#watcher.watch([this.#path]);
    this.#readAgain();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#watcher.close();
    await this.#reading;
  }

  #readAgain(): void {
    const run = this.#reading.then(() => this.#read());
    this.#reading = run.catch(() => null);
    spawn('read endpoint file', run, this.#onFailure);
  }

  async #read(): Promise<void> {
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
