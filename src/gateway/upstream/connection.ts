import type { Socket } from 'node:net';
import { assert } from '../../core/assert.ts';
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
  /** All fields, `host` and framing included, each with its CRLF. */
  readonly fields: string;
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
 * endpoint had closed before; one that closes later has been working on the request. Longer than
 * the round trip to any endpoint worth routing to.
 */
const STALE_WITHIN_MS = 200;

/** How long before a server's own limit its idle connections are closed; half of shorter limits. */
const KEEP_ALIVE_MARGIN_MS = 1000;
/** Servers that promise more are not taken at their word: something between may know less. */
const KEEP_ALIVE_HINT_MAX_MS = 60_000;

type Phase = 'connecting' | 'idle' | 'sending' | 'answering' | 'closed';

/**
 * A connection to an endpoint, for one request at a time.
 *
 *     connecting ─► sending ──head──► answering ──complete──► idle ─┐
 *         │            ▲  │               │                         │
 *         │            └──┼───────────────┼─────── send() ──────────┘
 *         └───────────────┴─ error, abort, time-out ─► closed
 *
 * Hot: `npm run bench -- proxy` and `-- stream`.
 */
export class Connection implements SocketListener, AnswerListener {
  readonly endpoint: Endpoint;
  readonly #owner: ConnectionOwner;
  readonly #socket: Socket;
  readonly #parser: AnswerParser = new AnswerParser(this);
  #phase: Phase = 'connecting';
  /** Let go of when it has been sent: an answer may last much longer. */
  #request: UpstreamRequest | null = null;
  #handler: AnswerHandler | null = null;
  #answerCount = 0;
  /** Whether the last answer leaves the connection open, and for how long if it said so. */
  #isPersistent = false;
  #keepAliveSeconds: number | null = null;
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

