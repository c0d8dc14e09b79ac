import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { Server as NetServer } from 'node:net';
import { must } from '../../core/assert.ts';
import type { ErrorCode } from '../../core/errors.ts';
import type { ClientLimits, ListenerOptions } from '../options.ts';
import { ClientConnection } from './client-connection.ts';
import type { ClientError } from './client-error.ts';
import { answerClientError } from './client-error.ts';
import type { Router } from './router.ts';

/** How often Node looks for connections whose request head is late. */
const CHECK_INTERVAL_MS = 1000;

/** What a listener is connected to. */
export interface ListenerParts {
  readonly router: Router;
  readonly limits: ClientLimits;
  /** A request was refused that never became one. */
  readonly onRefused: (code: ErrorCode) => void;
  /** No connection could be accepted, for want of file descriptors for example. */
  readonly onAcceptFailure: (cause: Error) => void;
}

/** An address on which clients are served. */
export class Listener {
  readonly #server: Server | TlsServer;
  readonly #connections: Map<Socket, ClientConnection> = new Map();
  /** Sockets as accepted; those of HTTPS include handshakes under way. */
  readonly #sockets: Set<Socket> = new Set();
  #options: ListenerOptions;
  #limits: ClientLimits;
  #draining: Promise<void> | null = null;
  #onEmpty: (() => void) | null = null;

  constructor(options: ListenerOptions, { router, limits, ...parts }: ListenerParts) {
    this.#options = options;
    this.#limits = limits;
    this.#server = createHttpServer(options, limits);
    this.#server.on('request', (request, response) => {
      this.#connections.get(request.socket)?.begin(response);
      router.handle(request, response, this.#options);
    });
    this.#server.on('connection', (socket: Socket) => {
      this.#noteSocket(socket);
    });
    this.#server.on(options.tls === null ? 'connection' : 'secureConnection', (socket: Socket) => {
      this.#noteConnection(socket);
    });
    this.#server.on('clientError', (error: ClientError, socket) => {
      const { urlBytes } = this.#limits;
      const code = answerClientError(error, socket as Socket, { urlBytesMax: urlBytes });
      if (code !== null) parts.onRefused(code);
    });
    this.#server.on('connect', (_request, socket) => socket.destroy());
    this.#server.on('error', (cause) => {
      // Before that it is `listen` that fails.
      if (this.#server.listening) parts.onAcceptFailure(cause);
    });
  }

  get options(): ListenerOptions {
    return this.#options;
  }

  /** Starts to accept; rejects with the system's error when the address cannot be bound. */
  async listen(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once('error', reject);
    this.#server.listen({ host: this.#options.host, port: this.#options.port }, () => {
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
    const scheme = this.#options.tls === null ? 'http' : 'https';
    return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`;
  }

  /**
   * Takes other settings for the same address: trust at once, certificate and limits for
   * connections that come from now on. Connections that are open stay.
   */
  configure(options: ListenerOptions, limits: ClientLimits): void {
    const { tls } = options;
    this.#options = options;
    this.#limits = limits;
    this.#server.headersTimeout = limits.headMs;
    this.#server.keepAliveTimeout = limits.keepAliveMs;
    this.#server.maxConnections = limits.connections;
    // Not among the declared properties, but read for each connection like the others.
    Object.assign(this.#server, { maxHeaderSize: maxHeaderSize(limits) });
    if (tls !== null && 'setSecureContext' in this.#server) {
      this.#server.setSecureContext({ cert: tls.certPem, key: tls.keyPem });
    }
  }

  /**
   * Stops to accept; resolves when every connection is closed, and all that hangs on it has heard
   * of it. Busy ones finish their requests. Idempotent.
   */
  drain(): Promise<void> {
    this.#draining ??= this.#drain();
    return this.#draining;
  }

  /** Breaks every connection that is left. */
  destroy(): void {
    for (const socket of this.#connections.keys()) socket.destroy();
    for (const socket of this.#sockets) socket.destroy();
  }

  async #drain(): Promise<void> {
    const closed = Promise.withResolvers<void>();
    // Node's HTTP servers would close idle connections by their own rule, and would stop to watch
    // for late heads: only the listening itself is to end.
    NetServer.prototype.close.call(this.#server, () => {
      closed.resolve();
    });
    for (const connection of this.#connections.values()) connection.leave();
    await Promise.all([closed.promise, this.#whenEmpty()]);
    this.#server.close();
  }

  /**
   * The server itself counts a connection as closed before its socket has said so, and with that
   * the request on it: a client that left just then would be counted as broken off.
   */
  async #whenEmpty(): Promise<void> {
    if (this.#sockets.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onEmpty = resolve;
    await promise;
  }

  #noteSocket(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => {
      this.#sockets.delete(socket);
      if (this.#sockets.size === 0) this.#onEmpty?.();
    });
  }

  #noteConnection(socket: Socket): void {
    const connection = new ClientConnection(socket);
    this.#connections.set(socket, connection);
    socket.on('close', () => {
      this.#connections.delete(socket);
    });
    if (this.#draining !== null) connection.leave();
  }
}

function createHttpServer(options: ListenerOptions, limits: ClientLimits): Server | TlsServer {
  const shared = {
    maxHeaderSize: maxHeaderSize(limits),
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

function maxHeaderSize(limits: ClientLimits): number {
  return limits.headerBytes + limits.urlBytes;
}
