import type { Clock, TimerHandle } from '../../core/clock.ts';
import type { Endpoint } from '../../pool/endpoint.ts';
import type { UpstreamTimeouts } from '../options.ts';
import type { ConnectionOwner } from './connection.ts';
import { Connection } from './connection.ts';

/**
 * Idle connections are closed before the server does: uvicorn, under most engines, closes them
 * after 5 s, and a request written into a closing connection is lost.
 */
const KEEP_ALIVE_MS = 4000;

/** How often time-outs are looked at; they are late by at most this. */
const SWEEP_MS = 50;

/** Connections to one endpoint: those between requests, the one used last on top. */
interface EndpointConnections {
  readonly idle: Connection[];
  readonly all: Set<Connection>;
}

/**
 * Connections to every endpoint, opened on demand and kept for the next request. One timer watches
 * all deadlines, and runs only while there is a connection.
 */
export class UpstreamConnections implements ConnectionOwner {
  readonly #clock: Clock;
  readonly #endpoints: Map<Endpoint, EndpointConnections> = new Map();
  #timeouts: UpstreamTimeouts;
  #nowMs: number;
  #timer: TimerHandle | null = null;

  constructor(clock: Clock, timeouts: UpstreamTimeouts) {
    this.#clock = clock;
    this.#timeouts = timeouts;
    this.#nowMs = clock.now();
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  get timeouts(): UpstreamTimeouts {
    return this.#timeouts;
  }

  /** Waits that begin from now on use these. */
  setTimeouts(timeouts: UpstreamTimeouts): void {
    this.#timeouts = timeouts;
  }

  /**
   * A connection to send one request on: an idle one, or a new one when there is none or `isFresh`
   * asks for it.
   */
  take(endpoint: Endpoint, { isFresh }: { readonly isFresh: boolean }): Connection {
    this.#watch();
    const idle = isFresh ? undefined : this.#connectionsOf(endpoint).idle.pop();
    return idle ?? this.#open(endpoint);
  }

  /** Closes what endpoints that are gone still have open but idle. */
  forgetRemoved(): void {
    for (const [endpoint, { idle }] of this.#endpoints) {
      if (endpoint.isRemoved) for (const connection of idle.splice(0)) connection.abort();
    }
  }

  /** Breaks every connection. */
  close(): void {
    for (const { all } of Array.from(this.#endpoints.values())) {
      for (const connection of Array.from(all)) connection.abort();
    }
    if (this.#timer !== null) this.#clock.clearTimer(this.#timer);
    this.#timer = null;
  }

  onIdle(connection: Connection): void {
    const { endpoint } = connection;
    if (endpoint.isRemoved) connection.abort();
    else this.#connectionsOf(endpoint).idle.push(connection);
  }

  onClosed(connection: Connection): void {
    const { endpoint } = connection;
    const connections = this.#connectionsOf(endpoint);
    connections.all.delete(connection);
    const place = connections.idle.indexOf(connection);
    if (place >= 0) connections.idle.splice(place, 1);
    if (connections.all.size === 0) this.#endpoints.delete(endpoint);
  }

  #open(endpoint: Endpoint): Connection {
    const connection = new Connection(endpoint, this);
    this.#connectionsOf(endpoint).all.add(connection);
    return connection;
  }

  #connectionsOf(endpoint: Endpoint): EndpointConnections {
    let connections = this.#endpoints.get(endpoint);
    if (connections === undefined) {
      connections = { idle: [], all: new Set() };
      this.#endpoints.set(endpoint, connections);
    }
    return connections;
  }

  #watch(): void {
    if (this.#timer !== null) return;
    this.#nowMs = this.#clock.now();
    this.#timer = this.#clock.setTimer(SWEEP_MS, () => {
      this.#timer = null;
      this.#sweep();
      if (this.#endpoints.size > 0) this.#watch();
    });
  }

  #sweep(): void {
    const nowMs = this.#clock.now();
    this.#nowMs = nowMs;
    for (const { all } of this.#endpoints.values()) {
      for (const connection of all) {
        if (connection.isStaleAt(nowMs, KEEP_ALIVE_MS)) connection.abort();
        else connection.checkDeadline(nowMs);
      }
    }
  }
}
