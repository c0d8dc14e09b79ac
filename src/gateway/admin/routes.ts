import type { IncomingMessage, ServerResponse } from 'node:http';

import { EXPOSITION_CONTENT_TYPE } from '../../telemetry/exposition.ts';
import { CONFIG_REDACTION, redact } from '../../telemetry/redaction.ts';
import type { DecisionStream } from './decision-stream.ts';
import type { Exposure } from './guard.ts';
import type { AdminSources, ReloadResult } from './ports.ts';
import { sendBody, sendError, sendJson, setSecurityHeaders } from './responses.ts';
import { createShadowReport } from './shadow-report.ts';

/** One call: what came in, and where the answer goes. */
export interface AdminCall {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The decoded variable segment of the path; empty on paths without one. */
  readonly id: string;
  readonly query: URLSearchParams;
  /** Empty when there was none. */
  readonly body: Buffer;
}

/** What routes work on. */
export interface AdminContext {
  readonly sources: AdminSources;
  readonly stream: DecisionStream;
  /** Reloads; calls during a reload share its result. */
  readonly reload: () => Promise<ReloadResult>;
}

/** One method on one path. */
export interface AdminRoute {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Segments separated by slashes; `{…}` matches one percent-encoded segment. */
  readonly path: string;
  readonly exposure: Exposure;
  /** One sentence for `GET /` and docs/reference/admin-api.md. */
  readonly summary: string;
  /** A longer body is refused. */
  readonly maxBodyBytes: number;
  readonly answer: (call: AdminCall, context: AdminContext) => void | Promise<void>;
}

const DEFAULT_DECISION_LIMIT = 100;
const HIGHEST_DECISION_LIMIT = 1000;

/** Prompts may be long. */
const EXPLAINED_BODY_BYTES = 8 * 1024 * 1024;

/** Most paths need no body, and ignore one of up to this size. */
const IGNORED_BODY_BYTES = 65_536;

const ROUTES: readonly (Omit<AdminRoute, 'maxBodyBytes'> & Partial<AdminRoute>)[] = [
  {
    method: 'GET',
    path: '/',
    exposure: 'read',
    summary: 'This list.',
    answer: answerIndex,
  },
  {
    method: 'GET',
    path: '/livez',
    exposure: 'public',
    summary: '200 while the process answers at all.',
    answer: ({ response }) => {
      sendJson(response, 200, { status: 'live' });
    },
  },
  {
    method: 'GET',
    path: '/readyz',
    exposure: 'public',
    summary:
      '200 when traffic is welcome; 503 with reasons before the start is done and while draining.',
    answer: answerReadiness,
  },
  {
    method: 'GET',
    path: '/metrics',
    exposure: 'read',
    summary: 'Metrics as Prometheus text 0.0.4.',
    answer: ({ response }, { sources }) => {
      sendBody(response, 200, { type: EXPOSITION_CONTENT_TYPE, text: sources.renderMetrics() });
    },
  },
  {
    method: 'GET',
    path: '/api/state',
    exposure: 'read',
    summary: 'Pools, endpoints, routes, build, configuration generation.',
    answer: ({ response }, { sources }) => {
      sendJson(response, 200, sources.state());
    },
  },
  {
    method: 'GET',
    path: '/api/decisions',
    exposure: 'read',
    summary: 'The last decisions, newest first; `?limit=` 1 to 1000, 100 by default.',
    answer: answerDecisions,
  },
  {
    method: 'GET',
    path: '/api/decisions/stream',
    exposure: 'read',
    summary: 'Decisions as they are made, as server-sent events.',
    answer: answerStream,
  },
  {
    method: 'GET',
    path: '/api/decisions/{request-id}',
    exposure: 'read',
    summary: 'The decision on one request, by its x-request-id.',
    answer: answerDecision,
  },
  {
    method: 'GET',
    path: '/api/shadow',
    exposure: 'read',
    summary: 'What the shadow policy would have done, over the decisions that are kept.',
    answer: ({ response }, { sources }) => {
      const { decisions } = sources;
      sendJson(response, 200, createShadowReport(decisions.latest(decisions.capacity)));
    },
  },
  {
    method: 'POST',
    path: '/api/explain',
    exposure: 'read',
    summary:
      'Where the request in the body would go now, without sending it; `?path=` is its path.',
    maxBodyBytes: EXPLAINED_BODY_BYTES,
    answer: answerExplanation,
  },
  {
    method: 'POST',
    path: '/api/endpoints/{id}/drain',
    exposure: 'change',
    summary: 'Sends the endpoint no new requests; those that run go on.',
    answer: (call, context) => {
      answerDraining(call, context, 'drain');
    },
  },
  {
    method: 'DELETE',
    path: '/api/endpoints/{id}/drain',
    exposure: 'change',
    summary: 'Takes a drain back.',
    answer: (call, context) => {
      answerDraining(call, context, 'undrain');
    },
  },
  {
    method: 'GET',
    path: '/api/config',
    exposure: 'read',
    summary: 'The configuration in effect, without credentials.',
    answer: ({ response }, { sources }) => {
      sendJson(response, 200, redact(sources.config(), CONFIG_REDACTION));
    },
  },
  {
    method: 'POST',
    path: '/api/config/reload',
    exposure: 'change',
    summary: 'Reads the configuration again; 422 with the problems when it cannot be used.',
    answer: async ({ response }, { reload }) => {
      const result = await reload();
      sendJson(response, result.ok ? 200 : 422, result);
    },
  },
];

