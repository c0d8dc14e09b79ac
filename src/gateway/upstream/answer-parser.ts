import type { AnswerHead } from './answer-head.ts';
import {
  findHeadEnd,
  findKeptHeadEnd,
  HEAD_END_BYTES,
  HEAD_IS_FORBIDDEN,
} from '../wire/head-end.ts';
import { KeptBytes } from '../wire/kept-bytes.ts';
import { MessageBody } from '../wire/message-body.ts';
import { parseAnswerHead } from './answer-head.ts';

/** Hears what an answer holds, in order. */
export interface AnswerListener {
  /** A final head; informational ones (1xx) are passed over. */
  onHead(head: AnswerHead): void;
  /**
   * Body bytes, their transfer coding removed; the listener owns the buffer. At most once per read,
   * however many chunks it held, so that a listener that asks for a pause is not asked again.
   */
  onBody(chunk: Buffer): void;
  /** The answer is complete. */
  onComplete(): void;
}

const HEAD_BYTES_MAX = 64 * 1024;
/** Informational heads before the final one. */
const INFORMATIONAL_MAX = 32;

const HEAD_START = 'HTTP/1.';

type State = 'head' | 'body' | LastState;

/** States in which nothing more is read. */
type LastState = 'complete' | 'failed' | 'stopped';

/**
 * Reads HTTP/1.1 answers, one after another, from bytes that come in any pieces. It keeps no
 * reference to them: the caller may read into the same memory again.
 *
 *     head ──► body ──► complete         stop() and a problem end it at any point
 *      ▲ └ 1xx ┘          │
 *      └───── reset() ────┘
 *
 * Hot: `npm run bench -- stream`.
 */
export class AnswerParser {
  readonly #listener: AnswerListener;
  #state: State = 'head';
  #isOver = false;
  #hasBytes = false;
  #hasExcess = false;
  #problem: string | null = null;
  readonly #body: MessageBody = new MessageBody('reads-are-reused');
  /** The first bytes of a head that was cut by the end of a read. */
  #kept: KeptBytes | null = null;
  #informationalCount = 0;

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

  /** Whether `onComplete` was called. */
  get isComplete(): boolean {
    return this.#state === 'complete';
  }

  /** Whether bytes came after the end of the answer: whose they are cannot be told. */
  get hasExcess(): boolean {
    return this.#hasExcess;
  }

  /** Starts over with the next answer. */
  reset(): void {
    this.#state = 'head';
    this.#isOver = false;
    this.#hasBytes = false;
    this.#hasExcess = false;
    this.#problem = null;
    this.#kept = null;
    this.#informationalCount = 0;
  }

  /** Reads nothing more, not even the rest of a read under way: nobody listens any more. */
  stop(): void {
    this.#enterLast('stopped');
  }

  /** Takes the bytes of one read. */
  push(bytes: Buffer): void {
    const { length } = bytes;
    if (length === 0) return;
    this.#hasBytes = true;
    let at = 0;
    while (at < length && !this.#isOver) {
      at = this.#state === 'head' ? this.#readHead(bytes, at) : this.#readBody(bytes, at);
    }
    if (this.#state !== 'complete') return;
    // Told only now that it is known whether anything follows: a connection with something behind
    // an answer must not be given to another request, which would get that for its own answer.
    this.#hasExcess = at < length;
    if (at > 0) this.#listener.onComplete();
  }

  /** The connection has ended: fine after a body that lasts until then, else a cut answer. */
  finish(): void {
    if (this.#isOver) return;
    if (this.#state === 'body') this.#body.finish();
    if (this.#state === 'body' && this.#body.isComplete) {
      this.#enterLast('complete');
      this.#listener.onComplete();
    } else {
      this.#fail('the connection ended inside the answer');
    }
  }

  #readBody(bytes: Buffer, at: number): number {
    const body = this.#body;
    const end = body.read(bytes, at);
    const piece = body.take(bytes);
    if (body.problem !== null) this.#fail(body.problem);
    else if (body.isComplete) this.#enterLast('complete');
    // Told when it is known whether the answer ends with it.
    if (piece !== null) this.#listener.onBody(piece);
    return end;
  }

  #readHead(bytes: Buffer, at: number): number {
    if (this.#kept !== null) return this.#readCutHead(this.#kept, bytes, at);
    const end = findHeadEnd(bytes, at);
    if (end >= 0) {
      this.#takeHead(bytes, at, end);
      return end + HEAD_END_BYTES;
    }
    this.#kept = new KeptBytes(HEAD_BYTES_MAX);
    this.#kept.add(bytes, at, bytes.length);
    this.#checkCutHead(this.#kept, end);
    return bytes.length;
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

  /**
   * Fails at once when no more bytes can make this a head. Another protocol may greet and then wait
   * for us, and a server may end its lines with LF alone: the end of a head would never come.
   */
  #checkCutHead(kept: KeptBytes, end: number): void {
    const start = kept.bytes.toString('latin1', 0, HEAD_START.length);
    if (!HEAD_START.startsWith(start)) this.#fail('the status line is not HTTP/1.1');
    else if (end === HEAD_IS_FORBIDDEN) this.#fail('a control character or half a line end');
    else if (kept.isTooLong) this.#fail('the head is too large');
  }

  #takeHead(bytes: Buffer, start: number, end: number): void {
    if (end - start + HEAD_END_BYTES > HEAD_BYTES_MAX) {
      this.#fail('the head is too large');
      return;
    }
    const head = parseAnswerHead(bytes.toString('latin1', start, end));
    if (typeof head === 'string') this.#fail(head);
    else if (head.status >= 200) this.#beginBody(head);
    else this.#passOver(head);
  }

  #passOver({ status, isPersistent }: AnswerHead): void {
    this.#informationalCount += 1;
    if (status === 101) this.#fail('a switch of protocols that nobody asked for');
    else if (!isPersistent) this.#fail('an informational answer is said to be the last');
    else if (this.#informationalCount > INFORMATIONAL_MAX) this.#fail('too many 1xx answers');
  }

  #beginBody(head: AnswerHead): void {
    this.#listener.onHead(head);
    if (this.#isOver) return;
    this.#body.begin(head.framing, head.contentLength);
    if (this.#body.isComplete) this.#enterLast('complete');
    else this.#state = 'body';
  }

  #fail(problem: string): void {
    if (this.#isOver) return;
    this.#problem = problem;
    this.#enterLast('failed');
  }

  #enterLast(state: LastState): void {
    this.#state = state;
    this.#isOver = true;
  }
}
