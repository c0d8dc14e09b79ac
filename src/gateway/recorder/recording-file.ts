import { constants, type Stats } from 'node:fs';
import { type FileHandle, open, rename, stat } from 'node:fs/promises';
import { parse } from 'node:path';
import { fail, type Result, succeed } from '../../core/result.ts';
import { encodeRecordingHeader } from '../../protocol/recording/encode.ts';
import { decodeRecordingHeader } from '../../protocol/recording/decode.ts';
import type { RecordingHeader } from '../../protocol/recording/types.ts';
import { codeOf, reasonOf } from './file-reason.ts';
import type { LineSink } from './recorder.ts';

/** Where a recording goes, and how much of it is kept. */
export interface RecordingFileOptions {
  readonly path: string;
  /** Size from which another file is begun. */
  readonly maxBytes: number;
  /** Files kept, the one being written included; at least 1. */
  readonly files: number;
  /** What the header of every file says beside its number. */
  readonly header: Omit<RecordingHeader, 'part'>;
}

/** Prompts' sizes and shapes are nobody else's business. */
const MODE = 0o600;
const FLAGS: number = constants.O_RDWR | constants.O_CREAT | constants.O_APPEND;

/** A header is shorter than this. */
const HEAD_BYTES = 4096;
const HEAD_START = '{"penstockRecording"';
const NEWLINE = 10;

/**
 * The file of a recording. Lines are appended whole; when it is full it is moved aside:
 * `trace.jsonl` becomes `trace.1.jsonl`, that `trace.2.jsonl`, and the last one is overwritten.
 * Calls must not overlap.
 */
export class RecordingFile implements LineSink {
  readonly #options: RecordingFileOptions;
  #handle: FileHandle;
  /** Bytes in the file, all of them whole lines once `append` has resolved. */
  #size: number;
  #part = 0;
  /** No line of a request is in the file. */
  #isEmpty = true;
  /** The file's header could not be written yet. */
  #lacksHeader = true;

  private constructor(options: RecordingFileOptions, handle: FileHandle, size: number) {
    this.#options = options;
    this.#handle = handle;
    this.#size = size;
  }

  /**
   * Opens or creates the file and writes a header. One that exists is appended to, if it is a
   * recording. The failure says what is wrong, without the path.
   */
  static async open(options: RecordingFileOptions): Promise<Result<RecordingFile, string>> {
    let handle: FileHandle | null = null;
    try {
      handle = await open(options.path, FLAGS, MODE);
      const found = await inspect(handle);
      if (!found.ok) {
        await handle.close();
        return found;
      }
      const { size, isTorn } = found.value;
      const file = new RecordingFile(options, handle, size);
      if (size >= options.maxBytes) await file.#rotate();
      else await file.#begin(isTorn ? '\n' : '');
      return succeed(file);
    } catch (cause) {
      await handle?.close();
      return fail(reasonOf(cause));
    }
  }

  get path(): string {
    return this.#options.path;
  }

  /**
   * Appends whole lines. Rejects when they could not be written; then none of them is in the file.
   */
  async append(lines: Uint8Array): Promise<void> {
    if (!this.#isEmpty && this.#size + lines.length > this.#options.maxBytes) await this.#rotate();
    if (this.#lacksHeader) await this.#begin('');
    await this.#write(lines);
    this.#isEmpty = false;
  }

  /**
   * Looks whether the path still leads to the file. If somebody has moved or deleted it, another
   * is begun; if somebody has written to it, false: two recordings in one file cannot be told
   * apart.
   */
  async verify(): Promise<boolean> {
    const [here, there] = await Promise.all([this.#handle.stat(), statOrNull(this.path)]);
    if (there === null || there.ino !== here.ino || there.dev !== here.dev) {
      await this.#replace();
      return true;
    }
    if (here.size > this.#size) return false;
    if (here.size < this.#size) {
      this.#size = here.size;
      this.#lacksHeader = true;
      await this.#begin('');
    }
    return true;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  async #rotate(): Promise<void> {
    const { path, files } = this.#options;
    for (let number = files - 1; number >= 1; number -= 1) {
      await renameIfThere(pathOfNumber(path, number - 1), pathOfNumber(path, number));
    }
    if (files === 1) await this.#handle.truncate(0);
    await this.#replace();
  }

  /** Goes on in the file that is at the path now, or in a new one. */
  async #replace(): Promise<void> {
    const handle = await open(this.path, FLAGS, MODE);
    const { size } = await handle.stat();
    const old = this.#handle;
    this.#handle = handle;
    this.#size = size;
    this.#lacksHeader = true;
    await old.close();
    await this.#begin('');
  }

  async #begin(before: string): Promise<void> {
    const header = { ...this.#options.header, part: this.#part + 1 };
    await this.#write(Buffer.from(`${before}${encodeRecordingHeader(header)}\n`));
    this.#part += 1;
    this.#lacksHeader = false;
    this.#isEmpty = this.#size <= HEAD_BYTES;
  }

  /** All or nothing: what a full disk took of the last line is cut off again. */
  async #write(bytes: Uint8Array): Promise<void> {
    let written = 0;
    try {
      while (written < bytes.length) {
        written += (await this.#handle.write(bytes, written, bytes.length - written)).bytesWritten;
      }
      this.#size += written;
    } catch (cause) {
      await this.#handle.truncate(this.#size).catch(() => {});
      throw cause;
    }
  }
}

/** `trace.jsonl` and 2: `trace.2.jsonl`; 0: the path itself. */
export function pathOfNumber(path: string, number: number): string {
  if (number === 0) return path;
  const { ext } = parse(path);
  return `${path.slice(0, path.length - ext.length)}.${number}${ext}`;
}

/** Whether a file can be appended to, and whether its last line was cut. */
async function inspect(
  handle: FileHandle,
): Promise<Result<{ readonly size: number; readonly isTorn: boolean }, string>> {
  const stats = await handle.stat();
  if (!stats.isFile()) return fail('it is not a regular file; choose another path');
  const { size } = stats;
  if (size === 0) return succeed({ size, isTorn: false });
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
  const head = buffer.toString('utf8', 0, bytesRead);
  const end = head.indexOf('\n');
  const isCut = end < 0 && bytesRead === size && head.startsWith(HEAD_START);
  if (!isCut && !decodeRecordingHeader(head.slice(0, Math.max(end, 0))).ok) {
    return fail('it exists and is not a recording; choose another path, or move it away');
  }
  const last = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  return succeed({ size, isTorn: last.buffer[0] !== NEWLINE });
}

async function statOrNull(path: string): Promise<Stats | null> {
  return stat(path).catch(() => null);
}

async function renameIfThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (cause) {
    if (codeOf(cause) !== 'ENOENT') throw cause;
  }
}
