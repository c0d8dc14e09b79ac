import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * One client's connection, as far as closing it is concerned: it may be closed between requests,
 * and only when the last answer has left. Node's own `closeIdleConnections` also cuts connections
 * whose answer is complete but still waits for a slow reader.
 *
 *     idle ⇄ busy          leave() while idle, or at the end of the last answer ──► closed
 */
export class ClientConnection {
  readonly #socket: Socket;
  #openCount = 0;
  /** The answer that began last; its head may not have been sent yet. */
  #latest: ServerResponse | null = null;
  #isLeaving = false;
  /** Bytes read up to the end of the last request; more means that another request has begun. */
  #readBytes: number;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#readBytes = socket.bytesRead;
  }

  /** A request has come. */
  begin(response: ServerResponse): void {
    this.#openCount += 1;
    this.#latest = response;
    response.on('close', this.#onEnd);
    if (this.#isLeaving) response.shouldKeepAlive = false;
  }

  /** Closes the connection as soon as nothing is under way on it. */
  leave(): void {
    this.#isLeaving = true;
    if (this.#openCount === 0) this.#closeIfIdle();
    else if (this.#latest?.headersSent === false) this.#latest.shouldKeepAlive = false;
  }

  // One function for all answers of the connection, not one for each.
  readonly #onEnd = (): void => {
    this.#openCount -= 1;
    if (this.#openCount > 0) return;
    this.#latest = null;
    this.#readBytes = this.#socket.bytesRead;
    if (this.#isLeaving) this.#socket.destroySoon();
  };

  /** A head that is on its way is let in: its answer will close the connection. */
  #closeIfIdle(): void {
    if (this.#socket.bytesRead === this.#readBytes) this.#socket.destroySoon();
  }
}
