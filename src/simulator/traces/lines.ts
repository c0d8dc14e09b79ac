import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { TraceError } from './errors.ts';
import type { ReadTraceHooks } from './types.ts';

/** One line of a file, without its line end. */
export interface FileLine {
  readonly text: string;
  /** From 1. */
  readonly number: number;
  /** Whether a line end followed: the last line of a file that was cut has none. */
  readonly isEnded: boolean;
}

/** Longest line that is read, in characters: 50 times the longest of the known formats. */
const LONGEST_LINE = 4 * 2 ** 20;
const PROGRESS_BYTES = 2 ** 20;

/** Receives lines; `false` ends the reading. */
export type LineConsumer = (line: FileLine) => boolean;

/**
 * Gives every line that is not blank to `onLine`, with one wait for each 64 KiB. `countRequests`
 * is for the progress. Rejects with `trace_unreadable` when the file system does.
 */
export async function readLines(
  path: string,
  onLine: LineConsumer,
  hooks: ReadTraceHooks & { readonly countRequests: () => number },
): Promise<void> {
  const { size } = await statFile(path);
  const progress = new ProgressMeter(size, hooks);
  const splitter = new LineSplitter(path, onLine);
  const stream = createReadStream(path, { encoding: 'utf8' });
  try {
    for await (const chunk of stream) {
      hooks.signal?.throwIfAborted();
      if (!splitter.add(chunk as string)) return;
      progress.note(stream.bytesRead);
    }
    splitter.end();
    progress.finish();
  } catch (cause) {
    throw asTraceError(cause, path);
  } finally {
    stream.destroy();
  }
}

/** The file's size; rejects with `trace_unreadable` when there is none. */
export async function statFile(path: string): Promise<{ readonly size: number }> {
  try {
    const found = await stat(path);
    if (found.isFile()) return { size: found.size };
  } catch (cause) {
    throw asTraceError(cause, path);
  }
  throw new TraceError('trace_unreadable', 'is not a file', { path, line: null });
}

/** System errors become `trace_unreadable`; others stay what they are. */
export function asTraceError(cause: unknown, path: string): unknown {
  const isSystemError = cause instanceof Error && 'syscall' in cause;
  if (!isSystemError) return cause;
  const place = { path, line: null, cause };
  return new TraceError('trace_unreadable', `cannot be read: ${cause.message}`, place);
}

/** Tells of progress about every megabyte. */
export class ProgressMeter {
  readonly #bytes: number;
  readonly #hooks: ReadTraceHooks & { readonly countRequests: () => number };
  #toldBytes = 0;

  constructor(bytes: number, hooks: ReadTraceHooks & { readonly countRequests: () => number }) {
    this.#bytes = bytes;
    this.#hooks = hooks;
  }

  note(bytesRead: number): void {
    if (bytesRead - this.#toldBytes >= PROGRESS_BYTES) this.#tell(bytesRead);
  }

  finish(): void {
    this.#tell(this.#bytes);
  }

  #tell(bytesRead: number): void {
    this.#toldBytes = bytesRead;
    const requests = this.#hooks.countRequests();
    this.#hooks.onProgress?.({ bytesRead, bytes: this.#bytes, requests });
  }
}

class LineSplitter {
  readonly #path: string;
  readonly #onLine: LineConsumer;
  #rest = '';
  #number = 0;

  constructor(path: string, onLine: LineConsumer) {
    this.#path = path;
    this.#onLine = onLine;
  }

  /** Whether more is wanted. */
  add(chunk: string): boolean {
    const text = this.#rest + chunk;
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      if (!this.#give(text.slice(start, end), true)) return false;
      start = end + 1;
    }
    this.#rest = text.slice(start);
    if (this.#rest.length <= LONGEST_LINE) return true;
    const place = { path: this.#path, line: this.#number + 1 };
    const message = `the line is longer than ${LONGEST_LINE} characters`;
    throw new TraceError('trace_line_invalid', message, place);
  }

  end(): void {
    if (this.#rest !== '') this.#give(this.#rest, false);
  }

  #give(raw: string, isEnded: boolean): boolean {
    this.#number += 1;
    const text = this.#number === 1 && raw.startsWith('\uFEFF') ? raw.slice(1) : raw;
    if (text.trim() === '') return true;
    return this.#onLine({ text, number: this.#number, isEnded });
  }
}
