import type { Socket } from 'node:net';
import type { Endpoint } from '../../pool/endpoint.ts';
import type { RequestBody } from './request-body.ts';
import type { UpstreamTimeouts } from '../options.ts';
import type { AnswerHead } from './answer-head.ts';
import type { AnswerListener } from './answer-parser.ts';
import { AnswerParser } from './answer-parser.ts';
import type { SocketListener } from './endpoint-socket.ts';
import { openEndpointSocket } from './endpoint-socket.ts';
import type { UpstreamFailure } from './upstream-failure.ts';

/** One request to send. */
export interface UpstreamRequest {
  readonly method: string;
  /** Path and query as the endpoint shall see them. */
  readonly path: string;
  /** Names and values, alternating; all of them, `host` and framing included. */
  readonly headers: readonly string[];
  readonly body: RequestBody;
  /** Whether the body goes in chunks, its length not being known. */
  readonly isChunked: boolean;
}

/** Hears what becomes of a request. */
export interface AnswerHandler {
  onHead(head: AnswerHead): void;
  /** Returns false to pause the answer until `resume`. */
  onData(chunk: Buffer): boolean;
  /** The answer is complete. Nothing follows. */
  onEnd(): void;
  /** The answer will not be completed. Nothing follows. */
  onFailure(failure: UpstreamFailure): void;
}

/** Who keeps a connection between requests. */
export interface ConnectionOwner {
  /** The time as of the last sweep, in milliseconds: exact enough for time-outs, and free. */
  readonly nowMs: number;
  readonly timeouts: UpstreamTimeouts;
  onIdle(connection: Connection): void;
  onClosed(connection: Connection): void;
}

/** Up to here head and body leave as one string in one system call. */
const TEXT_BYTES_MAX = 16 * 1024;

const LAST_CHUNK = '0\r\n\r\n';

/**
 * A reused connection that closes this soon after a request was written is taken for one that the
 * endpoint had closed before; one that closes later has been working on the request. Longer than the
 * round trip to any endpoint worth routing to.
 */
const STALE_WITHIN_MS = 200;

type Phase = 'connecting' | 'idle' | 'sending' | 'answering' | 'closed';

/**
 * A connection to an endpoint, for one request at a time.
 *
 *     connecting ─► sending ──head──► answering ──complete──► idle ─┐
 *         │            ▲  │               │                         │
 *         │            └──┼───────────────┼─────── send() ──────────┘
 *         └───────────────┴─ error, abort, time-out ─► closed
 */
export class Connection implements SocketListener, AnswerListener {
  readonly endpoint: Endpoint;
  readonly #owner: ConnectionOwner;
  readonly #socket: Socket;
  #phase: Phase = 'connecting';
  #request: UpstreamRequest | null = null;
  #handler: AnswerHandler | null = null;
  #parser: AnswerParser | null = null;
  #head: AnswerHead | null = null;
  #answerCount = 0;
  #isBodySent = false;
  #isPaused = false;
  /** When the present wait becomes too long; infinite for none. */
  #deadlineMs = Number.POSITIVE_INFINITY;
  #idleSinceMs = 0;
  #sentAtMs = 0;

  constructor(endpoint: Endpoint, owner: ConnectionOwner) {
    this.endpoint = endpoint;
    this.#owner = owner;
    this.#setDeadline(owner.timeouts.connectMs);
    this.#socket = openEndpointSocket(endpoint, this);
  }

