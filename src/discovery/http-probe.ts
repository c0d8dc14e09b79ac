import { Pool } from 'undici';
import type { Dispatcher } from 'undici';

import type { Clock, TimerHandle } from '../core/clock.ts';
import { fail, succeed } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { EndpointTls } from '../pool/endpoint.ts';
import type { ProbeAnswer } from '../protocol/engines/evidence.ts';
import { describeFailure } from './http-failure.ts';
import type { HttpFailure } from './http-failure.ts';

/** Where a server is. */
export interface HttpTarget {
  readonly origin: string;
  /** '' or a path that starts with a slash and ends without one. */
  readonly basePath: string;
  readonly tls: EndpointTls | null;
}

/** Bounds of one request. */
export interface HttpProbeOptions {
  readonly clock: Clock;
  /** From the call to the last byte of the answer, a retry included separately. */
  readonly timeoutMs: number;
  /** Bytes of a body read at most; a longer one is a failure. */
  readonly maxBodyBytes: number;
}

/** Connections to one server: enough for a probe's requests to go out side by side. */
const CONNECTIONS = 4;

/**
 * Longer than the slowest scrape interval, so that a scrape of an idle server finds its connection.
 */
const KEEP_ALIVE_MS = 15_000;

/** A connection is given up this long before the server says that it will close it. */
const KEEP_ALIVE_MARGIN_MS = 300;

const HEADERS: Readonly<Record<string, string>> = Object.freeze({
  accept: '*/*',
  'user-agent': 'penstock',
});

/**
 * Asks one server small questions by GET. Every answer with a status is a success, redirects too:
 * they are never followed. A connection that the server closed just as it was reused is tried once
 * more.
 */
export class HttpProbe {
  readonly #pool: Pool;
  readonly #basePath: string;
  readonly #options: HttpProbeOptions;
  #closing: Promise<void> | null = null;

  constructor(target: HttpTarget, options: HttpProbeOptions) {
    this.#basePath = target.basePath;
    this.#options = options;
    this.#pool = new Pool(target.origin, {
      connections: CONNECTIONS,
      pipelining: 1,
      allowH2: false,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveTimeoutThreshold: KEEP_ALIVE_MARGIN_MS,
      headersTimeout: options.timeoutMs,
      bodyTimeout: options.timeoutMs,
      connect: { timeout: options.timeoutMs, ...tlsOptions(target.tls) },
    });
  }

  /** The answer at `path`, which is below the server's base path. Never rejects. */
  async get(path: string): Promise<Result<ProbeAnswer, HttpFailure>> {
    const first = await this.#getOnce(path);
    if (first.ok || first.error.kind !== 'reset') return first;
    return this.#getOnce(path);
  }

  /** Ends all connections; requests under way fail with `closed`. */
  close(): Promise<void> {
    this.#closing ??= this.#pool.destroy();
    return this.#closing;
  }

  #getOnce(path: string): Promise<Result<ProbeAnswer, HttpFailure>> {
    return new Promise((resolve) => {
      const exchange = new Exchange(this.#options, resolve);
      try {
        this.#pool.dispatch(
          { method: 'GET', path: `${this.#basePath}${path}`, headers: HEADERS },
          exchange,
        );
      } catch (cause) {
        exchange.fail(cause);
      }
    });
  }
}

class Exchange implements Dispatcher.DispatchHandler {
  readonly #options: HttpProbeOptions;
  readonly #settle: (result: Result<ProbeAnswer, HttpFailure>) => void;
  readonly #timer: TimerHandle;
  readonly #chunks: Buffer[] = [];
  #bodyBytes = 0;
  #status = 0;
  #server = '';
  #contentType = '';
  #controller: Dispatcher.DispatchController | null = null;
  #isSettled = false;

  constructor(
    options: HttpProbeOptions,
    settle: (result: Result<ProbeAnswer, HttpFailure>) => void,
  ) {
    this.#options = options;
    this.#settle = settle;
    this.#timer = options.clock.setTimer(options.timeoutMs, () => {
      this.#stop({ kind: 'timeout', message: `no answer within ${options.timeoutMs} ms` });
    });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isSettled) controller.abort(new DOMException('too late', 'AbortError'));
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    this.#status = status;
    this.#server = firstOf(headers['server']);
    this.#contentType = firstOf(headers['content-type']);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#isSettled) return;
    this.#bodyBytes += chunk.length;
    if (this.#bodyBytes > this.#options.maxBodyBytes) {
      const limit = this.#options.maxBodyBytes;
      this.#stop({ kind: 'too-large', message: `the answer is longer than ${limit} bytes` });
      return;
    }
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    if (this.#isSettled) return;
    const [first] = this.#chunks;
    const body =
      first !== undefined && this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks);
    const text = body.toString('utf8');
    const answer: ProbeAnswer = {
      status: this.#status,
      server: this.#server,
      text,
      json: parseJson(text, this.#contentType),
    };
    this.#finish(succeed(answer));
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.fail(error);
  }

  /** Settles with a failure, unless it is settled. */
  fail(cause: unknown): void {
    this.#finish(fail(describeFailure(cause)));
  }

  #stop(failure: HttpFailure): void {
    this.#finish(fail(failure));
    this.#controller?.abort(new DOMException(failure.message, 'AbortError'));
  }

  #finish(result: Result<ProbeAnswer, HttpFailure>): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#options.clock.clearTimer(this.#timer);
    this.#settle(result);
  }
}

function firstOf(value: string | string[] | undefined): string {
  return (Array.isArray(value) ? value[0] : value) ?? '';
}

/** Servers mislabel JSON, so its first character decides where the content type does not. */
function parseJson(text: string, contentType: string): unknown {
  const isLikely = contentType.includes('json') || text.startsWith('{') || text.startsWith('[');
  if (!isLikely) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function tlsOptions(tls: EndpointTls | null): Readonly<Record<string, unknown>> {
  if (tls === null) return {};
  return {
    rejectUnauthorized: !tls.skipVerify,
    ...(tls.caPem === null ? {} : { ca: tls.caPem }),
    ...(tls.certPem === null ? {} : { cert: tls.certPem }),
    ...(tls.keyPem === null ? {} : { key: tls.keyPem }),
    ...(tls.serverName === null ? {} : { servername: tls.serverName }),
  };
}
