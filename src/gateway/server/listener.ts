import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Socket } from 'node:net';
import { must } from '../../core/assert.ts';
import type { ClientLimits, ListenerOptions } from '../options.ts';
import type { ClientError } from './client-error.ts';
import { answerClientError } from './client-error.ts';
import type { Router } from './router.ts';

/** How often Node looks for connections whose request head is late. */
const CHECK_INTERVAL_MS = 1000;

/** An address on which clients are served. */
export class Listener {
  readonly options: ListenerOptions;
  readonly #server: Server | TlsServer;
  readonly #limits: ClientLimits;
  #isDraining = false;

  constructor(
    options: ListenerOptions,
    parts: {
      readonly router: Router;
      readonly limits: ClientLimits;
      readonly onError: (code: string) => void;
    },
  ) {
    const { router, limits, onError } = parts;
    this.options = options;
    this.#limits = limits;
    this.#server = createHttpServer(options, limits);
    this.#server.on('request', (request, response) => {
      if (this.#isDraining) response.shouldKeepAlive = false;
      router.handle(request, response, options);
    });
    this.#server.on('clientError', (error: ClientError, socket) => {
      const code = answerClientError(error, socket as Socket, { urlBytesMax: limits.urlBytes });
      if (code !== null) onError(code);
    });
    this.#server.on('connect', (_request, socket) => socket.destroy());
  }

  /** Starts to accept; rejects with the system's error when the address cannot be bound. */
  async listen(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once('error', reject);
    this.#server.listen({ host: this.options.host, port: this.options.port }, () => {
      this.#server.off('error', reject);
      resolve();
    });
    await promise;
  }

  /** Address in use, with the port that the system chose when 0 was asked for. */
  get address(): { readonly host: string; readonly port: number } {
    const address = must(this.#server.address(), 'listener address') as AddressInfo;
    return { host: address.address, port: address.port };
  }

  get url(): string {
    const { host, port } = this.address;
    const scheme = this.options.tls === null ? 'http' : 'https';
    return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`;
  }

  /** Uses another certificate for new connections. */
  renewCertificate(tls: { readonly certPem: string; readonly keyPem: string }): void {
    if ('setSecureContext' in this.#server) {
      this.#server.setSecureContext({ cert: tls.certPem, key: tls.keyPem });
    }
  }

  /** Whether these limits need another server object. */
  hasLimits(limits: ClientLimits): boolean {
    return (Object.keys(limits) as (keyof ClientLimits)[]).every(
      (key) => limits[key] === this.#limits[key],
    );
  }

  /** Stops to accept; resolves when every connection is closed. Busy ones finish their requests. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => {
      resolve();
    });
    this.#server.closeIdleConnections();
    await promise;
  }

  /** Breaks every connection that is left. */
  destroy(): void {
    this.#server.closeAllConnections();
  }
}

function createHttpServer(options: ListenerOptions, limits: ClientLimits): Server | TlsServer {
  const shared = {
    maxHeaderSize: limits.headerBytes + limits.urlBytes,
    headersTimeout: limits.headMs,
    // The whole request may take long; silence inside a body is watched by the exchange.
    requestTimeout: 0,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: Math.min(CHECK_INTERVAL_MS, Math.max(50, limits.headMs / 4)),
    noDelay: true,
    // Node would answer such a request with an empty body; the router does so in its API's shape.
    requireHostHeader: false,
  };
  const { tls } = options;
  const server =
    tls === null
      ? createServer(shared)
      : createTlsServer({
          ...shared,
          cert: tls.certPem,
          key: tls.keyPem,
          minVersion: 'TLSv1.2',
          ALPNProtocols: ['http/1.1'],
        });
  server.maxConnections = limits.connections;
  return server;
}
