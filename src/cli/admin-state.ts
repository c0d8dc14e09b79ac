import type { Clock } from '../core/clock.ts';
import type { RouteTable } from '../director/routes.ts';
import { targetsOf } from '../director/routes.ts';
import type {
  AdminState,
  ConfigState,
  EndpointState,
  PoolState,
  Readiness,
  RouteState,
} from '../gateway/admin/ports.ts';
import type { Fleet } from '../pool/fleet.ts';
import type { EndpointStatus } from '../pool/status.ts';

/** Where the admin API's picture of the process comes from. */
export interface AdminStateSources {
  readonly fleet: Fleet;
  readonly routes: RouteTable;
  readonly clock: Clock;
  readonly version: string;
  readonly startedAtMs: number;
  readonly readiness: () => Readiness;
  readonly config: () => ConfigState;
  readonly openRequests: () => number;
}

/** Builds the answer of `GET /api/state`. */
export function describeState(sources: AdminStateSources): AdminState {
  const { fleet, routes, clock, version, startedAtMs } = sources;
  const statuses = fleet.endpoints().map(({ slot }) => fleet.statusOf(slot));
  return {
    build: { version, node: process.version },
    startedAtMs,
    uptimeSeconds: (clock.wallMs() - startedAtMs) / 1000,
    readiness: sources.readiness(),
    config: sources.config(),
    openRequests: sources.openRequests(),
    pools: fleet.pools().map(({ id, baseModel, members }): PoolState => {
      const endpoints = [...members].map((slot) => fleet.endpointAt(slot).id);
      return { id, baseModel, endpoints };
    }),
    endpoints: statuses.map(describeEndpoint),
    routes: [...routes.names()].sort().flatMap((name) => describeRoute(name, routes, fleet)),
  };
}

function describeEndpoint(status: EndpointStatus): EndpointState {
  const { id, url, engine, version, state, reason, labels, models, reportAgeMs } = status;
  return {
    id,
    url,
    pool: status.pools[0] ?? null,
    engine,
    version,
    state,
    reason,
    labels,
    models,
    inFlight: {
      requests: status.requestsInFlight,
      tokens: status.tokensInFlight,
      prefillTokens: status.prefillTokensInFlight,
    },
    report:
      reportAgeMs === null
        ? null
        : {
            ageMs: reportAgeMs,
            waiting: status.reportedWaiting,
            running: status.reportedRunning,
            kvCacheUsage: status.kvCacheUsage,
          },
  };
}

function describeRoute(name: string, routes: RouteTable, fleet: Fleet): RouteState[] {
  const route = routes.resolve(name);
  // An alias is shown with the name it stands for.
  if (route === null || route.name !== name) return [];
  const spec = routes.specs.find((each) => each.name === name);
  const { isAvailable } = fleet.load;
  const targets = targetsOf(route).map(({ served, weight }) => ({
    pool: served.pool,
    model: served.model,
    weight,
    endpointCount: served.members.length,
    availableCount: served.members.filter((slot) => isAvailable[slot] === 1).length,
  }));
  return [{ name, aliases: spec === undefined ? [] : spec.aliases, targets }];
}