  /**
   * Sends a request; the connection must be new or idle. Not for HEAD and CONNECT, whose answers
   * end differently.
   */
  send(request: UpstreamRequest, handler: AnswerHandler): void {
    const isReady = this.#phase === 'idle' || this.#phase === 'connecting';
    assert(isReady && this.#handler === null, 'the connection is in use');
    this.#request = request;
    this.#handler = handler;
    if (this.#phase === 'idle') this.#write(request);
  }

  /** Gives the request up and closes the connection, which tells the endpoint to stop. */
  abort(): void {
    this.#handler = null;
    this.#close();
  }

  resume(): void {
    if (!this.#isPaused || this.#phase === 'closed') return;
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

  /** Whether the connection is idle and has been for so long that its server may close it. */
  isStaleAt(nowMs: number, keepAliveMs: number): boolean {
    if (this.#phase !== 'idle') return false;
    return nowMs - this.#idleSinceMs >= keepAliveLimitMs(this.#keepAliveSeconds, keepAliveMs);
  }

  onOpen(): void {
    const request = this.#request;
    if (this.#phase !== 'connecting' || request === null) return;
    this.#write(request);
  }

  onBytes(bytes: Buffer): boolean {
    if (this.#phase !== 'sending' && this.#phase !== 'answering') {
      // The connection cannot be trusted with a request: they would be taken for its answer.
      this.#fail('invalid', 'bytes that nobody asked for', null);
      return false;
    }
    const answerCount = this.#answerCount;
    this.#parser.push(bytes);
    // A complete answer may have been followed by the next request already.
    if (this.#answerCount !== answerCount) return true;
    if (this.#handler === null) return false;
    const { problem } = this.#parser;
    if (problem !== null) this.#fail('invalid', problem, null);
    else this.#awaitBytes();
    return !this.#isPaused;
  }

  onEnd(): void {
    const handler = this.#handler;
    if (handler === null) {
      this.#close();
    } else if (this.#parser.hasBytes) {
      this.#parser.finish();
      const { problem } = this.#parser;
      if (problem !== null) this.#fail('reset', problem, null);
    } else {
      // The socket closes by itself only when all of the request is written, which an endpoint that
      // has gone away half-way would put off for ever.
      this.#failUnanswered('the connection was closed', null);
    }
  }

  onDrain(): void {
    const request = this.#request;
    if (request === null) return;
    this.#deadlineMs = Number.POSITIVE_INFINITY;
    request.body.flow();
  }

  onClose(error: Error | null): void {
    const message = error === null ? 'the connection was closed' : describeError(error);
    if (this.#phase === 'connecting') this.#fail('connect', message, error);
    else if (this.#handler === null) this.#close();
    else if (this.#parser.hasBytes) this.#fail('reset', message, error);
    else this.#failUnanswered(message, error);
  }

  onHead(head: AnswerHead): void {
    if (head.status === 408 && !head.isPersistent && this.#mayBeStale()) {
      // Not an answer to this request: so some servers say that they close an idle connection.
      this.#fail('stale', 'the endpoint gave up the idle connection', null);
      return;
    }
    this.#phase = 'answering';
    this.#isPersistent = head.isPersistent && head.keepAliveSeconds !== 0;
    this.#keepAliveSeconds = head.keepAliveSeconds;
    this.#handler?.onHead(head);
  }

  onBody(chunk: Buffer): void {
    if (this.#handler !== null && !this.#handler.onData(chunk)) this.#isPaused = true;
  }

  onComplete(): void {
    const handler = this.#handler;
    const isReusable = this.#isPersistent && this.#isWritten() && !this.#parser.hasExcess;
    this.#answerCount += 1;
    this.#handler = null;
    this.#request = null;
    if (isReusable && this.#phase === 'answering') this.#becomeIdle();
    else this.#close();
    handler?.onEnd();
  }

  /**
   * Whether the request has left as a whole. An endpoint may answer before it has read all of it,
   * but the next request would then wait behind the rest, if not be read as a part of it.
   */
  #isWritten(): boolean {
    return this.#request === null && this.#socket.writableLength === 0;
  }

  #mayBeStale(): boolean {
    return this.#answerCount > 0 && this.#owner.nowMs - this.#sentAtMs <= STALE_WITHIN_MS;
  }

  #becomeIdle(): void {
    this.#phase = 'idle';
    this.#idleSinceMs = this.#owner.nowMs;
    this.#deadlineMs = Number.POSITIVE_INFINITY;
    this.#isPaused = false;
    this.#owner.onIdle(this);
  }

  #write(request: UpstreamRequest): void {
    this.#phase = 'sending';
    this.#sentAtMs = this.#owner.nowMs;
    this.#parser.reset();
    const { body, isChunked } = request;
    const whole = isChunked ? null : body.takeWhole();
    if (whole !== null) {
      this.#writeWhole(encodeHead(request), whole);
      return;
    }
    this.#deadlineMs = Number.POSITIVE_INFINITY;
    this.#socket.write(encodeHead(request), 'latin1');
    body.attach({
      write: (chunk) => this.#writeBody(request, chunk),
      end: () => {
        this.#endBody(request);
      },
    });
  }

  #writeWhole(head: string, body: Uint8Array): void {
    this.#request = null;
    this.#setDeadline(this.#owner.timeouts.firstByteMs);
    const socket = this.#socket;
    if (body.length <= TEXT_BYTES_MAX) {
      socket.write(head + asBuffer(body).toString('latin1'), 'latin1');
      return;
    }
    socket.cork();
    socket.write(head, 'latin1');
    socket.write(body);
    socket.uncork();
  }

  #writeBody(request: UpstreamRequest, chunk: Uint8Array): boolean {
    const socket = this.#socket;
    if (this.#request !== request || !socket.writable) return false;
    const hasRoom = request.isChunked ? writeChunk(socket, chunk) : socket.write(chunk);
    // Silence is the endpoint's only while it takes nothing; else it is the client that is slow.
    if (hasRoom) this.#deadlineMs = Number.POSITIVE_INFINITY;
    else this.#awaitEndpoint();
    return hasRoom;
  }

  #endBody(request: UpstreamRequest): void {
    if (this.#request !== request) return;
    this.#request = null;
    if (request.isChunked) this.#socket.write(LAST_CHUNK, 'latin1');
    this.#awaitEndpoint();
  }

  #awaitEndpoint(): void {
    const { firstByteMs, idleMs } = this.#owner.timeouts;
    if (this.#phase === 'sending') this.#setDeadline(firstByteMs);
    else if (!this.#isPaused) this.#setDeadline(idleMs);
  }

  /** Bytes have come: before the head they are no answer yet, so the wait for that goes on. */
  #awaitBytes(): void {
    if (this.#phase !== 'answering') return;
    const isUploading = this.#request !== null && this.#deadlineMs === Number.POSITIVE_INFINITY;
    this.#setDeadline(this.#isPaused || isUploading ? null : this.#owner.timeouts.idleMs);
  }

  #setDeadline(afterMs: number | null): void {
    this.#deadlineMs = afterMs === null ? Number.POSITIVE_INFINITY : this.#owner.nowMs + afterMs;
  }

  #failUnanswered(message: string, cause: Error | null): void {
    this.#fail(this.#mayBeStale() ? 'stale' : 'reset', message, cause);
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
    this.#parser.stop();
    this.#request = null;
    this.#socket.destroy();
    this.#owner.onClosed(this);
  }
}

/** A server closes at its own limit: to write just then would lose the request. */
function keepAliveLimitMs(hintSeconds: number | null, keepAliveMs: number): number {
  if (hintSeconds === null) return keepAliveMs;
  const hintMs = Math.min(hintSeconds * 1000, KEEP_ALIVE_HINT_MAX_MS);
  return hintMs - Math.min(hintMs / 2, KEEP_ALIVE_MARGIN_MS);
}

/** Errors of an address that has several say nothing by themselves. */
function describeError(error: Error): string {
  if (error.message !== '') return error.message;
  const parts = error instanceof AggregateError ? (error.errors as readonly Error[]) : [];
  return parts.length === 0 ? error.name : parts.map(({ message }) => message).join('; ');
}

function writeChunk(socket: Socket, chunk: Uint8Array): boolean {
  socket.cork();
  socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1');
  socket.write(chunk);
  const hasRoom = socket.write('\r\n', 'latin1');
  socket.uncork();
  return hasRoom;
}

/**
 * Line and fields of a request, with the blank line. Their parts were checked when they were read.
 */
function encodeHead({ method, path, fields }: UpstreamRequest): string {
  return `${method} ${path} HTTP/1.1\r\n${fields}\r\n`;
}

/** The same bytes as a buffer, without a copy. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
