import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ErrorCode } from '../../core/errors.ts';
import type { RequestId } from '../../core/ids.ts';
import { endpointId } from '../../core/ids.ts';
import type { ApiFamily } from '../../protocol/api-table.ts';
import { APIS, findApi } from '../../protocol/api-table.ts';
import { encodeModel, encodeModelList } from '../../protocol/model-list.ts';
import { Exchange } from '../exchange/exchange.ts';
import { sendError, sendReply } from '../exchange/reply.ts';
import type { ExchangeServices } from '../exchange/services.ts';
import type { ModelCatalog } from '../model-catalog.ts';
import type { RequestIdSource } from '../request-id.ts';
import { ENDPOINT_HEADER, TIMEOUT_HEADER, WHY_HEADER } from './client-headers.ts';
import { readObjective } from './objective.ts';

/** What the router needs besides the services of exchanges. */
export interface RouterOptions {
  readonly services: ExchangeServices;
  readonly models: ModelCatalog;
  readonly requestIds: RequestIdSource;
}

/** A request and what the listener knows of it. */
interface Visit {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: RequestId;
  /** Path without the query. */
  readonly path: string;
  /** Whether the listener's clients are trusted. */
  readonly isInternal: boolean;
}

const MODELS_PATH = '/v1/models';
const POST_PATHS: ReadonlySet<string> = new Set(APIS.map(({ path }) => path));

/** Finds out what a request wants: an endpoint's answer, the model list, or an error. */
export class Router {
  readonly #options: RouterOptions;

  constructor(options: RouterOptions) {
    this.#options = options;
  }

  /** Handles one request of a listener. */
  handle(
    request: IncomingMessage,
    response: ServerResponse,
    listener: { readonly isInternal: boolean },
  ): void {
    const { requestIds, services } = this.#options;
    const url = toOriginForm(request.url ?? '/');
    request.url = url;
    const query = url.indexOf('?');
    const visit: Visit = {
      request,
      response,
      requestId: requestIds(request.headers['x-request-id']),
      path: query < 0 ? url : url.slice(0, query),
      isInternal: listener.isInternal,
    };
    const { urlBytes } = services.options().limits;
    if (url.length > urlBytes) {
      this.#refuse(visit, 'url_too_long', `The URL is longer than ${urlBytes} bytes.`);
    } else if (request.headers.host === undefined && request.httpVersion === '1.1') {
      // RFC 9112 section 3.2 asks for this answer: whose request it is cannot be told.
      this.#refuse(visit, 'invalid_http', 'The request has no Host.', ['connection', 'close']);
    } else if (request.method === 'POST') {
      this.#handlePost(visit);
    } else {
      this.#handleGet(visit);
    }
  }

  #handlePost(visit: Visit): void {
    const api = visit.path.startsWith(MODELS_PATH) ? null : findApi(visit.path);
    if (api === null) {
      this.#refuseUnknown(visit);
      return;
    }
    const { request, response, requestId, isInternal } = visit;
    const { services } = this.#options;
    const objective = readObjective(request.headers);
    if (!objective.ok) {
      this.#refuse(visit, 'invalid_header', objective.error);
      return;
    }
    const pinned = isInternal ? request.headers[ENDPOINT_HEADER] : undefined;
    new Exchange(services, {
      request,
      response,
      api,
      requestId,
      totalTimeoutMs: totalTimeoutOf(request, services.options().timeouts.totalMs),
      objective: objective.value,
      wantsWhy: isInternal && request.headers[WHY_HEADER] !== undefined,
      pinnedEndpoint: typeof pinned === 'string' ? endpointId(pinned) : null,
    }).start();
  }

  #handleGet(visit: Visit): void {
    const { path, request } = visit;
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    this.#discardBody(request);
    if (isRead && path === MODELS_PATH) this.#sendModels(visit);
    else if (isRead && path.startsWith(`${MODELS_PATH}/`)) this.#sendModel(visit);
    else if (isRead && path === '/health') this.#send(visit, Buffer.from('{}'));
    else this.#refuseUnknown(visit);
  }

  #sendModels(visit: Visit): void {
    this.#send(visit, encodeModelList(familyOf(visit), this.#options.models.list()));
  }

  #sendModel(visit: Visit): void {
    const id = decodeName(visit.path.slice(MODELS_PATH.length + 1));
    const model = this.#options.models.find(id);
    if (model !== null) {
      this.#send(visit, encodeModel(familyOf(visit), model));
      return;
    }
    const nearest = this.#options.models.nearest(id);
    const hint = nearest === null ? '' : ` Did you mean "${nearest}"?`;
    this.#refuse(visit, 'model_not_found', `The model "${id}" does not exist here.${hint}`);
  }

  #send({ response, requestId }: Visit, body: Buffer): void {
    sendReply(response, { status: 200, requestId, body, headers: [] });
  }

  /** Reads over a body that nobody wants, so that its connection stays usable, but not for ever. */
  #discardBody(request: IncomingMessage): void {
    let leftBytes = this.#options.services.options().limits.bodyBytes;
    request.on('data', (chunk: Buffer) => {
      leftBytes -= chunk.length;
      if (leftBytes < 0) request.destroy();
    });
  }

  /** No such path, or not with this method. */
  #refuseUnknown(visit: Visit): void {
    const { path } = visit;
    const method = visit.request.method ?? '';
    const allow = allowedMethods(path);
    if (allow === null) {
      this.#refuse(visit, 'route_not_found', `There is no ${path} here.`);
    } else {
      const message = `${path} does not take ${method}; use ${allow}.`;
      this.#refuse(visit, 'method_not_allowed', message, ['allow', allow]);
    }
  }

  #refuse(visit: Visit, code: ErrorCode, message: string, headers: readonly string[] = []): void {
    const { request, response, requestId } = visit;
    this.#discardBody(request);
    this.#options.services.journal.countError(code);
    sendError(response, familyOf(visit), {
      code,
      message,
      requestId,
      param: code === 'model_not_found' ? 'model' : null,
      retryAfterMs: null,
      headers,
    });
  }
}

/** Methods of a path that exists; null for other paths. */
function allowedMethods(path: string): string | null {
  if (path === '/health' || path === MODELS_PATH || path.startsWith(`${MODELS_PATH}/`)) {
    return 'GET, HEAD';
  }
  return POST_PATHS.has(path) ? 'POST' : null;
}

/** Anthropic's clients say so with their version header, on every path. */
function familyOf({ request, path }: Visit): ApiFamily {
  const isAnthropic =
    request.headers['anthropic-version'] !== undefined || path.startsWith('/v1/messages');
  return isAnthropic ? 'anthropic' : 'openai';
}

/** A client may ask for less time than the configuration allows, never for more. */
function totalTimeoutOf(request: IncomingMessage, configuredMs: number | null): number | null {
  const given = request.headers[TIMEOUT_HEADER];
  const askedMs = typeof given === 'string' && /^\d{1,9}$/.test(given) ? Number(given) : 0;
  if (askedMs === 0) return configuredMs;
  return configuredMs === null ? askedMs : Math.min(askedMs, configuredMs);
}

/** Clients may send a whole URL as target (RFC 9112 section 3.2.2); its origin is not looked at. */
function toOriginForm(target: string): string {
  if (target.startsWith('/')) return target;
  const rest = target.replace(/^https?:\/\/[^/?]*/i, '');
  return rest.startsWith('?') || rest === '' ? `/${rest}` : rest;
}

function decodeName(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
