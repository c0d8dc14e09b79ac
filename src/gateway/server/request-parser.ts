import type { ClientLimits } from '../options.ts';
import {
  findHeadEnd,
  findKeptHeadEnd,
  HEAD_END_BYTES,
  HEAD_IS_FORBIDDEN,
} from '../wire/head-end.ts';
import { KeptBytes } from '../wire/kept-bytes.ts';
import { MessageBody } from '../wire/message-body.ts';
import type { RequestHead, RequestProblem } from './request-head.ts';
import { parseRequestHead } from './request-head.ts';
import { isRequestStart } from './request-line.ts';

/** Hears what requests hold, in order. */
export interface RequestListener {
  onHead(head: RequestHead): void;
  /**
   * Body bytes, their transfer coding removed; the listener owns the buffer. At most once per read
   * and request.
   */
  onBody(chunk: Buffer): void;
  /** The request is complete. */
  onComplete(): void;
}

const CR = 0x0d;
const LF = 0x0a;
const LINE_END_BYTES = '\r\n'.length;

/** What a request line has besides its target: method, blanks, version, line end. */
const LINE_OVERHEAD_BYTES = 'OPTIONS  HTTP/1.1\r\n'.length;

/** Bytes of a broken request that are looked at to find its path. */
const PEEK_BYTES = 64;

/**
 * Reads HTTP/1.1 requests, one after another, from bytes that come in any pieces. Bodies are parts
 * of what was read, which must not be read into again.
 *
 *     ┌─► head ──► body ──┐      hold() waits between two requests,
 *     └───────────────────┘      stop() and a problem end it all
 *
 * Hot: `npm run bench -- proxy`.
 */
export class RequestParser {
  readonly #listener: RequestListener;
  readonly #limits: ClientLimits;
  readonly #body: MessageBody = new MessageBody('reads-are-kept');
  #isInBody = false;
  #isHeld = false;
  #isOver = false;
  #problem: RequestProblem | null = null;
  /** The beginning of the request with the problem. */
  #peek = '';
  /** The first bytes of a head that was cut by the end of a read. */
  #kept: KeptBytes | null = null;
  /** A CR before a request, the LF of which has not come. */
  #isAfterCr = false;

  constructor(listener: RequestListener, limits: ClientLimits) {
    this.#listener = listener;
    this.#limits = limits;
  }

  /** What is wrong with what was read; null while nothing is. */
  get problem(): RequestProblem | null {
    return this.#problem;
  }

  /** The first bytes of the head in which the problem is, or of the one that is cut. */
  get peek(): string {
    if (this.#kept === null) return this.#peek;
    return this.#kept.bytes.toString('latin1', 0, PEEK_BYTES);
  }

  /** Whether a head has begun and is not complete. */
  get isInHead(): boolean {
    return this.#kept !== null;
  }

  /** Whether a request has begun and is not complete. */
  get isInside(): boolean {
    return this.#isInBody || this.#kept !== null;
  }

  /** Whether nothing is read at present. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** Reads no further request until `release`, not even out of the bytes of this read. */
  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
  }

  /** Reads nothing more, not even the rest of a read under way. */
  stop(): void {
    this.#isOver = true;
    this.#kept = null;
  }

  /** Takes the bytes of one read; returns how many of them: all, unless it is held. */
  push(bytes: Buffer): number {
    let at = 0;
    while (at < bytes.length && !this.#isHeld && !this.#isOver) {
      at = this.#isInBody ? this.#readBody(bytes, at) : this.#readHead(bytes, at);
    }
    return this.#isOver ? bytes.length : at;
  }

  #readBody(bytes: Buffer, at: number): number {
    const body = this.#body;
    const end = body.read(bytes, at);
    const piece = body.take(bytes);
    if (piece !== null) this.#listener.onBody(piece);
    if (this.#isOver) return end;
    if (body.problem !== null) this.#failBody(body.problem);
    else if (body.isComplete) this.#complete();
    return end;
  }