  /** Sends a request; the connection must be new or idle. */
  send(request: UpstreamRequest, handler: AnswerHandler): void {
    this.#request = request;
    this.#handler = handler;
    this.#parser = new AnswerParser(this);
    this.#isBodySent = false;
    if (this.#phase === 'idle') this.#write(request);
  }

  /** Gives the request up and closes the connection, which tells the endpoint to stop. */
  abort(): void {
    this.#handler = null;
    this.#close();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#setDeadline(this.#owner.timeouts.idleMs);
    this.#socket.resume();
  }

  /** Ends whatever has waited too long at `nowMs`. */
  checkDeadline(nowMs: number): void {
    if (nowMs < this.#deadlineMs) return;
    if (this.#phase === 'connecting') this.#fail('connect', 'no connection in time', null);
    else this.#fail('timeout', 'no bytes of the answer in time', null);
  }

  /** Whether an idle connection has been idle for long enough to close it. */
  isStaleAt(nowMs: number, keepAliveMs: number): boolean {
    const seconds = this.#head === null ? null : this.#head.keepAliveSeconds;
    // A server closes at its own limit; to write just then would lose the request.
    const limitMs = seconds === null ? keepAliveMs : Math.max(0, seconds * 1000 - 1000);
    return nowMs - this.#idleSinceMs >= limitMs;
  }

  onOpen(): void {
    const request = this.#request;
    if (this.#phase !== 'connecting' || request === null) return;
    this.#write(request);
  }

  onBytes(bytes: Buffer): void {
    const parser = this.#parser;
    if (parser === null) {
      // Bytes that nobody asked for: the connection cannot be trusted with another request.
      this.#close();
      return;
    }
    parser.push(bytes);
    if (this.#parser !== parser || this.#phase === 'closed') return;
    const { problem } = parser;
    if (problem !== null) this.#fail('invalid', problem, null);
    else this.#setDeadline(this.#isPaused ? null : this.#owner.timeouts.idleMs);
  }

  onEnd(): void {
    const parser = this.#parser;
    if (this.#phase === 'idle') this.#close();
    // Without a byte of an answer the close that follows tells what happened.
    if (parser === null || !parser.hasBytes || this.#phase === 'closed') return;
    parser.finish();
    if (parser.problem !== null) this.#fail('reset', parser.problem, null);
  }

  onDrain(): void {
    this.#request?.body.flow();
  }

  onClose(error: Error | null): void {
    if (this.#phase === 'closed') return;
    const wasConnecting = this.#phase === 'connecting';
    const hasAnswer = this.#parser !== null && this.#parser.hasBytes;
    const message = error === null ? 'the connection was closed' : error.message;
    if (wasConnecting) this.#fail('connect', message, error);
    else if (!hasAnswer && this.#mayBeStale()) this.#fail('stale', message, error);
    else this.#fail('reset', message, error);
  }

  onHead(head: AnswerHead): void {
    this.#phase = 'answering';
    this.#head = head;
    this.#handler?.onHead(head);
  }

  onBody(chunk: Buffer): void {
    const { length } = chunk;
    if (length === 0 || this.#handler === null || this.#handler.onData(chunk)) return;
    this.#isPaused = true;
    this.#socket.pause();
  }

  onComplete(): void {
    const handler = this.#handler;
    const isReusable = this.#head !== null && this.#head.isPersistent && this.#isBodySent;
    this.#answerCount += 1;
    this.#handler = null;
    this.#parser = null;
    this.#request = null;
    if (this.#phase === 'closed') return;
    if (isReusable) this.#becomeIdle();
    else this.#close();
    handler?.onEnd();
  }

  #mayBeStale(): boolean {
    return this.#answerCount > 0 && this.#owner.nowMs - this.#sentAtMs <= STALE_WITHIN_MS;
  }

  #becomeIdle(): void {
    this.#phase = 'idle';
    this.#idleSinceMs = this.#owner.nowMs;
    this.#deadlineMs = Number.POSITIVE_INFINITY;
    if (this.#isPaused) {
      this.#isPaused = false;
      this.#socket.resume();
    }
    this.#owner.onIdle(this);
  }

  #write(request: UpstreamRequest): void {
    this.#phase = 'sending';
    this.#sentAtMs = this.#owner.nowMs;
    this.#setDeadline(this.#owner.timeouts.firstByteMs);
    const head = encodeHead(request);
    const { body } = request;
    const whole = request.isChunked ? null : body.takeWhole();
    if (whole === null) {
      this.#socket.write(head, 'latin1');
      body.attach({
        write: (chunk) => this.#writeBody(chunk, request.isChunked),
        end: () => {
          this.#endBody(request.isChunked);
        },
      });
      return;
    }
    this.#isBodySent = true;
    if (whole.length <= TEXT_BYTES_MAX) {
      this.#socket.write(head + asBuffer(whole).toString('latin1'), 'latin1');
      return;
    }
    this.#socket.cork();
    this.#socket.write(head, 'latin1');
    this.#socket.write(whole);
    this.#socket.uncork();
  }

  #writeBody(chunk: Uint8Array, isChunked: boolean): boolean {
    const socket = this.#socket;
    if (this.#phase === 'closed' || !socket.writable) return false;
    if (!isChunked) return socket.write(chunk);
    socket.cork();
    socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1');
    socket.write(chunk);
    const hasRoom = socket.write('\r\n', 'latin1');
    socket.uncork();
    return hasRoom;
  }

  #endBody(isChunked: boolean): void {
    this.#isBodySent = true;
    if (isChunked && this.#phase !== 'closed') this.#socket.write(LAST_CHUNK, 'latin1');
  }

  #setDeadline(afterMs: number | null): void {
    this.#deadlineMs = afterMs === null ? Number.POSITIVE_INFINITY : this.#owner.nowMs + afterMs;
  }

  #fail(kind: UpstreamFailure['kind'], message: string, cause: Error | null): void {
    const handler = this.#handler;
    this.#handler = null;
    this.#close();
    handler?.onFailure({ kind, message, cause });
  }

  #close(): void {
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    this.#parser?.stop();
    this.#parser = null;
    this.#request = null;
    this.#socket.destroy();
    this.#owner.onClosed(this);
  }
}

/**
 * Line and fields of a request, with the blank line. Their parts were checked when they were read.
 */
function encodeHead({ method, path, headers }: UpstreamRequest): string {
  let head = `${method} ${path} HTTP/1.1\r\n`;
  for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
  return `${head}\r\n`;
}

/** The same bytes as a buffer, without a copy. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
