import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import type { Server as TlsServer } from 'node:tls';
import { createServer as createTlsServer } from 'node:tls';
import { must } from '../../core/assert.ts';
import type { ErrorCode } from '../../core/errors.ts';
import { OpenList } from '../exchange/open-list.ts';
import type { ClientLimits, ListenerOptions } from '../options.ts';
import type { ConnectionOwner } from './client-connection.ts';
import { ClientConnection } from './client-connection.ts';
import type { ClientStream } from './client-stream.ts';
import type { Router } from './router.ts';
import type { ServerTime } from './server-time.ts';

/** What a listener is connected to. */
export interface ListenerParts {
  readonly router: Router;
  readonly limits: ClientLimits;
  readonly time: ServerTime;
  /** A request was refused that never became one. */
  readonly onRefused: (code: ErrorCode) => void;
  /** No connection could be accepted, for want of file descriptors for example. */
  readonly onAcceptFailure: (cause: Error) => void;
}

/** An address on which clients are served. */
export class Listener implements ConnectionOwner {
  readonly #parts: ListenerParts;
  readonly #server: Server | TlsServer;
  readonly #connections: OpenList<ClientConnection> = new OpenList();
  /** Sockets in the middle of a TLS handshake, or under a TLS connection. */
  readonly #tlsSockets: Set<Socket> = new Set();
  #options: ListenerOptions;
  #limits: ClientLimits;
  #draining: Promise<void> | null = null;
  #onEmpty: (() => void) | null = null;

  constructor(options: ListenerOptions, parts: ListenerParts) {
    this.#options = options;
    this.#limits = parts.limits;
    this.#parts = parts;
    this.#server = options.tls === null ? this.#createPlain() : this.#createTls(options.tls);
    this.#server.maxConnections = parts.limits.connections;
    this.#server.on('error', (cause) => {
      // Before that it is `listen` that fails.
      if (this.#server.listening) parts.onAcceptFailure(cause);
    });
  }

  get options(): ListenerOptions {
    return this.#options;
  }

  get limits(): ClientLimits {
    return this.#limits;
  }

  get time(): ServerTime {
    return this.#parts.time;
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

  /** Where it really listens. */
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
   * Takes other settings for the same address: trust and waits at once, certificate and sizes for
   * connections that come from now on. Connections that are open stay.
   */
  configure(options: ListenerOptions, limits: ClientLimits): void {
    const { tls } = options;
    this.#options = options;
    this.#limits = limits;
    this.#server.maxConnections = limits.connections;
    if (tls !== null && 'setSecureContext' in this.#server) {
      this.#server.setSecureContext({ cert: tls.certPem, key: tls.keyPem });
    }
  }

  /** Ends whatever has waited too long at `nowMs`; to be called a few times a second. */
  checkDeadlines(nowMs: number): void {
    for (const connection of this.#connections.snapshot()) connection.checkDeadline(nowMs);
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
    for (const connection of this.#connections.snapshot()) connection.destroy();
    for (const socket of this.#tlsSockets) socket.destroy();
  }

  onRequest(stream: ClientStream): void {
    this.#parts.router.handle(stream, this.#options);
  }

  onRefused(code: ErrorCode): void {
    this.#parts.onRefused(code);
  }

  onClosed(connection: ClientConnection): void {
    this.#connections.remove(connection);
    this.#checkEmpty();
  }

  async #drain(): Promise<void> {
    const closed = Promise.withResolvers<void>();
    this.#server.close(() => {
      closed.resolve();
    });
    for (const connection of this.#connections.snapshot()) connection.leave();
    await Promise.all([closed.promise, this.#whenEmpty()]);
  }

  /** The server itself may count a connection as closed before its socket has said so. */
  async #whenEmpty(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onEmpty = resolve;
    this.#checkEmpty();
    await promise;
  }

  #checkEmpty(): void {
    if (this.#connections.size === 0 && this.#tlsSockets.size === 0) this.#onEmpty?.();
  }

  #createPlain(): Server {
    return createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.#accept(socket);
    });
  }

  #createTls(tls: { readonly certPem: string; readonly keyPem: string }): TlsServer {
    const server = createTlsServer(
      {
        allowHalfOpen: true,
        noDelay: true,
        cert: tls.certPem,
        key: tls.keyPem,
        minVersion: 'TLSv1.2',
        ALPNProtocols: ['http/1.1'],
        handshakeTimeout: this.#limits.headMs,
      },
      (socket) => {
        this.#accept(socket);
      },
    );
    server.on('connection', (socket: Socket) => {
      this.#tlsSockets.add(socket);
      socket.on('close', () => {
        this.#tlsSockets.delete(socket);
        this.#checkEmpty();
      });
    });
    server.on('tlsClientError', (_error, socket) => {
      socket.destroy();
    });
    return server;
  }

  #accept(socket: Socket): void {
    const connection = new ClientConnection(socket, this);
    this.#connections.add(connection);
    if (this.#draining !== null) connection.leave();
  }
}
