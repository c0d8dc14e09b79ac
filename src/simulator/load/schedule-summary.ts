import type { TrafficSource } from '../workloads/types.ts';

/** What would be sent. */
export interface ScheduleSummary {
  readonly requests: number;
  /** False when there were more than are looked at. */
  readonly isComplete: boolean;
  /** From the start to the last request, in milliseconds. */
  readonly lastAtMs: number;
  readonly promptTokens: { readonly sum: number; readonly max: number };
  readonly outputTokens: { readonly sum: number; readonly max: number };
  readonly sessions: number;
  readonly tenants: number;
  /** Adapters that are asked for. */
  readonly adapters: number;
  /** Requests that are planned only when the answer before them has come. */
  readonly dependent: number;
}

/** Requests looked at. */
const MAX_REQUESTS = 1_000_000;

/**
 * Goes through a source as if every answer took `tokenMs` per output token, and says what would be
 * sent. The source is used up.
 */
export function summarizeSchedule(
  traffic: TrafficSource,
  options: { readonly durationMs: number; readonly tokenMs: number },
): ScheduleSummary {
  const sessions = new Set<number>();
  const tenants = new Set<string>();
  const adapters = new Set<string>();
  const promptTokens = { sum: 0, max: 0 };
  const outputTokens = { sum: 0, max: 0 };
  let requests = 0;
  let lastAtMs = 0;
  let dependent = 0;
  while (requests < MAX_REQUESTS && traffic.nextAtMs() <= options.durationMs) {
    const request = traffic.take();
    requests += 1;
    lastAtMs = Math.max(lastAtMs, request.atMs);
    if (sessions.has(request.session)) dependent += 1;
    sessions.add(request.session);
    tenants.add(request.tenant);
    if (request.adapter !== null) adapters.add(request.adapter);
    add(promptTokens, request.promptTokens);
    add(outputTokens, request.output.tokens);
    traffic.noteEnded(request, request.atMs + options.tokenMs * request.output.tokens);
  }
  return {
    requests,
    isComplete: requests < MAX_REQUESTS,
    lastAtMs,
    promptTokens,
    outputTokens,
    sessions: sessions.size,
    tenants: tenants.size,
    adapters: adapters.size,
    dependent,
  };
}

function add(tokens: { sum: number; max: number }, count: number): void {
  tokens.sum += count;
  tokens.max = Math.max(tokens.max, count);
}
