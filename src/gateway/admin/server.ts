import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { Clock } from '../../core/clock.ts';
import { spawn } from '../../core/spawn.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { MetricsRegistry } from '../../telemetry/registry.ts';
import { DEFAULT_STREAM_LIMITS, DecisionStream } from './decision-stream.ts';
import type { DecisionStreamLimits } from './decision-stream.ts';
import { checkRequest, createGuardPolicy } from './guard.ts';
import type { GuardPolicy } from './guard.ts';
import type { AdminSources, ReloadResult } from './ports.ts';
import { sendError } from './responses.ts';
import { matchRoute } from './router.ts';
import { ADMIN_ROUTES } from './routes.ts';
import type { AdminContext, AdminRoute } from './routes.ts';

/** Where a server listens. */
export interface AdminAddress {
  /** Name or address, IPv6 without brackets. */
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
}

/** What an admin server needs. */
export interface AdminServerOptions {
  /** There are no keys: whoever reaches this address may read all and drain endpoints. */
  readonly address: AdminAddress;
  readonly sources: AdminSources;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
  /** Further names under which callers may ask for changes, for example of a Service. */
  readonly allowedHosts?: readonly string[];
  /** Bounds of the live stream, for tests. */
  readonly streamLimits?: DecisionStreamLimits;
}

/** A running admin server. */
export interface AdminServer {
  /** Where it listens, with the real port. */
  readonly address: AdminAddress;
  /** Stops listening, ends live streams and waits for open calls, at most a second. Idempotent. */
  close(): Promise<void>;
}

const MAX_CONNECTIONS = 128;
const MAX_HEADER_BYTES = 16_384;
const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_MS = 20_000;
const CLOSE_GRACE_MS = 1_000;

/**
 * Starts the admin server.
 *
 * @throws the system's error when the address cannot be listened on.
 */
export async function createAdminServer(options: AdminServerOptions): Promise<AdminServer> {
  const { address, sources, clock, log, metrics } = options;
  const policy = createGuardPolicy(address.host, options.allowedHosts ?? []);
  const dropped = metrics.counter('penstock_admin_followers_dropped_total');
  const stream = new DecisionStream(
    { decisions: sources.decisions, clock, dropped },
    options.streamLimits ?? DEFAULT_STREAM_LIMITS,
  );
  const context: AdminContext = { sources, stream, reload: shareRunning(() => sources.reload()) };
  const server = createBoundedServer((request, response) => {
    spawn('admin call', handle({ request, response, policy, context }), (_name, cause) => {
      log.error({ cause, method: request.method, target: request.url }, 'admin call failed');
      failCall(response);
    });
  });
  server.listen(address.port, address.host);
  await once(server, 'listening');
  // A failed accept (no file descriptors left) must not end the process.
  server.on('error', (cause) => {
    log.error({ cause }, 'admin server failed to accept a connection');
  });
  const bound = { host: address.host, port: (server.address() as AddressInfo).port };
  if (!policy.isLoopback) {
    log.warn({ ...bound }, 'the admin server has no keys and can be reached from other machines');
  }
  return { address: bound, close: shareFirst(() => closeServer(server, stream, clock)) };
}

function createBoundedServer(onRequest: RequestListener): Server {
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: HEADERS_TIMEOUT_MS,
    },
    onRequest,
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.setTimeout(IDLE_TIMEOUT_MS);
  return server;
}

interface PendingCall {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly policy: GuardPolicy;
  readonly context: AdminContext;
}

async function handle(call: PendingCall): Promise<void> {
  const { request, response } = call;
  const { path, query } = splitTarget(request.url ?? '/');
  const match = matchRoute(ADMIN_ROUTES, request.method ?? 'GET', path);
  switch (match.kind) {
    case 'unknown':
      refuse(call, 'not_found', 'The admin server has no such path; GET / lists them.');
      return;
    case 'wrong-method':
      response.setHeader('allow', match.allow);
      refuse(call, 'method_not_allowed', `This path takes ${match.allow}.`);
      return;
    case 'bad-id':
      refuse(call, 'invalid_id', 'The id in the path is not valid percent-encoding.');
      return;
    case 'found':
      await answerRoute(call, match, query);
  }
}

async function answerRoute(
  call: PendingCall,
  { route, id }: { readonly route: AdminRoute; readonly id: string },
  query: URLSearchParams,
): Promise<void> {
  const { request, response, policy, context } = call;
  const refusal = checkRequest(request, route.exposure, policy);
  if (refusal !== null) {
    refuse(call, refusal.code, refusal.message);
    return;
  }
  const body = await readBody(request, route.maxBodyBytes);
  if (body === 'too-large') {
    refuse(call, 'body_too_large', `This path takes a body of up to ${route.maxBodyBytes} bytes.`);
  } else if (body !== 'aborted') {
    await route.answer({ request, response, id, query, body }, context);
  }
}

/** Answers with an error; a body that is still coming ends with the connection. */
function refuse(call: PendingCall, ...error: RefusalArguments): void {
  if (hasBody(call.request)) call.response.setHeader('connection', 'close');
  sendError(call.response, ...error);
}

type RefusalArguments = [code: Parameters<typeof sendError>[1], message: string];

function hasBody({ headers }: IncomingMessage): boolean {
  return Number(headers['content-length'] ?? 0) > 0 || headers['transfer-encoding'] !== undefined;
}

/** Reads a whole body first, so that a call cut short changes nothing. */
async function readBody(
  request: IncomingMessage,
  maxBytes: number,
): Promise<Buffer | 'too-large' | 'aborted'> {
  if (!hasBody(request)) return Buffer.alloc(0);
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) return 'too-large';
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  try {
    // The socket must outlive an early return: it still has to carry the answer.
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      chunks.push(chunk as Buffer);
      sizeBytes += (chunk as Buffer).length;
      if (sizeBytes > maxBytes) return 'too-large';
    }
  } catch {
    return 'aborted';
  }
  return Buffer.concat(chunks);
}

function splitTarget(target: string): { path: string; query: URLSearchParams } {
  const mark = target.indexOf('?');
  if (mark < 0) return { path: target, query: new URLSearchParams() };
  return { path: target.slice(0, mark), query: new URLSearchParams(target.slice(mark + 1)) };
}

function failCall(response: ServerResponse): void {
  if (response.headersSent) response.destroy();
  else sendError(response, 'internal', 'The call failed; the log has the cause.');
}

async function closeServer(server: Server, stream: DecisionStream, clock: Clock): Promise<void> {
  stream.close();
  const closed = once(server, 'close');
  server.close();
  const timer = clock.setTimer(CLOSE_GRACE_MS, () => {
    server.closeAllConnections();
  });
  await closed;
  clock.clearTimer(timer);
}

/** Calls `work` at most once; all callers get the first call's promise. */
function shareFirst<T>(work: () => Promise<T>): () => Promise<T> {
  let first: Promise<T> | null = null;
  return () => (first ??= work());
}

/** Callers that come while `work` runs share its result. */
function shareRunning(work: () => Promise<ReloadResult>): () => Promise<ReloadResult> {
  let running: Promise<ReloadResult> | null = null;
  return () =>
    (running ??= work().finally(() => {
      running = null;
    }));
}
