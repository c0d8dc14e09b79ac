import type { Socket } from 'node:net';
import type { ErrorCode } from '../../core/errors.ts';
import type { Listed } from '../exchange/open-list.ts';
import type { ClientLimits } from '../options.ts';
import type { ClientSocketListener } from './client-socket.ts';
import { listenTo } from './client-socket.ts';
import type { StreamConnection } from './client-stream.ts';
import { ClientStream } from './client-stream.ts';
import { encodeRefusal } from './refusal.ts';
import type { RequestHead, RequestProblem } from './request-head.ts';
import type { RequestListener } from './request-parser.ts';
import { RequestParser } from './request-parser.ts';
import type { ServerTime } from './server-time.ts';
import { TIME_STEP_MS } from './server-time.ts';

/** Who accepts connections and answers the requests on them. */
export interface ConnectionOwner {
  readonly limits: ClientLimits;
  readonly time: ServerTime;
  /** A request has begun: sets the stream's handler, or answers at once. */
  onRequest(stream: ClientStream): void;
  /** A request was refused that never became one. */
  onRefused(code: ErrorCode): void;
  onClosed(connection: ClientConnection): void;
}

/**
 * Requests of one connection that are worked on at once; further ones are not read. Few clients
 * send a request before the last is answered, and none needs many.
 */
const OPEN_REQUESTS_MAX = 16;

/**
 * How long a client may keep its side open once ours is closed. Not broken at once: that would
 * reset the connection while bytes still arrive, and the client might never read the answer.
 */
const LINGER_MS = 1000;

/** Waits end late rather than early: clients are told `keepAliveMs`, and reckon with it. */
const GRACE_MS = 1000;

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
const CLOSE_LINE = 'connection: close\r\n';

/**
 * A client's connection: requests in, answers out in the same order.
 *
 *     open ──last answer, refusal, idle for long──► closing ──client closes or 1 s──► closed
 *       └──────────────── client gone, destroy() ───────────────────────────────────────┘
 *
 * Hot: `npm run bench -- proxy` and `-- stream`.
 */
