import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import type { TestContext } from 'node:test';
import type { ErrorCode } from '../../../core/errors.ts';
import type { ClientLimits } from '../../options.ts';
import type { ConnectionOwner } from '../client-connection.ts';
import { ClientConnection } from '../client-connection.ts';
import type { ClientStream, StreamHandler } from '../client-stream.ts';
import { ServerTime } from '../server-time.ts';
import { LIMITS } from './reading.ts';

/** A request that was begun, and what was told of it. */
export class Visit implements StreamHandler {
  readonly stream: ClientStream;
  readonly pieces: Buffer[] = [];
  /** Every event, in order; pieces of the body that follow each other as one. */
  readonly events: string[] = [];
  /** Called for each piece of the body. */
  onPiece: () => void = () => undefined;

  constructor(stream: ClientStream) {
    this.stream = stream;
    stream.handler = this;
  }

  get body(): string {
    return Buffer.concat(this.pieces).toString('latin1');
  }

  onBody(chunk: Buffer): void {
    this.pieces.push(chunk);
    if (this.events.at(-1) !== 'body') this.events.push('body');
    this.onPiece();
  }

  onBodyEnd(): void {
    this.events.push('end');
  }

  onDrain(): void {
    this.events.push('drain');
  }

  onClosed(): void {
    this.events.push('closed');
  }
}

/** One connection in virtual time, with a client whose every byte is the test's. */
export class ConnectionWorld implements ConnectionOwner {
  readonly limits: ClientLimits;
  readonly time: ServerTime = new ServerTime(0, 0);
  readonly visits: Visit[] = [];
  readonly refused: ErrorCode[] = [];
  /** Answers a request; by default it waits for the test. */
  answer: (visit: Visit) => void = () => undefined;
  closedCount = 0;
  #connection: ClientConnection | null = null;
  #client: Socket | null = null;
  #server: Socket | null = null;
  #received = '';
  #hasEnded = false;

  constructor(limits: Partial<ClientLimits> = {}) {
    this.limits = { ...LIMITS, ...limits };
  }

  get connection(): ClientConnection {
    return this.#connection!;
  }

  get client(): Socket {
    return this.#client!;
  }

  /** The gateway's side. */
  get socket(): Socket {
    return this.#server!;
  }

  /** What the client has received; latin1. */
  get received(): string {
    return this.#received;
  }

  /** Whether the client was sent a FIN or RST. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  async open(t: TestContext): Promise<this> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const accepted = once(server, 'connection');
    this.#client = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    this.#client.on('data', (bytes: Buffer) => (this.#received += bytes.toString('latin1')));
    this.#client.on('end', () => (this.#hasEnded = true));
    this.#client.on('close', () => (this.#hasEnded = true));
    this.#client.on('error', () => undefined);
    [this.#server] = (await accepted) as [Socket];
    this.#connection = new ClientConnection(this.#server, this);
    t.after(() => {
      this.client.destroy();
      this.socket.destroy();
      server.close();
    });
    return this;
  }

  onRequest(stream: ClientStream): void {
    const visit = new Visit(stream);
    this.visits.push(visit);
    this.answer(visit);
  }

  onRefused(code: ErrorCode): void {
    this.refused.push(code);
  }

  onClosed(): void {
    this.closedCount += 1;
  }

  send(text: string): void {
    this.client.write(text, 'latin1');
  }

  /** Lets virtual time pass, in the steps in which the gateway looks at it. */
  pass(forMs: number): void {
    const end = this.time.nowMs + forMs;
    while (this.time.nowMs < end) {
      const nowMs = Math.min(end, this.time.nowMs + 250);
      this.time.update(nowMs, nowMs);
      this.connection.checkDeadline(nowMs);
    }
  }

  /** Waits until `isTrue` holds. */
  async until(isTrue: () => boolean, what: string): Promise<void> {
    for (let i = 0; i < 5000; i += 1) {
      if (isTrue()) return;
      await new Promise((resolve) => setTimeout(resolve, i < 100 ? 0 : 2));
    }
    throw new Error(`gave up waiting for ${what}; received: ${this.#received.slice(0, 500)}`);
  }

  async untilReceived(text: string): Promise<void> {
    await this.until(() => this.#received.includes(text), text);
  }

  async untilEnded(): Promise<void> {
    await this.until(() => this.#hasEnded, 'the end of the connection');
  }

  async untilVisits(count: number): Promise<void> {
    await this.until(() => this.visits.length >= count, `${count} requests`);
  }
}
