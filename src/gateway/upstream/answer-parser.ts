import type { AnswerHead } from './answer-head.ts';
import { parseAnswerHead } from './answer-head.ts';

/** Hears what an answer holds, in order. */
export interface AnswerListener {
  /** A final head; informational ones (1xx) are passed over. */
  onHead(head: AnswerHead): void;
  /** A piece of the body, its transfer coding removed; the listener owns the buffer. */
  onBody(chunk: Buffer): void;
  /** The answer is complete. */
  onComplete(): void;
}

const HEAD_BYTES_MAX = 64 * 1024;
/** Chunk sizes with extensions, and trailer sections, of real servers are far shorter. */
const LINE_BYTES_MAX = 4096;

const CR = 0x0d;
const LF = 0x0a;
const HEAD_END = Buffer.from('\r\n\r\n');
const HEAD_START = 'HTTP/1.';

type State =
  | 'head'
  | 'length'
  | 'until-close'
  | 'chunk-size'
  | 'chunk-data'
  | 'chunk-end'
  | 'trailer'
  | 'complete'
  | 'failed';

/**
 * Reads one HTTP/1.1 answer from bytes that come in any pieces. It keeps no reference to them: the
 * caller may read into the same memory again.
 *
 *     head ─┬─ none ─────────────────────────────────────────► complete
 *           ├─ length ── bytes left = 0 ─────────────────────►
 *           ├─ until-close ── finish() ──────────────────────►
 *           └─ chunk-size ─► chunk-data ─► chunk-end ─┐
 *                  ▲   └─ size 0 ─► trailer ──────────┼───────►
 *                  └──────────────────────────────────┘
 *
 * Hot: `npm run bench -- stream`.
 */
export class AnswerParser {
  readonly #listener: AnswerListener;
  #state: State = 'head';
  #problem: string | null = null;
  /** A head, chunk size or trailer line that was cut by the end of a read. */
  #kept: Buffer | null = null;
  #remainingBytes = 0;
  #hasBytes = false;
  #isStopped = false;

  constructor(listener: AnswerListener) {
    this.#listener = listener;
  }

  /** What was wrong with the answer; null while nothing is. */
  get problem(): string | null {
    return this.#problem;
  }

  /** Whether any byte of the answer has come. */
  get hasBytes(): boolean {
    return this.#hasBytes;
  }

  get isComplete(): boolean {
    return this.#state === 'complete';
  }

