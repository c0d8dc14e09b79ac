import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../core/clock.ts';
import type { FaultPlan } from './faults.ts';
import { SseStream } from './sse-stream.ts';

/** Largest request body that is read, as the gateway's own default. */
const MAX_BODY_BYTES = 64 * 2 ** 20;

/** An error in the shape of the API that was called. */
export interface ApiError {
  readonly status: number;
  readonly type: string;
  readonly message: string;
  readonly code: string | null;
  readonly param: string | null;
}

/** One request and its response, with the failures that it is to suffer. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly clock: Clock;
  readonly fault: FaultPlan;
  readonly #response: ServerResponse;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    parts: { readonly clock: Clock; readonly fault: FaultPlan },
  ) {
    const url = request.url ?? '/';
    const mark = url.indexOf('?');
    this.request = request;
    this.path = mark < 0 ? url : url.slice(0, mark);
    this.query = new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1));
    this.clock = parts.clock;
    this.fault = parts.fault;
    this.#response = response;
  }

  /** Whether the client is still there and the response not finished. */
  get isOpen(): boolean {
    return !this.#response.destroyed && !this.#response.writableEnded;
  }

  /** Runs `heard` once when the client goes away before the response is complete. */
  onAbort(heard: () => void): void {
    this.#response.once('close', () => {
      if (!this.#response.writableFinished) heard();
    });
  }

  header(name: string): string | null {
    const value = this.request.headers[name];
    return typeof value === 'string' ? value : null;
  }

  /** Reads the whole body; null when it is larger than 64 MiB or breaks off. */
  async readBody(): Promise<Buffer | null> {
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    try {
      for await (const chunk of this.request) {
        const bytes = chunk as Buffer;
        sizeBytes += bytes.length;
        if (sizeBytes > MAX_BODY_BYTES) return null;
        chunks.push(bytes);
      }
    } catch {
      // The client broke off: there is nobody to answer.
      return null;
    }
    return Buffer.concat(chunks);
  }

  sendJson(status: number, body: unknown): void {
    this.send(status, 'application/json', JSON.stringify(body));
  }

  /** Sends a whole body, unless the plan cuts it: then half of it goes out and the socket dies. */
  send(status: number, contentType: string, body: string): void {
    if (!this.isOpen) return;
    if (this.#response.headersSent) {
      // Too late for another answer: the client must not take what it has for a whole one.
      this.#response.destroy();
      return;
    }
    const bytes = Buffer.from(body, 'utf8');
    const response = this.#response;
    response.writeHead(status, {
      'content-type': contentType,
      'content-length': String(bytes.length),
    });
    if (this.fault.cutAfterChunks === null || status !== 200) {
      response.end(bytes);
      return;
    }
    response.write(bytes.subarray(0, bytes.length >> 1), () => response.destroy());
  }

  /** Starts an event stream: the head goes out now, as engines do before the first token. */
  startStream(): SseStream {
    this.#response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
    });
    this.#response.flushHeaders();
    return new SseStream(this.#response, this.clock, this.fault);
  }

  /** Drops the connection without an answer. */
  destroy(): void {
    this.#response.destroy();
  }

  /** Resolves after `delayMs`, or at once when there is nothing to wait for. */
  async pause(delayMs: number): Promise<void> {
    if (delayMs <= 0) return;
    await new Promise<void>((resolve) => {
      const timer = this.clock.setTimer(delayMs, resolve);
      this.onAbort(() => {
        this.clock.clearTimer(timer);
        resolve();
      });
    });
  }
}
