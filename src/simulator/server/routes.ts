import { handleChatCompletions } from './chat-completions.ts';
import type { Exchange } from './exchange.ts';
import { parseFaults } from './faults.ts';
import { badRequest, sendOpenAiError, type EngineHost } from './host.ts';
import { isJsonObject, type JsonObject } from './json-value.ts';

/** One path of the server. */
export interface Route {
  /** Whether it is inference, which injected failures apply to. */
  readonly isWork: boolean;
  /** Whether it answers even while the engine starts. */
  readonly isAdmin: boolean;
  handle(exchange: Exchange, host: EngineHost): Promise<void> | void;
}

type JsonHandler = (exchange: Exchange, host: EngineHost, body: JsonObject) => Promise<void> | void;

function work(handle: JsonHandler): Route {
  return {
    isWork: true,
    isAdmin: false,
    handle: async (exchange, host) => {
      const body = await readJson(exchange);
      if (body === null) return;
      await exchange.pause(exchange.fault.stallFirstByteMs);
      if (exchange.isOpen) await handle(exchange, host, body);
    },
  };
}

function plain(handle: Route['handle'], options: { readonly isAdmin: boolean }): Route {
  return { isWork: false, isAdmin: options.isAdmin, handle };
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

const ROUTES: ReadonlyMap<string, Route> = new Map([
  ['POST /v1/chat/completions', work(handleChatCompletions)],
  [
    'GET /v1/models',
    plain(
      (exchange, host) => {
        exchange.sendJson(200, { object: 'list', data: host.served.list() });
      },
      { isAdmin: false },
    ),
  ],
  [
    'GET /health',
    plain(
      (exchange) => {
        exchange.send(200, 'text/plain', '');
      },
      { isAdmin: false },
    ),
  ],
  [
    'POST /admin/failures',
    plain(
      async (exchange, host) => {
        const body = await readJson(exchange);
        if (body === null) return;
        const changes = parseFaults(body);
        if (typeof changes === 'string') {
          sendOpenAiError(exchange, badRequest(changes));
          return;
        }
        host.injectFaults(changes);
        exchange.sendJson(200, host.faults());
      },
      { isAdmin: true },
    ),
  ],
]);

/** The route of a request, or null when the server has none. */
export function findRoute(method: string, path: string): Route | null {
  return ROUTES.get(`${method} ${path}`) ?? null;
}
