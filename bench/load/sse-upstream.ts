// Streaming upstream, run as its own process: answers chat requests with stamped events at a steady
// pace.
import { createServer, type Socket } from 'node:net';
import { serveCommands } from '../lib/worker.ts';
import { encodeContentChunk, encodeStreamEnd, monotonicUs, STREAM_START } from './chunk-format.ts';
import { listenLocally } from './listen.ts';
import { MessageFramer } from './message-framer.ts';
import { encodeStaticResponse } from './static-answers.ts';

/** Commands of this process. */
export type SseUpstreamCommands = {
  /** Starts to listen; the result is the port. */
  readonly listen: { readonly params: null; readonly result: number };
  /** What has happened since the last call. */
  readonly takeCounts: {
    readonly params: null;
    readonly result: {
      readonly streams: number;
      /** Streams whose request asked for a usage event. */
      readonly usageAsked: number;
      /** The longest time that a tick of the pace came late. */
      readonly worstLagMs: number;
    };
  };
};

interface StreamRequest {
  readonly max_tokens: number;
  readonly stream_options?: { readonly include_usage?: boolean };
  readonly bench: { readonly interval_ms: number };
}

let streams = 0;
let usageAsked = 0;
let worstLagMs = 0;

/** One answer under way. */
class OpenStream {
  readonly #socket: Socket;
  readonly #request: StreamRequest;
  #sent = 0;

  constructor(socket: Socket, request: StreamRequest) {
    this.#socket = socket;
    this.#request = request;
  }

  /** Sends the next event; false when the stream has ended. */
  advance(): boolean {
    if (this.#socket.destroyed) return false;
    if (this.#sent < this.#request.max_tokens) {
      this.#sent += 1;
      this.#socket.write(encodeContentChunk(monotonicUs()), 'latin1');
      return true;
    }
    const isAsked = this.#request.stream_options?.include_usage === true;
    this.#socket.write(
      encodeStreamEnd(this.#sent, isAsked ? 'with-usage' : 'without-usage'),
      'latin1',
    );
    return false;
  }
}

/**
 * All streams of one pace: one slot per millisecond of the interval, one timer for all. New streams
 * go to the slots in turn, which spreads their phases evenly.
 */
class PaceWheel {
  readonly #slots: OpenStream[][];
  #cursor = Math.floor(performance.now());
  #nextSlot = 0;

  constructor(intervalMs: number) {
    this.#slots = Array.from({ length: intervalMs }, () => []);
    setInterval(() => this.#turn(), 1);
  }

  add(stream: OpenStream): void {
    // A step that is prime to both intervals in use (20 and 1000): neighbours do not share a tick.
    this.#nextSlot = (this.#nextSlot + 7) % this.#slots.length;
    this.#slots[this.#nextSlot]?.push(stream);
  }

  #turn(): void {
    const nowMs = Math.floor(performance.now());
    worstLagMs = Math.max(worstLagMs, nowMs - this.#cursor - 1);
    while (this.#cursor < nowMs) {
      this.#cursor += 1;
      this.#runSlot(this.#cursor % this.#slots.length);
    }
  }

  #runSlot(index: number): void {
    const slot = this.#slots[index] ?? [];
    for (let at = slot.length - 1; at >= 0; at -= 1) {
      if (slot[at]?.advance() !== false) continue;
      const last = slot.pop();
      if (last !== undefined && at < slot.length) slot[at] = last;
    }
  }
}

const wheels = new Map<number, PaceWheel>();

function startStream(socket: Socket, body: string): void {
  const request = JSON.parse(body) as StreamRequest;
  streams += 1;
  if (request.stream_options?.include_usage === true) usageAsked += 1;
  const intervalMs = request.bench.interval_ms;
  let wheel = wheels.get(intervalMs);
  if (wheel === undefined) {
    wheel = new PaceWheel(intervalMs);
    wheels.set(intervalMs, wheel);
  }
  socket.write(STREAM_START, 'latin1');
  wheel.add(new OpenStream(socket, request));
}

const server = createServer({ noDelay: true }, (socket) => {
  let path = '';
  let isPost = false;
  let body: Buffer[] = [];
  const framer = new MessageFramer({
    onHead: (head) => {
      const [method, target] = head.split(' ', 2);
      isPost = method === 'POST';
      path = target ?? '';
      body = [];
    },
    onBody: (piece) => {
      body.push(piece);
    },
    onEnd: () => {
      if (isPost) startStream(socket, Buffer.concat(body).toString('utf8'));
      else socket.write(encodeStaticResponse(path), 'latin1');
    },
  });
  socket.on('data', (chunk: Buffer) => framer.push(chunk));
  socket.on('error', () => socket.destroy());
});

await serveCommands<SseUpstreamCommands>({
  listen: () => listenLocally(server),
  takeCounts: () => {
    const counts = { streams, usageAsked, worstLagMs };
    streams = 0;
    usageAsked = 0;
    worstLagMs = 0;
    return counts;
  },
});
