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
import type { ClientStream } from './client-stream.ts';
import { readObjective } from './objective.ts';
import type { RequestHead } from './request-head.ts';
import { findField } from './request-head.ts';

/** What the router needs besides the services of exchanges. */
export interface RouterOptions {
  readonly services: ExchangeServices;
  readonly models: ModelCatalog;
  readonly requestIds: RequestIdSource;
}

/** A request and what the listener knows of it. */
interface Visit {
  readonly stream: ClientStream;
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
  handle(stream: ClientStream, listener: { readonly isInternal: boolean }): void {
    const { requestIds, services } = this.#options;
    const { line, requestId } = stream.head;
    const visit: Visit = {
      stream,
      requestId: requestIds(requestId),
      path: line.path,
      isInternal: listener.isInternal,
    };
    const { urlBytes } = services.options().limits;
    if (line.target.length > urlBytes) {
      this.#refuse(visit, 'url_too_long', `The URL is longer than ${urlBytes} bytes.`);
    } else if (line.method === 'POST') {
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
    const { stream, requestId, isInternal } = visit;
    const { head } = stream;
    const { services } = this.#options;
    const objective = readObjective(head);
    if (!objective.ok) {
      this.#refuse(visit, 'invalid_header', objective.error);
      return;
    }
    const isTrusted = isInternal && head.hasObeyed;
    const pinned = isTrusted ? findField(head, ENDPOINT_HEADER) : null;
    new Exchange(services, {
      stream,
      api,
      requestId,
      totalTimeoutMs: totalTimeoutOf(head, services.options().timeouts.totalMs),
      objective: objective.value,
      wantsWhy: isTrusted && findField(head, WHY_HEADER) !== null,
      pinnedEndpoint: pinned === null ? null : endpointId(pinned),
    }).start();
  }

  #handleGet(visit: Visit): void {
    const { path } = visit;
    const { method } = visit.stream.head.line;
    const isRead = method === 'GET' || method === 'HEAD';
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

  #send({ stream, requestId }: Visit, body: Buffer): void {
    sendReply(stream, { status: 200, requestId, body, fields: '' });
  }

  /** No such path, or not with this method. */
  #refuseUnknown(visit: Visit): void {
    const { path } = visit;
    const { method } = visit.stream.head.line;
    const allow = allowedMethods(path);
    if (allow === null) {
      this.#refuse(visit, 'route_not_found', `There is no ${path} here.`);
    } else {
      const message = `${path} does not take ${method}; use ${allow}.`;
      this.#refuse(visit, 'method_not_allowed', message, `allow: ${allow}\r\n`);
    }
  }

  #refuse(visit: Visit, code: ErrorCode, message: string, fields = ''): void {
    const { stream, requestId } = visit;
    this.#options.services.journal.countError(code);
    sendError(stream, familyOf(visit), {
      code,
      message,
      requestId,
      param: code === 'model_not_found' ? 'model' : null,
      retryAfterMs: null,
      fields,
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
function familyOf({ stream, path }: Visit): ApiFamily {
  const isAnthropic = stream.head.isAnthropic || path.startsWith('/v1/messages');
  return isAnthropic ? 'anthropic' : 'openai';
}

/** A client may ask for less time than the configuration allows, never for more. */
function totalTimeoutOf(head: RequestHead, configuredMs: number | null): number | null {
  const given = head.hasObeyed ? findField(head, TIMEOUT_HEADER) : null;
  const askedMs = given !== null && /^\d{1,9}$/.test(given) ? Number(given) : 0;
  if (askedMs === 0) return configuredMs;
  return configuredMs === null ? askedMs : Math.min(askedMs, configuredMs);
}

function decodeName(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
