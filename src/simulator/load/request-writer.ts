import type { LabRequest } from '../workloads/types.ts';
import { AnswerBook } from './answer-book.ts';

/** Which API the load speaks. */
export type LoadApi = 'chat' | 'completions';

/** A request as it goes over the wire. */
export interface WireRequest {
  /** Path below the server's base path. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What every request of a run has in common. */
export interface RequestWriterOptions {
  readonly api: LoadApi;
  /** Model of requests that name no adapter. */
  readonly model: string;
  /** Separates the text of runs with different seeds. */
  readonly salt: number;
  /** Asks the server to go on to the planned length (vLLM's and SGLang's `ignore_eos`). */
  readonly ignoresEnd: boolean;
  /** Further headers of every request, by lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Turns planned requests into real ones. */
export class RequestWriter {
  readonly #options: RequestWriterOptions;
  readonly #answers: AnswerBook;

  constructor(options: RequestWriterOptions) {
    this.#options = options;
    this.#answers = new AnswerBook(options.salt);
  }

  write(request: LabRequest): WireRequest {
    const { api, model, ignoresEnd } = this.#options;
    this.#answers.notePlanned(request.output);
    const parts = this.#answers.conversationOf(request.segments);
    const prompt =
      api === 'chat'
        ? { messages: parts.map(({ role, text }) => ({ role, content: text })) }
        : { prompt: parts.map(({ text }) => text).join('') };
    const body = JSON.stringify({
      model: request.adapter ?? model,
      ...prompt,
      max_tokens: request.output.tokens,
      stream: true,
      stream_options: { include_usage: true },
      ...(ignoresEnd ? { ignore_eos: true } : {}),
    });
    return {
      path: api === 'chat' ? '/v1/chat/completions' : '/v1/completions',
      headers: this.#headersOf(request),
      body,
    };
  }

  /** Keeps an answer for the turns that follow it. */
  noteAnswer(request: LabRequest, text: string): void {
    this.#answers.noteAnswer(request.output, text);
  }

  #headersOf({ headers, objective }: LabRequest): Readonly<Record<string, string>> {
    const { ttftMs, tpotMs } = objective;
    return {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      'user-agent': 'penstock',
      ...headers,
      // The field's names (Gateway API Inference Extension); Penstock's gateway obeys them too.
      ...(ttftMs === null ? {} : { 'x-slo-ttft-ms': String(ttftMs) }),
      ...(tpotMs === null ? {} : { 'x-slo-tpot-ms': String(tpotMs) }),
      ...this.#options.headers,
    };
  }
}
