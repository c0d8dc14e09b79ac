import type { AnswerHead } from './answer-head.ts';
import type { AnswerHandler, Connection, UpstreamRequest } from './connection.ts';
import type { UpstreamFailure } from './upstream-failure.ts';

/** Who started an attempt and hears what becomes of it. */
export interface AttemptOwner {
  onAnswerHead(head: AnswerHead): void;
  /** Returns false to pause the answer until `Attempt.resume`. */
  onAnswerData(chunk: Buffer): boolean;
  onAnswerEnd(): void;
  onAttemptFailure(failure: UpstreamFailure): void;
}

/** One try to get an answer from one endpoint. After `abandon` its owner hears no more of it. */
export class Attempt implements AnswerHandler {
  readonly #owner: AttemptOwner;
  #connection: Connection | null = null;

  constructor(owner: AttemptOwner) {
    this.#owner = owner;
  }

  /** Sends the request; call once. */
  send(connection: Connection, request: UpstreamRequest): void {
    this.#connection = connection;
    connection.send(request, this);
  }

  abandon(): void {
    this.#connection?.abort();
    this.#connection = null;
  }

  resume(): void {
    this.#connection?.resume();
  }

  onHead(head: AnswerHead): void {
    this.#owner.onAnswerHead(head);
  }

  onData(chunk: Buffer): boolean {
    return this.#owner.onAnswerData(chunk);
  }

  onEnd(): void {
    // The connection may already carry another request.
    this.#connection = null;
    this.#owner.onAnswerEnd();
  }

  onFailure(failure: UpstreamFailure): void {
    this.#connection = null;
    this.#owner.onAttemptFailure(failure);
  }
}
