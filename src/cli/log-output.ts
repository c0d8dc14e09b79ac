import { write, writeSync } from 'node:fs';

/** Most bytes of lines waiting for a slow reader; what does not fit is dropped. */
const WAITING_BYTES_MAX = 4 * 1024 * 1024;

/** A pipe that is full is tried again after this long. */
const FULL_PIPE_MS = 20;

/** How long the end of the process waits for a reader that has stopped to read. */
const FLUSH_MS_MAX = 1000;

/**
 * Lines on their way to a standard stream, written without waiting for its reader: one write at a
 * time, and the lines that come during it make the next one. A reader that has gone away ends the
 * log and nothing else.
 *
 * pino's own destination is not used: to flush, it repeats a write that has failed, whatever the
 * reason, for ever. A gateway whose log reader had left (`penstock up | head`) could not end.
 */
export class LogOutput {
  readonly #fd: number;
  /** What has not been handed to the system yet. */
  #lines: string[] = [];
  /** Bytes of `#lines` and of the write under way. */
  #waitingBytes = 0;
  #isWriting = false;
  #isClosed = false;
  #onIdle: () => void = () => {};
  readonly #onExit: () => void = () => {
    this.#writeRest();
  };

  /**
   * `stream` is standard output or standard error of this process, and not only its number: that
   * Node has opened it as a stream is what makes a full pipe say so instead of blocking.
   */
  constructor(stream: { readonly fd: number }) {
    this.#fd = stream.fd;
    process.once('exit', this.#onExit);
  }

  /** Takes a line; never throws, never waits. */
  write(line: string): void {
    const sizeBytes = Buffer.byteLength(line);
    if (this.#isClosed || this.#waitingBytes + sizeBytes > WAITING_BYTES_MAX) return;
    this.#lines.push(line);
    this.#waitingBytes += sizeBytes;
    if (!this.#isWriting) this.#writeNext();
  }

  /**
   * Resolves when everything is written, when the reader has gone, or when it has not taken all
   * within a second; later lines are dropped. May be called twice.
   */
  async close(): Promise<void> {
    if (this.#isWriting && !this.#isClosed) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#onIdle = resolve;
      const timer = setTimeout(resolve, FLUSH_MS_MAX);
      await promise;
      clearTimeout(timer);
    }
    this.#giveUp();
  }

  #writeNext(): void {
    const bytes = Buffer.from(this.#lines.join(''));
    this.#lines = [];
    this.#isWriting = bytes.length > 0;
    if (this.#isWriting) this.#writeBytes(bytes);
    else this.#onIdle();
  }

  #writeBytes(bytes: Buffer): void {
    write(this.#fd, bytes, (error, writtenBytes) => {
      if (this.#isClosed) return;
      if (error !== null && error.code !== 'EAGAIN') {
        this.#giveUp();
        return;
      }
      this.#waitingBytes -= writtenBytes;
      const rest = bytes.subarray(writtenBytes);
      if (rest.length === 0) this.#writeNext();
      else if (error === null) this.#writeBytes(rest);
      else setTimeout(() => this.#writeBytes(rest), FULL_PIPE_MS).unref();
    });
  }

  #giveUp(): void {
    this.#isClosed = true;
    this.#lines = [];
    process.off('exit', this.#onExit);
    this.#onIdle();
  }

  /** The process ends without `close`, by a defect: what can be written at once is. */
  #writeRest(): void {
    try {
      writeSync(this.#fd, this.#lines.join(''));
    } catch {
      // Nobody reads it, and there is nobody left to tell.
    }
  }
}
