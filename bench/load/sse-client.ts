// Streaming client, run as its own process: holds many streams open and measures each event's
// delay.
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { DelayHistogram } from '../lib/stats.ts';
import { serveCommands } from '../lib/worker.ts';
import { createChatBody } from './bodies.ts';
import { monotonicUs, STAMP_DIGITS, STAMP_MARK } from './chunk-format.ts';
import { MessageFramer } from './message-framer.ts';

/** Which streams to hold open. */
export interface OpenStreamsOptions {
  readonly port: number;
  readonly streams: number;
  /** Events per stream; a stream that ends is followed by a new one on the same connection. */
  readonly chunksPerStream: number;
  readonly intervalMs: number;
  /** Time over which the streams are opened. */
  readonly rampMs: number;
}

/** What arrived since measuring began. */
export interface StreamCounts {
  readonly windowMs: number;
  readonly chunks: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Streams that broke, ended early or were refused. */
  readonly failures: number;
  /** Usage events, which no request here asks for: a proxy that asks must take them out again. */
  readonly usageEvents: number;
  readonly endedStreams: number;
}

/** Commands of this process. */
export type SseClientCommands = {
  /** Opens the streams; resolves when each has received something, or fails when some have not. */
  readonly open: { readonly params: OpenStreamsOptions; readonly result: null };
  readonly measure: {
    readonly params: { readonly windowMs: number };
    readonly result: StreamCounts;
  };
  /** Closes all connections. */
  readonly close: { readonly params: null; readonly result: null };
};

const OPEN_TIMEOUT_MS = 10_000;
const BODY_BYTES = 1_024;
const EMPTY: Buffer = Buffer.alloc(0);

const delays = new DelayHistogram();
let chunks = 0;
let failures = 0;
let usageEvents = 0;
let endedStreams = 0;

/** One connection that carries one stream after the other. */
class StreamConnection {
  readonly #socket: Socket;
  readonly #request: Buffer;
  readonly #chunksPerStream: number;
  #isOk = false;
  #received = 0;
  /** A stamp whose digits have not all arrived. */
  #unfinished: Buffer | null = null;
  #lastPieces: readonly [Buffer, Buffer] = [EMPTY, EMPTY];
  hasAnswer = false;
  isClosing = false;

  constructor(options: OpenStreamsOptions, request: Buffer) {
    this.#chunksPerStream = options.chunksPerStream;
    this.#request = request;
    this.#socket = connect({ port: options.port, host: '127.0.0.1', noDelay: true });
    const framer = new MessageFramer({
      onHead: (head) => {
        this.#isOk = head.startsWith('HTTP/1.1 200 ');
        this.hasAnswer = true;
      },
      onBody: (piece) => this.#readPiece(piece),
      onEnd: () => this.#finish(),
    });
    this.#socket.on('data', (chunk: Buffer) => framer.push(chunk));
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => {
      if (!this.isClosing) failures += 1;
    });
    this.#socket.write(request);
  }

  close(): void {
    this.isClosing = true;
    this.#socket.destroy();
  }

  #readPiece(piece: Buffer): void {
    this.#lastPieces = [this.#lastPieces[1], piece];
    const bytes = this.#unfinished === null ? piece : Buffer.concat([this.#unfinished, piece]);
    const nowUs = monotonicUs();
    let at = bytes.indexOf(STAMP_MARK);
    if (at < 0 && bytes.includes('"usage":{')) usageEvents += 1;
    while (at >= 0 && at + STAMP_DIGITS < bytes.length) {
      delays.add(nowUs - readDigits(bytes, at + 1));
      chunks += 1;
      this.#received += 1;
      at = bytes.indexOf(STAMP_MARK, at + 1 + STAMP_DIGITS);
    }
    this.#unfinished = at >= 0 ? bytes.subarray(at) : null;
  }

  #finish(): void {
    const hasEnd = Buffer.concat(this.#lastPieces).includes('[DONE]');
    const isComplete = this.#isOk && this.#received === this.#chunksPerStream && hasEnd;
    if (isComplete) endedStreams += 1;
    else failures += 1;
    this.#received = 0;
    this.#lastPieces = [EMPTY, EMPTY];
    if (!this.isClosing) this.#socket.write(this.#request);
  }
}

function readDigits(bytes: Buffer, start: number): number {
  let value = 0;
  for (let at = start; at < start + STAMP_DIGITS; at += 1)
    value = value * 10 + (bytes[at] ?? 48) - 48;
  return value;
}

let connections: StreamConnection[] = [];

async function openStreams(options: OpenStreamsOptions): Promise<null> {
  const members = {
    stream: true,
    max_tokens: options.chunksPerStream,
    bench: { interval_ms: options.intervalMs },
  };
  const body = createChatBody({ sizeBytes: BODY_BYTES, seed: 1, members });
  const head = 'POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1';
  const length = Buffer.byteLength(body);
  const request = Buffer.from(
    `${head}\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n${body}`,
  );
  const startedAtMs = performance.now();
  while (connections.length < options.streams) {
    const elapsedMs = performance.now() - startedAtMs;
    const due = Math.min(options.streams, (elapsedMs / options.rampMs) * options.streams);
    while (connections.length < due) connections.push(new StreamConnection(options, request));
    await sleep(2);
  }
  const deadlineMs = performance.now() + OPEN_TIMEOUT_MS;
  const countOpen = (): number => connections.filter((connection) => connection.hasAnswer).length;
  while (countOpen() < options.streams) {
    if (performance.now() > deadlineMs) {
      throw new Error(`only ${countOpen()} of ${options.streams} streams were answered`);
    }
    await sleep(20);
  }
  return null;
}

async function measure({ windowMs }: { readonly windowMs: number }): Promise<StreamCounts> {
  delays.clear();
  chunks = 0;
  failures = 0;
  usageEvents = 0;
  endedStreams = 0;
  const startedAtMs = performance.now();
  await sleep(windowMs);
  return {
    windowMs: performance.now() - startedAtMs,
    chunks,
    p50Ms: delays.quantileMs(0.5),
    p99Ms: delays.quantileMs(0.99),
    failures,
    usageEvents,
    endedStreams,
  };
}

await serveCommands<SseClientCommands>({
  open: openStreams,
  measure,
  close: () => {
    for (const connection of connections) connection.close();
    connections = [];
    return null;
  },
});
