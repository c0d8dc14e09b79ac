/** Receives the parts of HTTP/1.1 messages as they are found. */
export interface MessageHandler {
  /** The start line and the header fields, without the empty line. */
  onHead(head: string): void;
  /** A piece of the body without its framing. */
  onBody(piece: Buffer): void;
  /** The message is complete; the next byte starts another one. */
  onEnd(): void;
}

type FramerState = 'head' | 'fixed' | 'size' | 'chunk' | 'chunk-end' | 'trailer';

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const HEAD_END = Buffer.from('\r\n\r\n');

/**
 * Finds the message boundaries of one direction of an HTTP/1.1 connection: fixed length, chunked,
 * or no body. It trusts its peers, all of which are part of the bench: it is no example of a safe
 * parser.
 */
export class MessageFramer {
  readonly #handler: MessageHandler;
  #state: FramerState = 'head';
  #pendingHead: Buffer | null = null;
  #remaining = 0;
  #lineLength = 0;

  constructor(handler: MessageHandler) {
    this.#handler = handler;
  }

  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) at = this.#step(chunk, at);
  }

  /** Handles some bytes from `at` on and returns where the rest begins. */
  #step(chunk: Buffer, at: number): number {
    switch (this.#state) {
      case 'head':
        return this.#readHead(chunk, at);
      case 'fixed':
      case 'chunk':
        return this.#readBody(chunk, at);
      case 'size':
        return this.#readSize(chunk, at);
      case 'chunk-end':
        if (chunk[at] === LINE_FEED) this.#state = 'size';
        return at + 1;
      case 'trailer':
        return this.#readTrailer(chunk, at);
    }
  }

  #readHead(chunk: Buffer, at: number): number {
    const fresh = at === 0 ? chunk : chunk.subarray(at);
    const pending = this.#pendingHead;
    const bytes = pending === null ? fresh : Buffer.concat([pending, fresh]);
    const end = bytes.indexOf(HEAD_END);
    if (end < 0) {
      this.#pendingHead = bytes;
      return chunk.length;
    }
    this.#pendingHead = null;
    this.#beginBody(bytes.toString('latin1', 0, end));
    return at + end + HEAD_END.length - (pending?.length ?? 0);
  }

  #beginBody(head: string): void {
    this.#handler.onHead(head);
    if (/^transfer-encoding: *chunked/im.test(head)) {
      this.#state = 'size';
      return;
    }
    const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
    if (length === 0) {
      this.#handler.onEnd();
      return;
    }
    this.#remaining = length;
    this.#state = 'fixed';
  }

  #readBody(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.#remaining);
    this.#remaining -= end - at;
    this.#handler.onBody(chunk.subarray(at, end));
    if (this.#remaining > 0) return end;
    if (this.#state === 'chunk') this.#state = 'chunk-end';
    else this.#endMessage();
    return end;
  }

  #readSize(chunk: Buffer, start: number): number {
    for (let at = start; at < chunk.length; at += 1) {
      const byte = chunk[at] ?? 0;
      if (byte === LINE_FEED) {
        this.#lineLength = 0;
        this.#state = this.#remaining === 0 ? 'trailer' : 'chunk';
        return at + 1;
      }
      const digit = hexDigit(byte);
      if (digit >= 0) this.#remaining = this.#remaining * 16 + digit;
    }
    return chunk.length;
  }

  #readTrailer(chunk: Buffer, at: number): number {
    const byte = chunk[at];
    if (byte === LINE_FEED) {
      if (this.#lineLength === 0) this.#endMessage();
      this.#lineLength = 0;
    } else if (byte !== CARRIAGE_RETURN) {
      this.#lineLength += 1;
    }
    return at + 1;
  }

  #endMessage(): void {
    this.#state = 'head';
    this.#handler.onEnd();
  }
}

/** The value of an ASCII hexadecimal digit, or -1. */
function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