/** Every route; of several matches the first counts. */
export const ADMIN_ROUTES: readonly AdminRoute[] = Object.freeze(
  ROUTES.map((route) => ({ maxBodyBytes: IGNORED_BODY_BYTES, ...route })),
);

function answerIndex({ response }: AdminCall): void {
  const width = Math.max(...ADMIN_ROUTES.map(({ path }) => path.length));
  const lines = ADMIN_ROUTES.map(
    ({ method, path, summary }) => `${method.padEnd(6)} ${path.padEnd(width)}  ${summary}`,
  );
  const text = `Penstock admin server\n\n${lines.join('\n')}\n`;
  sendBody(response, 200, { type: 'text/plain; charset=utf-8', text });
}

function answerReadiness({ response }: AdminCall, { sources }: AdminContext): void {
  const { isReady, reasons } = sources.readiness();
  sendJson(response, isReady ? 200 : 503, { status: isReady ? 'ready' : 'not_ready', reasons });
}

function answerDecisions({ response, query }: AdminCall, { sources }: AdminContext): void {
  const limit = parseLimit(query.get('limit'));
  if (limit === null) {
    sendError(
      response,
      'invalid_query',
      `limit is a whole number from 1 to ${HIGHEST_DECISION_LIMIT}.`,
    );
    return;
  }
  const { decisions } = sources;
  sendJson(response, 200, { capacity: decisions.capacity, decisions: decisions.latest(limit) });
}

function parseLimit(text: string | null): number | null {
  if (text === null) return DEFAULT_DECISION_LIMIT;
  if (!/^\d{1,4}$/.test(text)) return null;
  const limit = Number(text);
  return limit >= 1 && limit <= HIGHEST_DECISION_LIMIT ? limit : null;
}

function answerDecision({ response, id }: AdminCall, { sources }: AdminContext): void {
  const record = sources.decisions.find(id);
  if (record === null) {
    sendError(response, 'decision_not_found', 'No kept decision has this request id.');
  } else {
    sendJson(response, 200, record);
  }
}

function answerExplanation({ response, query, body }: AdminCall, context: AdminContext): void {
  const path = query.get('path') ?? '/v1/chat/completions';
  const explained = context.sources.explain({ path, body });
  if (explained.ok) sendJson(response, 200, explained.value);
  else sendError(response, 'not_explained', explained.error);
}

function answerStream({ request, response }: AdminCall, { stream }: AdminContext): void {
  if (!stream.hasRoom) {
    sendError(response, 'too_many_followers', 'The live stream takes no more followers now.');
    return;
  }
  setSecurityHeaders(response);
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'x-accel-buffering': 'no',
    connection: 'close',
  });
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  // The stream may be silent for long; its heartbeat finds dead peers.
  request.socket.setTimeout(0);
  stream.follow(response);
}

function answerDraining(
  { response, id }: AdminCall,
  { sources }: AdminContext,
  action: 'drain' | 'undrain',
): void {
  const isDraining = action === 'drain';
  if (sources.setDraining(id, isDraining)) sendJson(response, 200, { endpoint: id, isDraining });
  else sendError(response, 'endpoint_not_found', 'No endpoint has this id.');
}
