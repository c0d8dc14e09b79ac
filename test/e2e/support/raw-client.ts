import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import type { TestContext } from 'node:test';
import { Changes } from './raw-client-changes.ts';
import type { MessageHead } from './raw-client-message.ts';
import { MessageReader } from './raw-client-message.ts';

/** An answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number;
  readonly head: MessageHead;
  /** Content, out of its chunks. */
  readonly body: Buffer;
  readonly isChunked: boolean;
  /** False: the connection ended before the framing said so. */
  readonly isComplete: boolean;
}

/** The error in an answer, whichever family's shape it has. */
export interface WireErrorBody {
  readonly type?: string;
  readonly request_id?: string;
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly code?: string;
    readonly param?: string | null;
  };
}

interface OpenAnswer {
  readonly head: MessageHead;
  readonly content: Buffer[];
  sizeBytes: number;
}

/** A client that sends exactly the bytes it is told to, in the pieces it is told to. */
export class RawClient {
  readonly socket: Socket;
  /** Final answers that are complete, or were cut by the end of the connection, in order. */
  readonly answers: RawAnswer[] = [];
  /** Heads of 1xx answers. */
  readonly interim: MessageHead[] = [];
  /** Whether this side stays open when the gateway has closed its own; good clients do not. */
  keepsOpen = false;
  readonly #changes = new Changes();
  #open: OpenAnswer | null = null;
  #receivedBytes = 0;
  #hasEnded = false;

  constructor(socket: Socket) {
    this.socket = socket;
    const reader = new MessageReader({
      onHead: (head) => {
        this.#open = { head, content: [], sizeBytes: 0 };
        return false;
      },
      onContent: (bytes) => {
        this.#open!.content.push(bytes);
        this.#open!.sizeBytes += bytes.length;
      },
      onEnd: () => {
        this.#finishAnswer(true);
      },
    });
    socket.on('data', (bytes: Buffer) => {
      this.#receivedBytes += bytes.length;
      reader.push(bytes);
      this.#changes.notify();
    });
    socket.on('end', () => {
      this.#hasEnded = true;
      reader.close();
      if (this.#open !== null) this.#finishAnswer(false);
      if (!this.keepsOpen) socket.end();
      this.#changes.notify();
    });
    // A reset is an end like any other; tests look at what was received and at `isClosed`.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#hasEnded = true;
      if (this.#open !== null) this.#finishAnswer(false);
      this.#changes.notify();
    });
  }

  /** Bytes received, heads included. */
  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** Whether the gateway has closed the connection, or its side of it. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Head of the answer that has begun and is not complete. */
  get openHead(): MessageHead | null {
    return this.#open === null ? null : this.#open.head;
  }

  /** Content so far of the answer that is not complete. */
  get openText(): string {
    return this.#open === null ? '' : Buffer.concat(this.#open.content).toString();
  }

  /** Sends bytes in one write; resolves once the system has them. */
  async send(bytes: string | Uint8Array): Promise<void> {
    const data = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
    await new Promise<void>((resolve) => {
      this.socket.write(data, () => {
        resolve();
      });
    });
  }

  /** Sends pieces so that the gateway, which runs in this process, reads each by itself. */
  async sendPieces(pieces: readonly (string | Uint8Array)[]): Promise<void> {
    for (const piece of pieces) {
      await this.send(piece);
      await new Promise(setImmediate);
      await new Promise(setImmediate);
    }
  }

  /** The `index`th final answer on this connection, once it is complete or cut. */
  async answer(index: number = this.answers.length): Promise<RawAnswer> {
    await this.#changes.until(
      `answer ${index}`,
      () => this.answers.length > index || this.hasEnded,
    );
    const answer = this.answers[index];
    if (answer === undefined) throw new Error(`the connection closed before answer ${index}`);
    return answer;
  }

  /** Waits until the content of the open answer contains `text`. */
  async waitForText(text: string): Promise<void> {
    await this.#changes.until(`the text ${text}`, () => this.openText.includes(text));
  }

  async waitForClose(): Promise<void> {
    await this.#changes.until('the end of the connection', () => this.#hasEnded);
  }

  /** Sends FIN: no more bytes will come from this side. */
  finish(): void {
    this.socket.end();
  }

  /** Sends RST. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** Stops to read from the socket. */
  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  #finishAnswer(isComplete: boolean): void {
    const { head, content } = this.#open!;
    this.#open = null;
    const status = Number(head.startLine.split(' ')[1]);
    if (status < 200) {
      this.interim.push(head);
      return;
    }
    this.answers.push({
      status,
      head,
      body: Buffer.concat(content),
      isChunked: head.value('transfer-encoding') === 'chunked',
      isComplete,
    });
  }
}

/** Opens a connection to an `http://host:port` URL; it is closed when the test ends. */
export async function openRawClient(t: TestContext, url: string): Promise<RawClient> {
  const { hostname, port } = new URL(url);
  // Half-open: our FIN must not make Node close the other direction as well.
  const socket = connect({
    host: hostname,
    port: Number(port),
    allowHalfOpen: true,
    noDelay: true,
  });
  await once(socket, 'connect');
  t.after(() => {
    socket.destroy();
  });
  return new RawClient(socket);
}

/** Parts of a request; the head's framing fields follow from `body` and `framing`. */
export interface RequestParts {
  readonly method?: string;
  readonly path?: string;
  /** Further field lines, without line ends. */
  readonly lines?: readonly string[];
  readonly body?: string | Buffer;
  readonly framing?: 'length' | 'chunked';
}

const LAST_CHUNK = Buffer.from('0\r\n\r\n');

/** A whole request as bytes. A chunked body is one chunk. */
export function requestBytes(parts: RequestParts = {}): Buffer {
  const { method = 'POST', path = '/v1/chat/completions', lines = [], framing = 'length' } = parts;
  const body = Buffer.from(parts.body ?? '');
  const isChunked = framing === 'chunked';
  const frame = isChunked ? 'transfer-encoding: chunked' : `content-length: ${body.length}`;
  const head = [`${method} ${path} HTTP/1.1`, 'host: gateway', frame, ...lines, '', ''];
  return Buffer.concat([
    Buffer.from(head.join('\r\n'), 'latin1'),
    isChunked
      ? Buffer.concat(body.length === 0 ? [LAST_CHUNK] : [chunkBytes(body), LAST_CHUNK])
      : body,
  ]);
}

/** One chunk of the chunked coding; an empty one is the last. */
export function chunkBytes(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([
    Buffer.from(`${bytes.length.toString(16)}\r\n`),
    bytes,
    Buffer.from('\r\n'),
  ]);
}

/** The error of an answer, parsed. */
export function errorOf(answer: RawAnswer): WireErrorBody {
  return JSON.parse(answer.body.toString()) as WireErrorBody;
}

/** `bytes` cut into two at `at`. */
export function splitAt(bytes: Buffer, at: number): readonly Buffer[] {
  return [bytes.subarray(0, at), bytes.subarray(at)];
}
