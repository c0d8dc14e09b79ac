import { Pool, type Dispatcher } from 'undici';
import { isJsonObject, readArray, readString } from '../server/json-value.ts';
import { clip, errorMessageOf, type LoadFailure } from './load-failure.ts';
import type { WireRequest } from './request-writer.ts';
import type { AnswerSink, LoadTransport } from './transport.ts';

/** How to reach the server under load. */
export interface HttpTransportOptions {
  /** Connections at most; each carries one request at a time. */
  readonly maxConnections: number;
  /** Bearer token of every request; null for none. It is cut out of whatever is reported. */
  readonly apiKey: string | null;
}

/** Time to open a connection, in milliseconds; afterwards the run's own limits hold. */
const CONNECT_TIMEOUT_MS = 10_000;
/** Time for the list of models, in milliseconds. */
const MODELS_TIMEOUT_MS = 10_000;
/** Bytes of an error's body that are looked at. */
const MAX_ERROR_BYTES = 16 * 1024;

/** Splits a server's URL into origin and base path; `/v1` at its end is left out. Null if wrong. */
export function parseTarget(
  text: string,
): { readonly origin: string; readonly basePath: string } | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return null;
  const basePath = url.pathname.replace(/\/+$/, '').replace(/\/v1$/, '');
  return { origin: url.origin, basePath };
}

/** Real HTTP by a pool of connections that are kept alive. */
export class HttpTransport implements LoadTransport {
  readonly #pool: Pool;
  readonly #basePath: string;
  readonly #apiKey: string | null;
  #closing: Promise<void> | null = null;

  constructor(
    target: { readonly origin: string; readonly basePath: string },
    options: HttpTransportOptions,
  ) {
    this.#basePath = target.basePath;
    this.#apiKey = options.apiKey;
    this.#pool = new Pool(target.origin, {
      connections: options.maxConnections,
      pipelining: 1,
      allowH2: false,
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: { timeout: CONNECT_TIMEOUT_MS },
    });
  }

  send(request: WireRequest, sink: AnswerSink): () => void {
    const exchange = new Exchange(sink);
    try {
      this.#pool.dispatch(
        {
          method: 'POST',
          path: `${this.#basePath}${request.path}`,
          headers: { ...request.headers, ...this.#authorization() },
          body: request.body,
        },
        exchange,
      );
    } catch (cause) {
      exchange.onResponseError(null, cause as Error);
    }
    return () => {
      exchange.cancel();
    };
  }

  /** Names of the models that the server lists. Rejects when it cannot be asked. */
  async listModels(): Promise<readonly string[]> {
    const answer = await this.#pool.request({
      method: 'GET',
      path: `${this.#basePath}/v1/models`,
      headers: { accept: 'application/json', 'user-agent': 'penstock', ...this.#authorization() },
      signal: AbortSignal.timeout(MODELS_TIMEOUT_MS),
    });
    const text = await answer.body.text();
    if (answer.statusCode !== 200) return [];
    const json: unknown = JSON.parse(text);
    const models = isJsonObject(json) ? readArray(json, 'data') : [];
    return models.flatMap((model) => {
      const id = isJsonObject(model) ? readString(model, 'id') : null;
      return id === null ? [] : [id];
    });
  }

  redact(text: string): string {
    return this.#apiKey === null ? text : text.replaceAll(this.#apiKey, '[key]');
  }

  /** Ends all connections. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#pool.destroy();
    return this.#closing;
  }

  #authorization(): Readonly<Record<string, string>> {
    return this.#apiKey === null ? {} : { authorization: `Bearer ${this.#apiKey}` };
  }
}

/** One request: tells the sink of a stream's bytes, or of a failure, once. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #sink: AnswerSink;
  #controller: Dispatcher.DispatchController | null = null;
  #isSettled = false;
  #status = 0;
  #contentType = '';
  #isStream = false;
  #errorBody = '';

  constructor(sink: AnswerSink) {
    this.#sink = sink;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isSettled) this.#abort();
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    this.#status = status;
    this.#contentType = String(headers['content-type'] ?? 'no content type');
    this.#isStream = status === 200 && this.#contentType.startsWith('text/event-stream');
  }

  onResponseData(_controller: Dispatcher.DispatchController, bytes: Buffer): void {
    if (this.#isSettled) return;
    if (this.#isStream) {
      this.#sink.onData(bytes);
      return;
    }
    this.#errorBody += bytes.toString('utf8');
    if (this.#errorBody.length < MAX_ERROR_BYTES) return;
    this.#fail(this.#statusFailure());
    this.#abort();
  }

  onResponseEnd(): void {
    if (this.#isSettled) return;
    if (!this.#isStream) {
      this.#fail(this.#statusFailure());
      return;
    }
    this.#isSettled = true;
    this.#sink.onEnd();
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, cause: Error): void {
    const code = 'code' in cause && typeof cause.code === 'string' ? `${cause.code}: ` : '';
    this.#fail({ kind: 'connection', message: `${code}${cause.message}` });
  }

  cancel(): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#abort();
  }

  #statusFailure(): LoadFailure {
    const message = errorMessageOf(this.#errorBody);
    if (this.#status !== 200) return { kind: 'status', status: this.#status, message };
    const what = `not an event stream but ${this.#contentType}`;
    return { kind: 'status', status: this.#status, message: what };
  }

  #fail(failure: LoadFailure): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#sink.onFailure({ ...failure, message: clip(failure.message) });
  }

  #abort(): void {
    this.#controller?.abort(new DOMException('given up by the client', 'AbortError'));
  }
}
