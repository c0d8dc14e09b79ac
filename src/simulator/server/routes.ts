import { handleChatCompletions } from './apis/chat-completions.ts';
import { handleCompletions } from './apis/completions.ts';
import {
  handleFailures,
  handleLoadAdapter,
  handleModel,
  handleSleep,
  handleUnloadAdapter,
  handleWake,
} from './apis/control.ts';
import { handleCountTokens, handleMessages } from './apis/messages.ts';
import { handleEmbeddings, handleRerank, handleScore } from './apis/pooling.ts';
import { handleResponses } from './apis/responses.ts';
import { handleDetokenize, handleTokenize } from './apis/tokenize.ts';
import { handleTranscriptions } from './apis/transcriptions.ts';
import { DIALECTS, type DialectPage } from './dialects/dialects.ts';
import type { Exchange } from './exchange.ts';
import { badRequest, sendOpenAiError, type EngineHost } from './host.ts';
import { isJsonObject, type JsonObject } from './json-value.ts';
import type { SimulatedDialect } from './engine-options.ts';

/**
 * `work` is inference: injected failures apply to it. `control` answers only once the engine has
 * started. `admin` answers always.
 */
export type RouteKind = 'work' | 'control' | 'admin';

/** One path of the server. */
export interface Route {
  readonly kind: RouteKind;
  handle(exchange: Exchange, host: EngineHost): Promise<void> | void;
}

type JsonHandler = (exchange: Exchange, host: EngineHost, body: JsonObject) => Promise<void> | void;

function withJson(kind: RouteKind, handle: JsonHandler): Route {
  return {
    kind,
    handle: async (exchange, host) => {
      const body = await readJson(exchange);
      if (body === null) return;
      if (kind === 'work') await exchange.pause(exchange.fault.stallFirstByteMs);
      if (exchange.isOpen) await handle(exchange, host, body);
    },
  };
}

function control(handle: Route['handle']): Route {
  return { kind: 'control', handle };
}

async function readJson(exchange: Exchange): Promise<JsonObject | null> {
  const bytes = await exchange.readBody();
  if (bytes === null) {
    exchange.destroy();
    return null;
  }
  try {
    const body: unknown = JSON.parse(bytes.toString('utf8'));
    if (isJsonObject(body)) return body;
  } catch {
    // Answered below: what is wrong with the text does not matter to a simulated server.
  }
  sendOpenAiError(exchange, badRequest('The body is not a JSON object.'));
  return null;
}

const health = control((exchange) => {
  exchange.send(200, 'text/plain', '');
});

const ROUTES: Readonly<Record<string, Readonly<Record<string, Route>>>> = Object.freeze({
  '/v1/chat/completions': { POST: withJson('work', handleChatCompletions) },
  '/v1/completions': { POST: withJson('work', handleCompletions) },
  '/v1/responses': { POST: withJson('work', handleResponses) },
  '/v1/messages': { POST: withJson('work', handleMessages) },
  '/v1/messages/count_tokens': { POST: withJson('work', handleCountTokens) },
  '/v1/embeddings': { POST: withJson('work', handleEmbeddings) },
  '/v1/rerank': { POST: withJson('work', handleRerank) },
  '/rerank': { POST: withJson('work', handleRerank) },
  '/v1/score': { POST: withJson('work', handleScore) },
  '/score': { POST: withJson('work', handleScore) },
  '/v1/audio/transcriptions': { POST: { kind: 'work', handle: handleTranscriptions } },
  '/tokenize': { POST: withJson('work', handleTokenize) },
  '/detokenize': { POST: withJson('work', handleDetokenize) },
  '/v1/models': {
    GET: control((exchange, host) => {
      exchange.sendJson(200, { object: 'list', data: host.served.list() });
    }),
  },
  '/health': { GET: health },
  '/ping': { GET: health },
  '/v1/load_lora_adapter': { POST: withJson('control', handleLoadAdapter) },
  '/v1/unload_lora_adapter': { POST: withJson('control', handleUnloadAdapter) },
  '/sleep': { POST: control(handleSleep) },
  '/wake_up': { POST: control(handleWake) },
  '/is_sleeping': {
    GET: control((exchange, host) => {
      exchange.sendJson(200, { is_sleeping: host.model.isAsleep });
    }),
  },
  '/reset_prefix_cache': {
    POST: control((exchange, host) => {
      host.model.resetPrefixCache();
      exchange.send(200, 'text/plain', '');
    }),
  },
  '/admin/failures': {
    GET: {
      kind: 'admin',
      handle: (exchange, host) => {
        exchange.sendJson(200, host.faults());
      },
    },
    POST: withJson('admin', handleFailures),
  },
});

const MODEL_ROUTE: Route = control(handleModel);

function pageRoute(page: DialectPage): Route {
  return control((exchange, host) => {
    if (page.kind === 'json') exchange.sendJson(200, page.body(host));
    else exchange.send(200, 'text/plain; version=0.0.4; charset=utf-8', page.body(host));
  });
}

/** Answer to `findRoute`: the route, or the status to refuse with. */
export type FoundRoute = Route | 404 | 405;

/** The routes of a server that passes for `dialect`. */
export class RouteTable {
  readonly #pages: ReadonlyMap<string, Route>;

  constructor(dialect: SimulatedDialect) {
    const pages = Object.entries(DIALECTS[dialect].pages);
    this.#pages = new Map(pages.map(([path, page]) => [path, pageRoute(page)]));
  }

  find(method: string, path: string): FoundRoute {
    const page = this.#pages.get(path);
    if (page !== undefined) return method === 'GET' ? page : 405;
    if (path.startsWith('/v1/models/') && method === 'GET') return MODEL_ROUTE;
    const methods = Object.hasOwn(ROUTES, path) ? ROUTES[path] : undefined;
    if (methods === undefined) return 404;
    return methods[method] ?? 405;
  }
}
