import type { Dispatcher } from 'undici';
import type { AnswerHeaders } from '../headers.ts';

/** Who started an attempt and hears what becomes of it. */
export interface AttemptOwner {
  onAnswerHead(status: number, headers: AnswerHeaders): void;
  /** Returns false to pause the answer until `Attempt.resume`. */
  onAnswerData(chunk: Buffer): boolean;
  onAnswerEnd(): void;
  onAttemptError(error: Error): void;
}

/** Why an attempt was abandoned; only seen by the HTTP client. */
const ABANDONED = new DOMException('the request was abandoned', 'AbortError');

/**
 * One try to get an answer from one endpoint. After `abandon` its owner hears no more of it, and its
 * connection is closed, which tells the engine to stop generating.
 */
export class Attempt implements Dispatcher.DispatchHandler {
  readonly #owner: AttemptOwner;
  #controller: Dispatcher.DispatchController | null = null;
  #isAbandoned = false;

  constructor(owner: AttemptOwner) {
    this.#owner = owner;
  }

  abandon(): void {
    if (this.#isAbandoned) return;
    this.#isAbandoned = true;
    this.#controller?.abort(ABANDONED);
  }

  resume(): void {
    if (!this.#isAbandoned) this.#controller?.resume();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isAbandoned) controller.abort(ABANDONED);
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: AnswerHeaders,
  ): void {
    if (!this.#isAbandoned) this.#owner.onAnswerHead(status, headers);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#isAbandoned && !this.#owner.onAnswerData(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    if (!this.#isAbandoned) this.#owner.onAnswerEnd();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (!this.#isAbandoned) this.#owner.onAttemptError(error);
  }
}
