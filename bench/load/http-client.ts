// Load generator of the bench, run as its own process: closed loop where wrk is absent, and open
// loop (a constant rate whatever the answers do), which wrk cannot.
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { DelayHistogram } from '../lib/stats.ts';
import { serveCommands } from '../lib/worker.ts';
import type { ClosedLoopOptions, LoadResult } from './load-result.ts';
import { MessageFramer } from './message-framer.ts';

/** A constant arrival rate over as many connections as it takes. */
export interface OpenLoopOptions {
  readonly port: number;
  readonly requestsPerSecond: number;
  readonly durationMs: number;
}

/** Commands of this process. */
export type HttpClientCommands = {
  readonly setBodies: { readonly params: readonly string[]; readonly result: null };
  /** Latency is that of the whole answer. */
  readonly runClosedLoop: { readonly params: ClosedLoopOptions; readonly result: LoadResult };
  /** Latency is from the first byte sent to the first byte received. */
  readonly runOpenLoop: { readonly params: OpenLoopOptions; readonly result: LoadResult };
};

/** How long answers may still come in after the last request was sent. */
const DRAIN_MS = 2_000;

let requests: readonly Buffer[] = [];
let turn = 0;

function encodeRequest(body: string): Buffer {
  const head = [
    'POST /v1/chat/completions HTTP/1.1',
    'host: 127.0.0.1',
    'content-type: application/json',
    'authorization: Bearer bench',
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
}

function nextRequest(): Buffer {
  turn = (turn + 1) % requests.length;
  return requests[turn] ?? Buffer.alloc(0);
}

/** Called when a request has ended, well or not. */
type AnswerListener = (connection: ClientConnection, isOk: boolean) => void;

/** One keep-alive connection with at most one request under way. */
class ClientConnection {
  readonly #socket: Socket;
  readonly #onAnswer: AnswerListener;
  #isBusy = false;
  #isOk = false;
  #sentAtMs = 0;
  firstByteMs = 0;
  totalMs = 0;

  constructor(port: number, onAnswer: AnswerListener) {
    this.#onAnswer = onAnswer;
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const framer = new MessageFramer({
      onHead: (head) => {
        this.#isOk = head.startsWith('HTTP/1.1 200 ');
      },
      onBody: () => {},
      onEnd: () => this.#finish(this.#isOk),
    });
    this.#socket.on('data', (chunk: Buffer) => {
      if (this.firstByteMs === 0) this.firstByteMs = performance.now() - this.#sentAtMs;
      framer.push(chunk);
    });
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => this.#finish(false));
  }

  send(request: Buffer): void {
    this.#isBusy = true;
    this.firstByteMs = 0;
    this.#sentAtMs = performance.now();
    this.#socket.write(request);
  }

  destroy(): void {
    this.#isBusy = false;
    this.#socket.destroy();
  }

  #finish(isOk: boolean): void {
    if (!this.#isBusy) return;
    this.#isBusy = false;
    this.totalMs = performance.now() - this.#sentAtMs;
    this.#onAnswer(this, isOk);
  }
}

/** Counts answers and their delays. */
class Tally {
  readonly #delays = new DelayHistogram();
  readonly #startedAtMs = performance.now();
  #requests = 0;
  failures = 0;

  add(delayMs: number, isOk: boolean): void {
    if (!isOk) {
      this.failures += 1;
      return;
    }
    this.#requests += 1;
    this.#delays.add(delayMs * 1000);
  }

  result(): LoadResult {
    return {
      requests: this.#requests,
      durationMs: performance.now() - this.#startedAtMs,
      failures: this.failures,
      p50Ms: this.#delays.quantileMs(0.5),
      p99Ms: this.#delays.quantileMs(0.99),
    };
  }
}

async function runClosedLoop(options: ClosedLoopOptions): Promise<LoadResult> {
  const tally = new Tally();
  const connections: ClientConnection[] = [];
  for (let index = 0; index < options.connections; index += 1) {
    const connection = new ClientConnection(options.port, (answered, isOk) => {
      tally.add(answered.totalMs, isOk);
      if (isOk) answered.send(nextRequest());
    });
    connections.push(connection);
    connection.send(nextRequest());
  }
  await sleep(options.durationMs);
  const result = tally.result();
  for (const connection of connections) connection.destroy();
  return result;
}

async function runOpenLoop(options: OpenLoopOptions): Promise<LoadResult> {
  const tally = new Tally();
  const idle: ClientConnection[] = [];
  const busy = new Set<ClientConnection>();
  const onAnswer: AnswerListener = (connection, isOk) => {
    tally.add(connection.firstByteMs, isOk);
    busy.delete(connection);
    if (isOk) idle.push(connection);
  };
  const startedAtMs = performance.now();
  const total = Math.floor((options.durationMs / 1000) * options.requestsPerSecond);
  for (let sent = 0; sent < total; sent += 1) {
    const dueMs = startedAtMs + (sent * 1000) / options.requestsPerSecond;
    const waitMs = dueMs - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    const connection = idle.pop() ?? new ClientConnection(options.port, onAnswer);
    busy.add(connection);
    connection.send(nextRequest());
  }
  const deadlineMs = performance.now() + DRAIN_MS;
  while (busy.size > 0 && performance.now() < deadlineMs) await sleep(5);
  tally.failures += busy.size;
  const result = tally.result();
  for (const connection of [...idle, ...busy]) connection.destroy();
  return result;
}

await serveCommands<HttpClientCommands>({
  setBodies: (bodies) => {
    requests = bodies.map(encodeRequest);
    return null;
  },
  runClosedLoop,
  runOpenLoop,
});