  #complete(): void {
    this.#isInBody = false;
    this.#listener.onComplete();
  }

  #readHead(bytes: Buffer, at: number): number {
    if (this.#kept !== null) return this.#readCutHead(this.#kept, bytes, at);
    const start = this.#skipEmptyLines(bytes, at);
    if (start >= bytes.length || this.#isOver) return bytes.length;
    const end = findHeadEnd(bytes, start);
    if (end >= 0) {
      this.#takeHead(bytes, start, end);
      return end + HEAD_END_BYTES;
    }
    this.#kept = new KeptBytes(this.#headBytesMax);
    this.#kept.add(bytes, start, bytes.length);
    this.#checkCutHead(this.#kept, end);
    return bytes.length;
  }

  /** RFC 9112 section 2.2 asks to ignore empty lines before a request. */
  #skipEmptyLines(bytes: Buffer, at: number): number {
    let next = at;
    while (next < bytes.length) {
      const byte = bytes[next];
      if (byte !== (this.#isAfterCr ? LF : CR)) break;
      this.#isAfterCr = !this.#isAfterCr;
      next += 1;
    }
    if (this.#isAfterCr && next < bytes.length) this.#failAt(bytes, next, 'a line end is cut');
    return next;
  }

  #readCutHead(kept: KeptBytes, bytes: Buffer, at: number): number {
    const before = kept.length;
    const end = findKeptHeadEnd(kept, bytes, at);
    if (end < 0) {
      this.#checkCutHead(kept, end);
      return bytes.length;
    }
    this.#kept = null;
    this.#takeHead(kept.bytes, 0, end);
    return at + end + HEAD_END_BYTES - before;
  }

  /** Fails at once when no more bytes can make this a head that is taken. */
  #checkCutHead(kept: KeptBytes, end: number): void {
    if (!isRequestStart(kept.bytes.toString('latin1', 0, PEEK_BYTES))) {
      this.#failAt(kept.bytes, 0, 'no method that is known');
    } else if (end === HEAD_IS_FORBIDDEN) {
      this.#failAt(kept.bytes, 0, 'a control character or half a line end');
    } else if (kept.isTooLong) {
      this.#failTooLong(kept.bytes, 0, kept.length);
    }
  }

  #takeHead(bytes: Buffer, start: number, end: number): void {
    if (end + HEAD_END_BYTES - start > this.#headBytesMax) {
      this.#failTooLong(bytes, start, end);
      return;
    }
    const head = parseRequestHead(bytes.toString('latin1', start, end + LINE_END_BYTES));
    if ('code' in head) {
      this.#fail(bytes, start, head);
      return;
    }
    if (head.text.length - head.line.target.length > this.#limits.headerBytes) {
      this.#failTooLong(bytes, start, end);
      return;
    }
    this.#body.begin(head.framing, head.contentLength ?? 0);
    this.#isInBody = true;
    this.#listener.onHead(head);
    if (!this.#isOver && this.#body.isComplete) this.#complete();
  }

  get #headBytesMax(): number {
    return this.#limits.headerBytes + this.#limits.urlBytes;
  }

  #failTooLong(bytes: Buffer, start: number, end: number): void {
    const { urlBytes, headerBytes } = this.#limits;
    const lineMax = urlBytes + LINE_OVERHEAD_BYTES;
    const lineEnd = bytes.subarray(start, Math.min(end, start + lineMax)).indexOf(LF);
    this.#fail(
      bytes,
      start,
      lineEnd < 0
        ? { code: 'url_too_long', message: `The URL is longer than ${urlBytes} bytes.` }
        : {
            code: 'header_too_large',
            message: `The headers are longer than ${headerBytes} bytes.`,
          },
    );
  }

  #failAt(bytes: Buffer, start: number, what: string): void {
    const message = `The request is not valid HTTP/1.1 (${what}).`;
    this.#fail(bytes, start, { code: 'invalid_http', message });
  }

  #failBody(what: string): void {
    this.#isOver = true;
    this.#problem = {
      code: 'invalid_http',
      message: `The request body is not valid HTTP/1.1 (${what}).`,
    };
  }

  #fail(bytes: Buffer, start: number, problem: RequestProblem): void {
    this.#peek = bytes.toString('latin1', start, start + PEEK_BYTES);
    this.#problem = problem;
    this.stop();
  }
}