export class ClientConnection
  implements ClientSocketListener, RequestListener, StreamConnection, Listed
{
  openIndex = -1;
  readonly #socket: Socket;
  readonly #owner: ConnectionOwner;
  readonly #parser: RequestParser;
  #phase: 'open' | 'closing' | 'closed' = 'open';
  /** The stream whose answer may be sent. */
  #current: ClientStream | null = null;
  /** Those after it, whose answers wait. */
  #waiting: ClientStream[] | null = null;
  /** The stream whose body is being read. */
  #receiving: ClientStream | null = null;
  #isLeaving = false;
  #isInRead = false;
  #isPaused = false;
  /** Whether the body being read was asked for, or needed no asking. */
  #isInvited = true;
  /** What was read and waits for the parser. */
  #backlog: Buffer | null = null;
  /** When the present wait began, as of the last look; for a body, when it last moved. */
  #sinceMs: number;
  #readCount = 0;
  #seenReadCount = 0;
  #hasHadRequest = false;

  constructor(socket: Socket, owner: ConnectionOwner) {
    this.#socket = socket;
    this.#owner = owner;
    this.#parser = new RequestParser(this, owner.limits);
    this.#sinceMs = owner.time.nowMs;
    listenTo(socket, this);
  }

  get dateLine(): string {
    return this.#owner.time.dateLine;
  }

  /** Closes the connection as soon as nothing is under way on it. */
  leave(): void {
    this.#isLeaving = true;
    if (this.#phase === 'open' && this.#current === null && !this.#parser.isInHead) this.#close();
  }

  /** Breaks the connection. Idempotent. */
  destroy(): void {
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    this.#parser.stop();
    this.#backlog = null;
    this.#socket.destroy();
    this.#abandonStreams();
    this.#owner.onClosed(this);
  }

  /** Ends whatever has waited too long at `nowMs`; to be called a few times a second. */
  checkDeadline(nowMs: number): void {
    if (this.#current !== null || this.#isPaused || this.#socket.writableLength > 0) {
      // It is the gateway's turn, or that of a client that reads slowly.
      this.#sinceMs = nowMs;
    } else if (this.#phase === 'closing') {
      if (nowMs - this.#sinceMs >= LINGER_MS) this.destroy();
    } else {
      this.#checkWait(nowMs);
    }
  }

  #checkWait(nowMs: number): void {
    const { headMs, bodyMs, keepAliveMs } = this.#owner.limits;
    const waitedMs = nowMs - this.#sinceMs;
    if (this.#receiving !== null) {
      // Its answer is complete, but not the request.
      if (this.#takeProgress()) this.#sinceMs = nowMs;
      else if (waitedMs >= bodyMs) this.destroy();
    } else if (this.#parser.isInHead) {
      if (waitedMs >= headMs + TIME_STEP_MS) this.#refuse(lateHead(headMs));
    } else if (waitedMs >= GRACE_MS + (this.#hasHadRequest ? keepAliveMs : headMs)) {
      this.#close();
    }
  }

  /** Whether bytes have come since the last call. */
  #takeProgress(): boolean {
    const hasMoved = this.#readCount !== this.#seenReadCount;
    this.#seenReadCount = this.#readCount;
    return hasMoved;
  }

  onBytes(bytes: Buffer): void {
    if (this.#phase !== 'open') return;
    this.#readCount += 1;
    const wasInHead = this.#parser.isInHead;
    this.#isInRead = true;
    const count = this.#parser.push(bytes);
    this.#isInRead = false;
    const { problem } = this.#parser;
    if (problem !== null) this.#refuse(problem);
    else if (count < bytes.length) this.#keep(bytes, count);
    else if (!wasInHead && this.#parser.isInHead) this.#sinceMs = this.#owner.time.nowMs;
  }

  onEnd(): void {
    if (this.#phase !== 'open') return;
    // A half-closed connection counts as left.
    if (this.#current === null) this.#close();
    else this.destroy();
  }

  onDrain(): void {
    this.#current?.drain();
    if (this.#parser.isHeld) this.#release();
  }

  onClose(): void {
    this.destroy();
  }

  onHead(head: RequestHead): void {
    const isTurn = this.#current === null;
    const stream = new ClientStream(this, head, { isTurn });
    if (isTurn) {
      this.#current = stream;
    } else {
      this.#waiting ??= [];
      this.#waiting.push(stream);
    }
    this.#hasHadRequest = true;
    this.#receiving = stream;
    this.#isInvited = !head.expectsContinue || head.framing === 'none';
    this.#owner.onRequest(stream);
    if (!this.#isInvited) this.#inviteBody(stream);
  }

  onBody(chunk: Buffer): void {
    const stream = this.#receiving;
    if (stream === null) return;
    stream.receive(chunk);
    if (stream.ignoredBytes > this.#owner.limits.bodyBytes) this.destroy();
  }

  onComplete(): void {
    const stream = this.#receiving;
    if (stream === null) return;
    this.#receiving = null;
    this.#isInvited = true;
    if (!stream.head.isPersistent) this.#parser.stop();
    stream.completeBody();
    if (this.#isPaused) {
      this.#isPaused = false;
      this.#updateReading();
    }
    if (!this.#mayTakeMore()) this.#parser.hold();
  }

  isKept(stream: ClientStream): boolean {
    if (!stream.head.isPersistent) return false;
    // Its client may send the body or not, now that it is answered: nobody knows what comes next.
    if (stream === this.#receiving && !this.#isInvited) return false;
    const isLatest = this.#waiting === null || this.#waiting.at(-1) === stream;
    return !(this.#isLeaving && isLatest);
  }

  persistenceLines(isKept: boolean): string {
    return isKept ? this.#owner.time.keepAliveLines(this.#owner.limits.keepAliveMs) : CLOSE_LINE;
  }

  send(data: string | Buffer): boolean {
    if (this.#phase === 'closed') return true;
    return typeof data === 'string' ? this.#socket.write(data, 'latin1') : this.#socket.write(data);
  }

  cork(): void {
    this.#socket.cork();
  }

  uncork(): void {
    this.#socket.uncork();
  }

  onAnswered(stream: ClientStream): void {
    if (this.#phase !== 'open') return;
    if (stream.isLast) {
      this.#current = null;
      this.#close();
      return;
    }
    const next = this.#waiting?.shift() ?? null;
    if (this.#waiting?.length === 0) this.#waiting = null;
    this.#current = next;
    if (next !== null) this.#giveTurn(next);
    else if (this.#isLeaving && !this.#parser.isInHead) this.#close();
    else this.#sinceMs = this.#owner.time.nowMs;
    if (this.#parser.isHeld) this.#release();
  }

  setPaused(stream: ClientStream, isPaused: boolean): void {
    if (stream !== this.#receiving) return;
    this.#isPaused = isPaused;
    this.#updateReading();
  }

  /** The last answer has been handed to the socket: sends what is left, then the end. */
  #close(): void {
    if (this.#phase !== 'open') return;
    this.#phase = 'closing';
    this.#sinceMs = this.#owner.time.nowMs;
    this.#parser.stop();
    this.#backlog = null;
    this.#abandonStreams();
    this.#socket.resume();
    this.#socket.end();
  }

  /** After an error of framing nobody knows where the next request begins. */
  #refuse(problem: RequestProblem): void {
    if (this.#phase !== 'open') return;
    const stream = this.#receiving;
    if (stream !== this.#current || stream?.hasStarted === true) {
      // Into an answer that has begun, or before one that is due, nothing may be written.
      if (this.#current === null) this.#close();
      else this.destroy();
      return;
    }
    const start = stream === null ? this.#parser.peek : stream.head.text;
    this.#owner.onRefused(problem.code);
    this.#socket.write(encodeRefusal(problem, start, this.dateLine));
    this.#close();
  }

  /** Tells those whose answers will not be complete. */
  #abandonStreams(): void {
    const current = this.#current;
    const waiting = this.#waiting ?? [];
    this.#current = null;
    this.#waiting = null;
    this.#receiving = null;
    current?.close();
    for (const stream of waiting) stream.close();
  }

  #giveTurn(stream: ClientStream): void {
    stream.takeTurn();
    if (stream === this.#receiving && !this.#isInvited) this.#inviteBody(stream);
  }

  /** A client that waits for leave to send its body gets it, unless it is answered already. */
  #inviteBody(stream: ClientStream): void {
    if (stream !== this.#current || stream.hasStarted || !stream.head.line.isHttp11) return;
    this.#isInvited = true;
    this.send(CONTINUE);
  }

  /** A client that does not read its answers must not have more of them held for it. */
  #mayTakeMore(): boolean {
    const count = this.#waiting === null ? 0 : this.#waiting.length;
    return count < OPEN_REQUESTS_MAX - 1 && !this.#socket.writableNeedDrain;
  }

  #keep(bytes: Buffer, from: number): void {
    this.#backlog = Buffer.from(bytes.subarray(from));
    this.#updateReading();
  }

  /** Reads on after the parser was held. */
  #release(): void {
    if (!this.#mayTakeMore()) return;
    this.#parser.release();
    // In a read the parser goes on by itself.
    if (this.#isInRead) return;
    const backlog = this.#backlog;
    this.#backlog = null;
    if (backlog !== null) this.onBytes(backlog);
    this.#updateReading();
  }

  #updateReading(): void {
    if (this.#phase !== 'open') return;
    if (this.#isPaused || this.#backlog !== null) this.#socket.pause();
    else this.#socket.resume();
  }
}

function lateHead(headMs: number): RequestProblem {
  return {
    code: 'request_timeout',
    message: `The request head did not arrive within ${headMs} ms.`,
  };
}
