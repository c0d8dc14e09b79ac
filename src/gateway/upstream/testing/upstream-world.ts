import { createHash } from 'node:crypto';
import { channel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import type { TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createRng } from '../../../core/rng.ts';
import { VirtualClock } from '../../../core/virtual-clock.ts';
import type { EndpointTls } from '../../../pool/endpoint.ts';
import { Endpoint } from '../../../pool/endpoint.ts';
import { DEFAULT_HEALTH_OPTIONS, Health } from '../../../pool/health.ts';
import { specOf } from '../../../pool/testing/builders.ts';
import type { UpstreamTimeouts } from '../../options.ts';
import type { AnswerHead } from '../answer-head.ts';
import type { AnswerHandler, Connection, UpstreamRequest } from '../connection.ts';
import { UpstreamConnections } from '../connections.ts';
import { RequestBody } from '../request-body.ts';
import type { UpstreamFailure } from '../upstream-failure.ts';

/** Waits of the tests: all different, so that it shows which one has passed. */
export const TIMEOUTS: UpstreamTimeouts = {
  connectMs: 2000,
  firstByteMs: 10_000,
  idleMs: 5000,
  totalMs: null,
};

/** Connections in virtual time. */
export interface World {
  readonly clock: VirtualClock;
  readonly connections: UpstreamConnections;
  /** The client's sockets, in the order they were opened. */
  readonly sockets: readonly Socket[];
}

export function createWorld(t: TestContext, change: Partial<UpstreamTimeouts> = {}): World {
  const clock = new VirtualClock();
  const connections = new UpstreamConnections(clock, { ...TIMEOUTS, ...change });
  const sockets: Socket[] = [];
  const opened = channel('net.client.socket');
  const note = (message: unknown): void => {
    sockets.push((message as { readonly socket: Socket }).socket);
  };
  opened.subscribe(note);
  t.after(() => {
    opened.unsubscribe(note);
    connections.close();
  });
  return { clock, connections, sockets };
}

export function endpointAt(url: string, tls: EndpointTls | null = null): Endpoint {
  const health = new Health(DEFAULT_HEALTH_OPTIONS, createRng(1));
  return new Endpoint(specOf(url, { tls }), { slot: 0, pool: null, health });
}

/** A server whose every byte is the test's. */
export interface RawServer {
  readonly endpoint: Endpoint;
  readonly port: number;
  /** Its sides of the connections, in the order they came. */
  readonly sockets: readonly Socket[];
}

/** Called for each request head, with all bytes of the connection so far. */
export type RawHandler = (socket: Socket, received: Buffer, requestIndex: number) => void;

export async function startRawServer(t: TestContext, handle: RawHandler): Promise<RawServer> {
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    let received = Buffer.alloc(0);
    let requests = 0;
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
      const heads = received.toString('latin1').split('POST / HTTP/1.1\r\n').length - 1;
      for (; requests < heads; requests += 1) handle(socket, received, requests);
    });
  });
  const port = await listen(t, server, sockets);
  return { endpoint: endpointAt(`http://127.0.0.1:${port}`), port, sockets };
}

/** Serves on a free port until the test ends. */
export async function listen(
  t: TestContext,
  server: Server,
  sockets: readonly Socket[] = [],
): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(async () => {
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  return (server.address() as AddressInfo).port;
}

/** A request that waits for its answer. */
export class Call implements AnswerHandler {
  readonly pieces: Buffer[] = [];
  /** Every event, in order; pieces of the body that follow each other as one. */
  readonly events: string[] = [];
  head: AnswerHead | null = null;
  failure: UpstreamFailure | null = null;
  receivedBytes = 0;
  /** Asks for a pause with each piece. */
  isPausing = false;
  /** Called when the answer is complete, before anybody else. */
  onDone: () => void = () => undefined;
  readonly #ended: PromiseWithResolvers<void> = Promise.withResolvers();

  onHead(head: AnswerHead): void {
    this.head = head;
    this.events.push('head');
  }

  onData(chunk: Buffer): boolean {
    this.pieces.push(chunk);
    this.receivedBytes += chunk.length;
    if (this.events.at(-1) !== 'data') this.events.push('data');
    return !this.isPausing;
  }

  onEnd(): void {
    this.events.push('end');
    this.onDone();
    this.#ended.resolve();
  }

  onFailure(failure: UpstreamFailure): void {
    this.failure = failure;
    this.events.push(failure.kind);
    this.#ended.resolve();
  }

  get body(): Buffer {
    return Buffer.concat(this.pieces);
  }

  get text(): string {
    return this.body.toString('latin1');
  }

  /** Resolves when nothing more will follow. */
  async ended(): Promise<this> {
    await this.#ended.promise;
    return this;
  }
}

export interface Sending {
  readonly body?: Uint8Array | RequestBody;
  /** By default the length of a body that is given as bytes. */
  readonly contentLength?: number | null;
  readonly isFresh?: boolean;
}

/** Sends a request on a connection of the world's choice. */
export function send(
  world: World,
  endpoint: Endpoint,
  sending: Sending = {},
): { readonly call: Call; readonly connection: Connection } {
  const connection = world.connections.take(endpoint, { isFresh: sending.isFresh ?? false });
  const call = new Call();
  connection.send(requestOf(sending), call);
  return { call, connection };
}

export function requestOf({ body = new Uint8Array(), contentLength }: Sending): UpstreamRequest {
  const length = contentLength ?? (body instanceof Uint8Array ? body.length : null);
  const framing = length === null ? 'transfer-encoding: chunked' : `content-length: ${length}`;
  return {
    method: 'POST',
    path: '/',
    fields: `host: test\r\n${framing}\r\n`,
    body: body instanceof Uint8Array ? wholeBody(body) : body,
    isChunked: length === null,
  };
}

export function wholeBody(bytes: Uint8Array): RequestBody {
  const body = arrivingBody();
  body.push(bytes);
  body.end();
  return body;
}

/** A body whose bytes are pushed by the test. */
export function arrivingBody(
  source = { pause: (): void => undefined, resume: (): void => undefined },
): RequestBody {
  return new RequestBody(source, { replayBytes: 64 * 1024 });
}

/** Sends a request and waits until nothing more follows. */
export async function exchange(
  world: World,
  endpoint: Endpoint,
  sending: Sending = {},
): Promise<Call> {
  return send(world, endpoint, sending).call.ended();
}

/** Lets whatever is on its way on loopback sockets arrive. */
export async function settle(turns = 12): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await nextTurn();
}

/** Waits for something that only the passing of real time can bring; fails after ten seconds. */
export async function until(what: string, isTrue: () => boolean): Promise<void> {
  const limitMs = performance.now() + 10_000;
  while (!isTrue()) {
    if (performance.now() > limitMs) throw new Error(`not within ten seconds: ${what}`);
    await nextTurn();
  }
}

/** A whole answer with a length. */
export function answerOf(body: string, ...lines: readonly string[]): string {
  const head = ['HTTP/1.1 200 OK', `content-length: ${body.length}`, ...lines];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}

/** Bytes in which no part looks like another. */
export function variedBytes(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let at = 0, value = 12_345; at + 4 <= length; at += 4) {
    value = (Math.imul(value, 1_103_515_245) + 12_345) >>> 0;
    bytes.writeUInt32LE(value, at);
  }
  return bytes;
}

/** SHA-256 of the pieces, one behind the other. */
export function hashOf(...pieces: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}
