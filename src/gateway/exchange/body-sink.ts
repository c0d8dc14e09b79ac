import type { ServerResponse } from 'node:http';

/** Takes an answer's body; the head has been handed to the response before. */
export interface BodySink {
  /** Sends a piece; false asks to wait for `onDrain` before the next. */
  write(chunk: Buffer): boolean;
  /** Sends the last piece, if there is one, and ends the body. */
  end(chunk: Buffer | null): void;
  /** Calls `resume` once when more can be taken. */
  onDrain(resume: () => void): void;
}

/**
 * Up to here a piece is sent as a Latin-1 string: Node then writes it together with the head in one
 * system call without building a vector of buffers (measured: 7 µs less per small answer).
 */
const TEXT_BYTES_MAX = 16 * 1024;

/** A body whose framing is left to Node: with a length, or until the connection closes. */
export class PlainSink implements BodySink {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  write(chunk: Buffer): boolean {
    return this.#response.write(chunk);
  }

  end(chunk: Buffer | null): void {
    if (chunk === null) this.#response.end();
    else if (chunk.length > TEXT_BYTES_MAX) this.#response.end(chunk);
    else this.#response.end(chunk.toString('latin1'), 'latin1');
  }

  onDrain(resume: () => void): void {
    this.#response.once('drain', resume);
  }
}

/**
 * A chunked body (RFC 9112 section 7.1) whose frames are built here and written to the connection
 * as one string each; Node's own writes four pieces per chunk. Hot: `npm run bench -- stream`.
 *
 *     <size in hex> CRLF <bytes> CRLF
 */
export class ChunkedSink implements BodySink {
  readonly #response: ServerResponse;

  /** The response must own its connection: no earlier answer is still being sent on it. */
  constructor(response: ServerResponse) {
    this.#response = response;
    response.socket?.cork();
    response.flushHeaders();
    // The head waits for the first chunk, which follows in this turn.
    process.nextTick(() => response.socket?.uncork());
  }

  write(chunk: Buffer): boolean {
    const { socket } = this.#response;
    // An empty chunk would be the last one and end the body for the client.
    if (chunk.length === 0 || socket === null || !socket.writable) return true;
    const size = chunk.length.toString(16);
    if (chunk.length <= TEXT_BYTES_MAX) {
      return socket.write(`${size}\r\n${chunk.toString('latin1')}\r\n`, 'latin1');
    }
    socket.cork();
    socket.write(`${size}\r\n`, 'latin1');
    socket.write(chunk);
    const hasRoom = socket.write('\r\n', 'latin1');
    socket.uncork();
    return hasRoom;
  }

  end(chunk: Buffer | null): void {
    if (chunk !== null) this.write(chunk);
    // Node knows the body as chunked and ends it with the last, empty chunk.
    this.#response.end();
  }

  onDrain(resume: () => void): void {
    this.#response.socket?.once('drain', resume);
  }
}
