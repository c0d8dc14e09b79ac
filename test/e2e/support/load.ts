import OpenAI from 'openai';
import { waitUntil } from './gateway.ts';

/**
 * How one request of a load ended, as its client saw it. `complete`: with all that was asked for.
 * `refused`: with an error instead of an answer. `broken`: an error was raised after the first
 * byte. `short`: it ended without an error, but also without its end; must never happen.
 */
export type LoadOutcome = 'complete' | 'refused' | 'broken' | 'short';

/** One request of a load. */
export interface LoadResult {
  readonly kind: 'stream' | 'json';
  readonly outcome: LoadOutcome;
  /** Model as the client named it. */
  readonly model: string;
  /** Endpoint that answered, by the gateway's header; null when none did. */
  readonly endpoint: string | null;
  readonly requestId: string | null;
  /** `performance.now()` of the start and the end. */
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  /** What was raised; null when it was complete. */
  readonly error: unknown;
}

/** What a load asks for. */
export interface LoadOptions {
  /** Requests under way at the same time. */
  readonly concurrency: number;
  /** Models that the requests name in turn. */
  readonly models: readonly string[];
  /** Tokens of a stream; JSON answers have a third of them. */
  readonly outputTokens: number;
  readonly fetch?: typeof fetch;
}

/** A load that runs until it is stopped. */
export interface Load {
  /** Results so far, in the order of their ends. */
  readonly results: readonly LoadResult[];
  /** Names the models of requests from now on. */
  useModels(models: readonly string[]): void;
  /** Resolves when this many more requests have ended. */
  more(count: number): Promise<void>;
  /** Lets what is under way end and resolves to all results. */
  stop(): Promise<readonly LoadResult[]>;
}

/** A load that never ends by itself is stopped here, so that no test can hang on it. */
const REQUESTS_MAX = 20_000;

/** Starts a steady load of streams and JSON answers, half and half, by the official client. */
export function startLoad(url: string, options: LoadOptions): Load {
  const client = new OpenAI({
    baseURL: `${url}/v1`,
    apiKey: 'unused',
    maxRetries: 0,
    ...(options.fetch === undefined ? {} : { fetch: options.fetch }),
  });
  const results: LoadResult[] = [];
  const state = { models: options.models, started: 0, isStopped: false };
  const work = async (): Promise<void> => {
    while (!state.isStopped && state.started < REQUESTS_MAX) {
      const index = state.started;
      state.started += 1;
      const model = state.models[index % state.models.length]!;
      results.push(await runOne(client, { index, model, outputTokens: options.outputTokens }));
    }
  };
  const workers = Array.from({ length: options.concurrency }, work);
  return {
    results,
    useModels: (models) => {
      state.models = models;
    },
    more: async (count) => {
      const target = results.length + count;
      await waitUntil(`${count} more requests of the load`, () => results.length >= target, 30_000);
    },
    stop: async () => {
      state.isStopped = true;
      await Promise.all(workers);
      return results;
    },
  };
}

interface OneRequest {
  readonly index: number;
  readonly model: string;
  readonly outputTokens: number;
}

async function runOne(client: OpenAI, request: OneRequest): Promise<LoadResult> {
  const kind = request.index % 2 === 0 ? 'stream' : 'json';
  const startedAtMs = performance.now();
  const answered = { endpoint: null as string | null, requestId: null as string | null };
  const noteHead = ({ headers }: Response): void => {
    answered.endpoint = headers.get('x-penstock-endpoint');
    answered.requestId = headers.get('x-request-id');
  };
  let outcome: LoadOutcome;
  let error: unknown = null;
  try {
    const isWhole = await (kind === 'stream' ? readStream : readJson)(client, request, noteHead);
    outcome = isWhole ? 'complete' : 'short';
  } catch (cause) {
    error = cause;
    outcome = answered.endpoint === null ? 'refused' : 'broken';
  }
  const endedAtMs = performance.now();
  return { kind, outcome, model: request.model, ...answered, startedAtMs, endedAtMs, error };
}

type ReadOne = (
  client: OpenAI,
  request: OneRequest,
  noteHead: (response: Response) => void,
) => Promise<boolean>;

function bodyOf({ index, model }: OneRequest, maxTokens: number) {
  return {
    model,
    max_tokens: maxTokens,
    // Not the same prompt for all: the simulated engine answers equal ones from its cache.
    messages: [{ role: 'user' as const, content: `Question ${index}: what is a penstock?` }],
    ignore_eos: true,
  };
}

const readStream: ReadOne = async (client, request, noteHead) => {
  const { data, response } = await client.chat.completions
    .create({ ...bodyOf(request, request.outputTokens), stream: true })
    .withResponse();
  noteHead(response);
  let hasFinished = false;
  for await (const chunk of data) {
    if (chunk.choices[0]?.finish_reason === 'length') hasFinished = true;
  }
  return hasFinished;
};

const readJson: ReadOne = async (client, request, noteHead) => {
  const response = await client.chat.completions
    .create(bodyOf(request, Math.ceil(request.outputTokens / 3)))
    .asResponse();
  noteHead(response);
  const answer = (await response.json()) as OpenAI.ChatCompletion;
  return answer.choices[0]?.finish_reason === 'length';
};

/** Results by outcome, for messages of failed assertions. */
export function describeResults(results: readonly LoadResult[]): string {
  const lines = results
    .filter(({ outcome }) => outcome !== 'complete')
    .map(
      ({ kind, outcome, endpoint, error }) => `${kind} ${outcome} ${endpoint}: ${String(error)}`,
    );
  return `${results.length} requests; ${lines.length} of them:\n${lines.slice(0, 20).join('\n')}`;
}

/** Results with this outcome. */
export function withOutcome(
  results: readonly LoadResult[],
  outcome: LoadOutcome,
): readonly LoadResult[] {
  return results.filter((result) => result.outcome === outcome);
}
