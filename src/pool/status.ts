import type { EndpointId, PoolId } from '../core/ids.ts';
import type { EngineName, EngineReport } from '../protocol/engines/dialect.ts';
import type { Endpoint } from './endpoint.ts';
import type { HealthState } from './health.ts';
import type { LoadTable } from './load-table.ts';
import { modelsOf } from './served-index.ts';

/** The strongest reason why an endpoint is or is not picked, in the order in which they win. */
export type EndpointState =
  | 'removed'
  | 'draining'
  | 'unreachable'
  | 'ejected'
  | 'probing'
  | 'ready';

/** One endpoint as people see it: plain data, made on request. */
export interface EndpointStatus {
  readonly id: EndpointId;
  readonly slot: number;
  readonly url: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Pools it is a member of, configured and grouped ones. */
  readonly pools: readonly PoolId[];
  /** As recognised, or as configured while it was not probed; null while unknown. */
  readonly engine: EngineName | null;
  readonly version: string | null;
  readonly models: readonly string[];
  readonly state: EndpointState;
  /** Why it is not ready; null when it is. */
  readonly reason: string | null;
  /**
   * Whether a pick may choose it now; false also while a half-open endpoint's probe is under
   * way.
   */
  readonly isAvailable: boolean;
  readonly requestsInFlight: number;
  readonly tokensInFlight: number;
  readonly prefillTokensInFlight: number;
  /** Numbers of the last report as it came; null when the engine did not give them. */
  readonly reportedWaiting: number | null;
  readonly reportedRunning: number | null;
  readonly kvCacheUsage: number | null;
  /** Requests in the engine that are not ours, as aged as picks see them. */
  readonly foreignRequests: number;
  /** Age of the last report; null before the first. */
  readonly reportAgeMs: number | null;
  readonly health: HealthState;
  readonly consecutiveFailures: number;
  readonly ejections: number;
  readonly restarts: number;
}

/** Describes `endpoint` at `nowMs`; `pools` are those it is a member of. */
export function describeEndpoint(
  endpoint: Endpoint,
  load: LoadTable,
  options: { readonly pools: readonly PoolId[]; readonly nowMs: number },
): EndpointStatus {
  const { slot, health, facts, lastReport } = endpoint;
  const { nowMs } = options;
  const state = stateOf(endpoint);
  return {
    id: endpoint.id,
    slot,
    url: endpoint.spec.url,
    labels: endpoint.spec.labels,
    pools: options.pools,
    engine: facts?.engine ?? endpoint.spec.engine,
    version: facts === null ? null : facts.version,
    models: modelsOf(endpoint).map((model) => model.id),
    state,
    reason: reasonOf(endpoint, state, nowMs),
    isAvailable: endpoint.isAvailable,
    requestsInFlight: valueAt(load.requestsInFlight, slot),
    tokensInFlight: valueAt(load.tokensInFlight, slot),
    prefillTokensInFlight: valueAt(load.prefillTokensInFlight, slot),
    ...lastNumbers(lastReport),
    foreignRequests: valueAt(load.foreignRequests, slot),
    reportAgeMs: lastReport === null ? null : nowMs - endpoint.lastReportAtMs,
    health: health.state,
    consecutiveFailures: health.consecutiveFailures,
    ejections: health.ejections,
    restarts: endpoint.restarts,
  };
}

function lastNumbers(
  report: EngineReport | null,
): Pick<EndpointStatus, 'reportedWaiting' | 'reportedRunning' | 'kvCacheUsage'> {
  return {
    reportedWaiting: report?.waiting ?? null,
    reportedRunning: report?.running ?? null,
    kvCacheUsage: report?.kvCacheUsage ?? null,
  };
}

function valueAt(column: Float64Array, slot: number): number {
  return column[slot] ?? 0;
}

function stateOf(endpoint: Endpoint): EndpointState {
  if (endpoint.isRemoved) return 'removed';
  if (endpoint.isDraining) return 'draining';
  if (endpoint.reachability === 'unreachable') return 'unreachable';
  if (endpoint.health.state !== 'closed') return 'ejected';
  return endpoint.isAvailable ? 'ready' : 'probing';
}

function reasonOf(endpoint: Endpoint, state: EndpointState, nowMs: number): string | null {
  switch (state) {
    case 'ready':
      return null;
    case 'removed':
      return 'no longer declared; open requests may finish';
    case 'draining':
      return 'drained by request; open requests may finish';
    case 'unreachable':
      return endpoint.unreachableReason;
    case 'probing':
      return 'not probed yet: its models are unknown';
    case 'ejected':
      return ejectionReason(endpoint, nowMs);
  }
}

function ejectionReason({ health }: Endpoint, nowMs: number): string {
  if (health.state === 'half_open') {
    return health.canTakeRequest
      ? 'half open: waits for one request to try it'
      : 'half open: one request tries it';
  }
  const leftMs = Math.max(0, Math.ceil(health.ejectedUntilMs - nowMs));
  return `${health.consecutiveFailures} failures in a row: ejected for another ${leftMs} ms`;
}
