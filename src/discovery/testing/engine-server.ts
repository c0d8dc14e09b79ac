import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a server of the test answers at a path; a function may answer anything, or never. */
export type Answer =
  | { readonly status?: number; readonly body: unknown; readonly headers?: Record<string, string> }
  | ((request: IncomingMessage, response: ServerResponse) => void);

/** A real HTTP server with answers by path that a test may change while it runs. */
export interface EngineServer {
  readonly url: string;
  readonly port: number;
  readonly answers: Map<string, Answer>;
  /** Paths asked so far, in order. */
  readonly asked: string[];
  /** Connections open now. */
  connections(): number;
  /** How often `path` was asked. */
  count(path: string): number;
  /** Stops listening and cuts every connection; `listen` brings it back on the same port. */
  stop(): Promise<void>;
  listen(): Promise<void>;
}

/** Starts a server on a free port of 127.0.0.1, or on `port`. A path without an answer is 404. */
export async function startEngineServer(
  answers: Readonly<Record<string, Answer>>,
  port = 0,
): Promise<EngineServer> {
  const state = { answers: new Map(Object.entries(answers)), asked: [] as string[], open: 0 };
  let server: Server | null = null;
  let boundPort = port;
  const listen = async (): Promise<void> => {
    const next = createServer((request, response) => {
      const [path = ''] = (request.url ?? '').split('?', 1);
      state.asked.push(path);
      respond(state.answers.get(path), request, response);
    });
    next.on('connection', (socket) => {
      state.open += 1;
      socket.on('close', () => {
        state.open -= 1;
      });
    });
    server = next;
    await new Promise<void>((resolve, reject) => {
      next.once('error', reject);
      next.listen(boundPort, '127.0.0.1', resolve);
    });
    boundPort = (next.address() as AddressInfo).port;
  };
  await listen();
  return {
    url: `http://127.0.0.1:${boundPort}`,
    port: boundPort,
    answers: state.answers,
    asked: state.asked,
    connections: () => state.open,
    count: (path) => state.asked.filter((asked) => asked === path).length,
    listen,
    stop: async () => {
      const running = server;
      server = null;
      if (running === null) return;
      const closed = new Promise((resolve) => running.close(resolve));
      running.closeAllConnections();
      await closed;
    },
  };
}

function respond(
  answer: Answer | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  if (typeof answer === 'function') {
    answer(request, response);
    return;
  }
  const { status, body, headers } = answer ?? { status: 404, body: { detail: 'Not Found' } };
  const isText = typeof body === 'string';
  response.writeHead(status ?? 200, {
    'content-type': isText ? 'text/plain; version=0.0.4' : 'application/json',
    ...headers,
  });
  response.end(isText ? body : JSON.stringify(body));
}

/** Numbers of a vLLM that a test wants to see move. */
export interface VllmNumbers {
  readonly running?: number;
  readonly waiting?: number;
  readonly kvCacheUsage?: number;
  readonly promptTokens?: number;
  readonly startSeconds?: number;
  readonly runningAdapters?: string;
}

/** The metrics text of a small vLLM. */
export function vllmMetrics(numbers: VllmNumbers = {}): string {
  const labels = '{engine="0",model_name="llama"}';
  const adapters = numbers.runningAdapters ?? '';
  return [
    `process_start_time_seconds ${numbers.startSeconds ?? 1_756_000_000}`,
    `vllm:num_requests_running${labels} ${numbers.running ?? 0}`,
    `vllm:num_requests_waiting${labels} ${numbers.waiting ?? 0}`,
    `vllm:kv_cache_usage_perc${labels} ${numbers.kvCacheUsage ?? 0}`,
    `vllm:prompt_tokens_total${labels} ${numbers.promptTokens ?? 1000}`,
    'vllm:cache_config_info{block_size="16",engine="0",num_gpu_blocks="2048"} 1.0',
    `vllm:lora_requests_info{max_lora="2",running_lora_adapters="${adapters}",waiting_lora_adapters=""} 1.7e+09`,
    '',
  ].join('\n');
}

/** An OpenAI model list; adapters name their base. */
export function openAiList(owner: string, models: Readonly<Record<string, string | null>>): Answer {
  const data = Object.entries(models).map(([id, parent]) => ({
    id,
    object: 'model',
    owned_by: owner,
    root: id,
    parent,
    max_model_len: parent === null ? 32_768 : null,
  }));
  return { body: { object: 'list', data } };
}

/** The answers of a vLLM that serves `llama` and its adapter `sql`. */
export function vllmAnswers(): Record<string, Answer> {
  return {
    '/v1/models': openAiList('vllm', { llama: null, sql: 'llama' }),
    '/metrics': { body: vllmMetrics() },
    '/version': { body: { version: '0.11.0' } },
    '/health': { body: '' },
  };
}

/** The answers of a llama-server with four slots. */
export function llamaCppAnswers(): Record<string, Answer> {
  return {
    '/v1/models': {
      body: {
        object: 'list',
        data: [{ id: 'qwen.gguf', object: 'model', owned_by: 'llamacpp', meta: { n_ctx: 4096 } }],
      },
      headers: { server: 'llama.cpp' },
    },
    '/metrics': {
      body: 'llamacpp:requests_processing 0\nllamacpp:requests_deferred 0\nllamacpp:prompt_tokens_total 5\n',
    },
    '/props': {
      body: {
        default_generation_settings: { n_ctx: 4096 },
        total_slots: 4,
        build_info: 'b6123-abc',
      },
    },
    '/health': { body: { status: 'ok' } },
  };
}

/** The answers of an Ollama with two models pulled. */
export function ollamaAnswers(): Record<string, Answer> {
  const model = (name: string): unknown => ({ name, model: name, size: 5_000_000 });
  return {
    '/': { body: 'Ollama is running' },
    '/api/version': { body: { version: '0.11.4' } },
    '/api/tags': { body: { models: [model('qwen3:8b'), model('gemma3:4b')] } },
    '/v1/models': openAiList('library', { 'qwen3:8b': null, 'gemma3:4b': null }),
  };
}
