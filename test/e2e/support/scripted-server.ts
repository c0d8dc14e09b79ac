import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import type { TestContext } from 'node:test';
import { Changes } from './raw-client-changes.ts';
import { MessageReader, type MessageHead } from './raw-client-message.ts';
import { chunkBytes } from './raw-client.ts';

/** Decides what happens to a request, as soon as its head is here. */
export type VisitHandler = (visit: Visit) => void | Promise<void>;

/** How a scripted server answers. */
export interface ScriptedServerOptions {
  /** Names in its model list; `scripted` alone. */
  readonly models?: readonly string[];
  readonly handle: VisitHandler;
}

/** A model server of which every byte is the test's. It answers probes as a vLLM does. */
export interface ScriptedServer {
  readonly url: string;
  /** Requests that are no probes, in the order of their heads. */
  readonly visits: readonly Visit[];
  /** What is done with the next requests; may be changed at any time. */
  handle: VisitHandler;
  /** The `index`th request that is no probe, once its head is here. */
  visit(index: number): Promise<Visit>;
}

/** One request at a scripted server. */
export class Visit {
  readonly head: MessageHead;
  readonly socket: Socket;
  readonly #changes = new Changes();
  #content: Buffer[] = [];
  #receivedBytes = 0;
  #isComplete = false;
  #goneAtMs: number | null = null;

  constructor(head: MessageHead, socket: Socket) {
    this.head = head;
    this.socket = socket;
  }

  get method(): string {
    return this.head.startLine.split(' ')[0]!;
  }

  /** The request target. */
  get path(): string {
    return this.head.startLine.split(' ')[1]!;
  }

  /** Content bytes so far. */
  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** Whether the whole request has come. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** `performance.now()` when the gateway closed the connection; null while it is open. */
  get goneAtMs(): number | null {
    return this.#goneAtMs;
  }

  /** Content so far. */
  get content(): Buffer {
    return Buffer.concat(this.#content);
  }

  /** The whole content; what has come of it when the gateway closes the connection before. */
  async body(): Promise<Buffer> {
    await this.#changes.until('the body', () => this.#isComplete || this.#goneAtMs !== null);
    return this.content;
  }

  /** Resolves once the gateway has closed the connection, with the `performance.now()` of it. */
  async gone(): Promise<number> {
    await this.#changes.until('the end of the upstream connection', () => this.#goneAtMs !== null);
    return this.#goneAtMs!;
  }

  /** Sends exactly these bytes; resolves once the system has them. */
  async send(bytes: string | Uint8Array): Promise<void> {
    const data = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
    await new Promise<void>((resolve) => {
      this.socket.write(data, () => {
        resolve();
      });
    });
  }

  /** Sends a whole answer with a Content-Length. */
  reply(status: number, body: string, lines: readonly string[] = JSON_TYPE): void {
    const bytes = Buffer.from(body);
    const head = [`HTTP/1.1 ${status} Scripted`, ...lines, `content-length: ${bytes.length}`];
    this.socket.write(
      Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), bytes]),
    );
  }

  /** Sends the head of a chunked answer. */
  start(lines: readonly string[] = SSE_TYPE, status = 200): void {
    const head = [`HTTP/1.1 ${status} Scripted`, ...lines, 'transfer-encoding: chunked'];
    this.socket.write(`${head.join('\r\n')}\r\n\r\n`, 'latin1');
  }

  /** Sends one chunk, in a write and turn of its own. */
  async chunk(content: string | Buffer): Promise<void> {
    await this.send(chunkBytes(content));
    await new Promise(setImmediate);
    await new Promise(setImmediate);
  }

  /** Ends a chunked answer as it should end. */
  end(): void {
    this.socket.write('0\r\n\r\n');
  }

  /** Closes the connection with FIN, whatever was promised. */
  cut(): void {
    this.socket.end();
    this.socket.destroySoon();
  }

  /** Closes the connection with RST. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** For the server alone: content has come. */
  addContent(bytes: Buffer): void {
    this.#content.push(bytes);
    this.#receivedBytes += bytes.length;
  }

  /** For the server alone: the gateway has closed the connection. */
  leave(): void {
    this.#goneAtMs ??= performance.now();
    this.#changes.notify();
  }

  /** For the server alone: the request is complete. */
  complete(): void {
    this.#isComplete = true;
    this.#changes.notify();
  }
}

