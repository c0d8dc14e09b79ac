import type { Dispatcher } from 'undici';
import { Pool } from 'undici';
import type { FailureSink } from '../../core/spawn.ts';
import { spawn } from '../../core/spawn.ts';
import type { Endpoint } from '../../pool/endpoint.ts';
import type { UpstreamTimeouts } from '../options.ts';

/** One request to send to an endpoint; headers as a flat list of names and values. */
export interface UpstreamRequest {
  readonly method: string;
  /** Path and query, without the endpoint's base path. */
  readonly path: string;
  readonly headers: string[];
  readonly body: Dispatcher.DispatchOptions['body'];
}

/**
 * Idle connections are closed before the server does: uvicorn, under most engines, closes them after
 * 5 s, and a request sent into a closing connection is lost.
 */
const KEEP_ALIVE_MS = 4000;

/** Head of an engine's answer; Node's own limit for servers. */
const RESPONSE_HEAD_BYTES = 64 * 1024;

/** Keep-alive connections to every endpoint, opened on demand, closed when the endpoint is gone. */
export class UpstreamConnections {
  readonly #pools: Map<Endpoint, Pool> = new Map();
  readonly #onFailure: FailureSink;
  #timeouts: UpstreamTimeouts;

  constructor(timeouts: UpstreamTimeouts, onFailure: FailureSink) {
    this.#timeouts = timeouts;
    this.#onFailure = onFailure;
  }

  /** New connections use these timeouts; open ones keep theirs until they are idle. */
  setTimeouts(timeouts: UpstreamTimeouts): void {
    const isSame = timeouts.connectMs === this.#timeouts.connectMs;
    this.#timeouts = timeouts;
    if (isSame) return;
    for (const pool of this.#pools.values()) spawn('close pool', pool.close(), this.#onFailure);
    this.#pools.clear();
  }

  /** Sends a request; everything else is told to `handler`. */
  dispatch(
    endpoint: Endpoint,
    request: UpstreamRequest,
    handler: Dispatcher.DispatchHandler,
  ): void {
    this.#poolOf(endpoint).dispatch(
      {
        method: request.method as Dispatcher.HttpMethod,
        path: endpoint.basePath + request.path,
        headers: request.headers,
        body: request.body,
        headersTimeout: this.#timeouts.firstByteMs ?? 0,
        bodyTimeout: this.#timeouts.idleMs ?? 0,
      } as Dispatcher.DispatchOptions,
      handler,
    );
  }

  /** Closes the connections of endpoints that are gone, once their requests have ended. */
  forgetRemoved(): void {
    for (const [endpoint, pool] of this.#pools) {
      if (!endpoint.isRemoved) continue;
      this.#pools.delete(endpoint);
      spawn('close pool', pool.close(), this.#onFailure);
    }
  }

  /** Breaks every connection. */
  async close(): Promise<void> {
    const pools = [...this.#pools.values()];
    this.#pools.clear();
    await Promise.all(pools.map((pool) => pool.destroy()));
  }

  #poolOf(endpoint: Endpoint): Pool {
    let pool = this.#pools.get(endpoint);
    if (pool === undefined) {
      pool = this.#createPool(endpoint);
      this.#pools.set(endpoint, pool);
    }
    return pool;
  }

  #createPool(endpoint: Endpoint): Pool {
    const { tls } = endpoint.spec;
    return new Pool(endpoint.origin, {
      connections: null,
      pipelining: 1,
      allowH2: false,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: RESPONSE_HEAD_BYTES,
      connect: {
        timeout: this.#timeouts.connectMs ?? 0,
        ...(tls === null
          ? {}
          : {
              ...(tls.caPem === null ? {} : { ca: tls.caPem }),
              ...(tls.certPem === null ? {} : { cert: tls.certPem }),
              ...(tls.keyPem === null ? {} : { key: tls.keyPem }),
              ...(tls.serverName === null ? {} : { servername: tls.serverName }),
              rejectUnauthorized: !tls.skipVerify,
            }),
      },
    });
  }
}