  /** Stops in the middle of a read: nobody listens any more. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Takes the bytes of one read; those after the end of the answer make it fail. */
  push(bytes: Buffer): void {
    if (bytes.length > 0) this.#hasBytes = true;
    let offset = 0;
    while (offset < bytes.length && !this.#isStopped) {
      const state = this.#state;
      if (state === 'complete') this.#fail('bytes after the end of the answer');
      if (this.#state === 'failed') return;
      offset = this.#step(bytes, offset);
    }
  }

  /** The connection has ended: fine after a body that lasts until then, else a cut answer. */
  finish(): void {
    if (this.#state === 'until-close') this.#complete();
    else if (this.#state !== 'complete') this.#fail('the connection ended inside the answer');
  }

  /** Consumes what it can at `offset` and returns the next offset. */
  #step(bytes: Buffer, offset: number): number {
    switch (this.#state) {
      case 'head':
        return this.#readHead(bytes, offset);
      case 'length':
      case 'chunk-data':
        return this.#readSized(bytes, offset);
      case 'until-close':
        this.#listener.onBody(Buffer.from(bytes.subarray(offset)));
        return bytes.length;
      case 'chunk-size':
        return this.#readChunkSize(bytes, offset);
      case 'chunk-end':
        return this.#readLine(bytes, offset, (line) => {
          if (line !== '') return this.#fail('a chunk is longer than its size says');
          this.#state = 'chunk-size';
        });
      case 'trailer':
        return this.#readLine(bytes, offset, (line) => {
          if (line === '') this.#complete();
        });
      case 'complete':
      case 'failed':
        return bytes.length;
    }
  }

  #readHead(bytes: Buffer, offset: number): number {
    const fresh = offset === 0 ? bytes : bytes.subarray(offset);
    const before = this.#kept === null ? 0 : this.#kept.length;
    const all = this.#kept === null ? fresh : Buffer.concat([this.#kept, fresh]);
    const end = all.indexOf(HEAD_END, Math.max(0, before - 3));
    if (end < 0) {
      if (all.length > HEAD_BYTES_MAX) this.#fail('the head is too large');
      // Another protocol may greet and then wait for us: its end of a head would never come.
      if (!HEAD_START.startsWith(all.toString('latin1', 0, HEAD_START.length))) {
        this.#fail('the status line is not HTTP/1.1');
      }
      this.#kept = this.#kept === null ? Buffer.from(fresh) : all;
      return bytes.length;
    }
    this.#kept = null;
    this.#takeHead(all.toString('latin1', 0, end));
    return offset + end + HEAD_END.length - before;
  }

  #takeHead(text: string): void {
    const head = parseAnswerHead(text);
    if (typeof head === 'string') {
      this.#fail(head);
      return;
    }
    if (head.status === 101) {
      this.#fail('a switch of protocols that nobody asked for');
      return;
    }
    if (head.status < 200) return;
    this.#remainingBytes = head.contentLength;
    this.#state = head.framing === 'chunked' ? 'chunk-size' : 'length';
    if (head.framing === 'until-close') this.#state = 'until-close';
    this.#listener.onHead(head);
    const isEmpty =
      head.framing === 'none' || (head.framing === 'length' && head.contentLength === 0);
    if (isEmpty && !this.#isStopped) this.#complete();
  }

  #readSized(bytes: Buffer, offset: number): number {
    const end = Math.min(bytes.length, offset + this.#remainingBytes);
    this.#remainingBytes -= end - offset;
    const isDone = this.#remainingBytes === 0;
    if (isDone && this.#state === 'chunk-data') this.#state = 'chunk-end';
    this.#listener.onBody(Buffer.from(bytes.subarray(offset, end)));
    if (isDone && this.#state === 'length' && !this.#isStopped) this.#complete();
    return this.#state === 'chunk-end' ? this.#skipChunkEnd(bytes, end) : end;
  }

  /** The line end after a chunk is nearly always in the same read: no line needs to be built. */
  #skipChunkEnd(bytes: Buffer, offset: number): number {
    if (bytes[offset] !== CR || bytes[offset + 1] !== LF) return offset;
    this.#state = 'chunk-size';
    return offset + 2;
  }

  #readChunkSize(bytes: Buffer, offset: number): number {
    if (this.#kept === null) {
      // The usual size line: a few hex digits and a line end, all in this read.
      let size = 0;
      let at = offset;
      for (; at < bytes.length && at < offset + 8; at += 1) {
        const digit = hexValue(bytes[at] as number);
        if (digit < 0) break;
        size = size * 16 + digit;
      }
      if (at > offset && bytes[at] === CR && bytes[at + 1] === LF) {
        this.#beginChunk(size);
        return at + 2;
      }
    }
    return this.#readLine(bytes, offset, (line) => {
      const match = /^([0-9a-fA-F]{1,12})[ \t]*(?:;.*)?$/.exec(line);
      if (match === null) return this.#fail('a chunk size is not a number');
      this.#beginChunk(Number.parseInt(match[1] ?? '', 16));
    });
  }

  #beginChunk(size: number): void {
    this.#remainingBytes = size;
    this.#state = size === 0 ? 'trailer' : 'chunk-data';
  }

  /** Gives a whole line to `take`, without its CRLF, or keeps the part that is here. */
  #readLine(bytes: Buffer, offset: number, take: (line: string) => void): number {
    const end = bytes.indexOf(LF, offset);
    const piece = bytes.subarray(offset, end < 0 ? bytes.length : end + 1);
    const line = this.#kept === null ? piece : Buffer.concat([this.#kept, piece]);
    if (line.length > LINE_BYTES_MAX) {
      this.#fail('a line of the chunked coding is too long');
      return bytes.length;
    }
    if (end < 0) {
      this.#kept = Buffer.from(line);
      return bytes.length;
    }
    this.#kept = null;
    if (line.at(-2) === CR) take(line.toString('latin1', 0, line.length - 2));
    else this.#fail('a line of the chunked coding does not end in CRLF');
    return end + 1;
  }

  #complete(): void {
    this.#state = 'complete';
    this.#listener.onComplete();
  }

  #fail(problem: string): void {
    this.#state = 'failed';
    this.#problem ??= problem;
  }
}

function hexValue(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