/** Content type line of an event stream. */
export const SSE_TYPE: readonly string[] = ['content-type: text/event-stream; charset=utf-8'];
/** Content type line of a JSON answer. */
export const JSON_TYPE: readonly string[] = ['content-type: application/json'];

/** Starts a scripted server on a free port; it is closed when the test ends. */
export async function startScriptedServer(
  t: TestContext,
  options: ScriptedServerOptions,
): Promise<ScriptedServer> {
  const { models = ['scripted'] } = options;
  const visits: Visit[] = [];
  const changes = new Changes();
  const script = { handle: options.handle };
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    serve(socket, (visit) => {
      if (answerProbe(visit, models)) return;
      visits.push(visit);
      changes.notify();
      void script.handle(visit);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closeAfter(t, server);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    visits,
    get handle() {
      return script.handle;
    },
    set handle(next) {
      script.handle = next;
    },
    visit: async (index) => {
      await changes.until(`request ${index} at the server`, () => visits.length > index);
      return visits[index]!;
    },
  };
}

function serve(socket: Socket, onVisit: (visit: Visit) => void): void {
  const visits: Visit[] = [];
  const reader = new MessageReader({
    onHead: (head) => {
      const visit = new Visit(head, socket);
      visits.push(visit);
      onVisit(visit);
      return false;
    },
    onContent: (bytes) => {
      visits.at(-1)!.addContent(bytes);
    },
    onEnd: () => {
      visits.at(-1)!.complete();
    },
  });
  socket.on('data', (bytes: Buffer) => {
    reader.push(bytes);
  });
  const leave = (): void => {
    for (const visit of visits) visit.leave();
  };
  socket.on('end', () => {
    leave();
    socket.end();
  });
  socket.on('close', leave);
  // The gateway resets connections that it gives up; visits hear of it by `close`.
  socket.on('error', () => undefined);
}

function closeAfter(t: TestContext, server: Server): void {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  t.after(async () => {
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  });
}

const METRICS = [
  'vllm:num_requests_running{engine="0",model_name="m"} 0',
  'vllm:num_requests_waiting{engine="0",model_name="m"} 0',
  'vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0',
  '',
].join('\n');

/** Servers may stand behind a base path. */
const BASE_PATH = /^\/base(?=\/)/;

function answerProbe(visit: Visit, models: readonly string[]): boolean {
  if (visit.method !== 'GET') return false;
  switch (visit.path.replace(BASE_PATH, '')) {
    case '/v1/models':
      visit.reply(200, JSON.stringify({ object: 'list', data: models.map(listed) }));
      return true;
    case '/version':
      visit.reply(200, '{"version":"0.11.0"}');
      return true;
    case '/metrics':
      visit.reply(200, METRICS, ['content-type: text/plain; version=0.0.4']);
      return true;
    case '/health':
      visit.reply(200, '', []);
      return true;
    default:
      visit.reply(404, '{"detail":"Not Found"}');
      return true;
  }
}

function listed(id: string): object {
  return { id, object: 'model', owned_by: 'vllm', root: id, parent: null, max_model_len: 32_768 };
}

/** Configuration with a scripted server as the only one; `more` is further YAML. */
export function configFor(server: ScriptedServer, more = ''): string {
  return `servers: ['${server.url}']\n${more}`;
}

/** A chat completion as an engine writes it, with `usage`. */
export function chatAnswer(model = 'scripted', content = 'Hello.'): string {
  return JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1_700_000_000,
    model,
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 },
  });
}

/** One frame of a chat stream. */
export function chatFrame(content: string, model = 'scripted'): string {
  const choices = [{ index: 0, delta: { content }, finish_reason: null }];
  const chunk = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model, choices };
  return `data: ${JSON.stringify(chunk)}\n\n`;
}
