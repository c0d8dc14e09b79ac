import type { VirtualClock } from '../../../core/virtual-clock.ts';
import type { WireRequest } from '../request-writer.ts';
import type { AnswerSink, LoadTransport } from '../transport.ts';

/** Times of the server, in milliseconds. */
export interface VirtualServerOptions {
  /** From the start of a request's turn to its first token. */
  readonly firstTokenMs: number;
  /** Between tokens. */
  readonly tokenMs: number;
}

/** A server in virtual time that answers one request after the other, each with three tokens. */
export class VirtualServer implements LoadTransport {
  readonly #clock: VirtualClock;
  readonly #options: VirtualServerOptions;
  readonly requests: WireRequest[] = [];
  #freeAtMs = 0;

  constructor(clock: VirtualClock, options: VirtualServerOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  send(request: WireRequest, sink: AnswerSink): () => void {
    this.requests.push(request);
    const { firstTokenMs, tokenMs } = this.#options;
    const nowMs = this.#clock.now();
    const startMs = Math.max(nowMs, this.#freeAtMs);
    this.#freeAtMs = startMs + firstTokenMs + 2 * tokenMs;
    let isCancelled = false;
    for (const [index, word] of ['one', ' two', ' three'].entries()) {
      const atMs = startMs + firstTokenMs + index * tokenMs;
      this.#clock.setTimer(atMs - nowMs, () => {
        if (isCancelled) return;
        const event = { choices: [{ index: 0, delta: { content: word } }] };
        sink.onData(Buffer.from(`data: ${JSON.stringify(event)}\n\n`));
        if (index < 2) return;
        sink.onData(Buffer.from('data: [DONE]\n\n'));
        sink.onEnd();
      });
    }
    return () => {
      isCancelled = true;
    };
  }

  redact(text: string): string {
    return text;
  }
}
