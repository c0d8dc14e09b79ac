import { modelName, poolId, requestId } from '../../core/ids.ts';
import { createRng } from '../../core/rng.ts';
import { VirtualClock } from '../../core/virtual-clock.ts';
import type { EndpointSpec } from '../../pool/endpoint.ts';
import { NO_LISTENER } from '../../pool/fleet-listener.ts';
import { Fleet } from '../../pool/fleet.ts';
import { DEFAULT_HEALTH_OPTIONS } from '../../pool/health.ts';
import { DEFAULT_REPORT_OPTIONS } from '../../pool/report.ts';
import { APIS } from '../../protocol/api-table.ts';
import { BUILTIN_PLUGINS } from '../../scheduler/framework/builtins.ts';
import { createRegistry } from '../../scheduler/framework/registry.ts';
import { PRESETS } from '../../scheduler/presets.ts';
import { Scheduler } from '../../scheduler/scheduler.ts';
import { NO_OBJECTIVE } from '../../scheduler/types.ts';
import { DecisionLog } from '../../telemetry/decision-log.ts';
import { MetricsRegistry } from '../../telemetry/registry.ts';
import { Director } from '../director.ts';
import type { DirectorOptions, FlightReceiver } from '../director.ts';
import type { Flight } from '../flight.ts';
import { ADMIT_ALL, NO_LIMITS } from '../ports.ts';
import type { RouteSpec, RouteTierSpec } from '../routes.ts';
import { RouteTable } from '../routes.ts';
import type { Refusal, RequestHead } from '../types.ts';
import { NO_CREDENTIAL } from '../types.ts';

/** A director over a fleet in virtual time. */
export interface TestWorld {
  readonly clock: VirtualClock;
  readonly fleet: Fleet;
  readonly routes: RouteTable;
  readonly scheduler: Scheduler;
  readonly director: Director;
  readonly metrics: MetricsRegistry;
  readonly decisions: DecisionLog;
}

/** Options of a test world. */
export interface TestWorldOptions {
  /** Pool name to the models that each of its endpoints serves. */
  readonly pools: Readonly<Record<string, readonly (readonly string[])[]>>;
  readonly routes?: readonly RouteSpec[];
  readonly director?: Partial<DirectorOptions>;
}

/** Builds a world whose endpoints are all ready. */
export function createTestWorld(options: TestWorldOptions): TestWorld {
  const clock = new VirtualClock(1_700_000_000_000);
  const rng = createRng(5);
  const fleet = new Fleet({
    listener: NO_LISTENER,
    clock,
    rng,
    health: DEFAULT_HEALTH_OPTIONS,
    report: DEFAULT_REPORT_OPTIONS,
  });
  for (const [name, endpoints] of Object.entries(options.pools)) {
    fleet.setPool(
      poolId(name),
      endpoints.map((models, index) => createSpec(`http://${name}-${index}:8000`, models)),
    );
  }
  for (const endpoint of fleet.endpoints()) fleet.setReachable(endpoint);
  const routes = new RouteTable(fleet);
  routes.configure(options.routes ?? []);
  const metrics = new MetricsRegistry();
  const decisions = new DecisionLog(100);
  const scheduler = new Scheduler({
    profile: PRESETS['least-work'],
    shadow: null,
    registry: createRegistry(BUILTIN_PLUGINS),
    rng,
    prefix: { maxBytes: 1024 * 1024, defaultBlocksPerEndpoint: 1024 },
    onPluginFault: (name, cause) => {
      throw new Error(`plugin ${name} failed`, { cause });
    },
  });
  const director = new Director({
    fleet,
    routes,
    scheduler,
    limits: NO_LIMITS,
    admission: ADMIT_ALL,
    clock,
    rng,
    metrics,
    decisions,
    retry: { attempts: 3, budgetShare: 0.2 },
    ...options.director,
  });
  return { clock, fleet, routes, scheduler, director, metrics, decisions };
}

function createSpec(url: string, models: readonly string[]): EndpointSpec {
  return { url, labels: {}, engine: null, models, tls: null };
}

/** A configured target for tests. */
export interface TestTarget {
  readonly pool: string | null;
  readonly model?: string;
  readonly weight?: number;
}

/** A configured route for tests, with one tier for all requests. */
export function createRouteSpec(
  name: string,
  targets: readonly TestTarget[],
  aliases: readonly string[] = [],
): RouteSpec {
  return {
    name: modelName(name),
    aliases: aliases.map(modelName),
    tiers: [createTierSpec(null, targets)],
    objective: NO_OBJECTIVE,
  };
}

/** A tier for prompts of up to so many tokens. */
export function createTierSpec(
  promptTokensMax: number | null,
  targets: readonly TestTarget[],
): RouteTierSpec {
  return {
    promptTokensMax,
    outputTokensMax: null,
    targets: targets.map(({ pool, model, weight = 1 }) => ({
      pool: pool === null ? null : poolId(pool),
      model: model === undefined ? null : modelName(model),
      weight,
    })),
  };
}

/** A request for `model`. */
export function createHead(model: string, overrides: Partial<RequestHead> = {}): RequestHead {
  return {
    requestId: requestId('req-1'),
    api: APIS[0]!,
    model,
    isStream: true,
    promptBytes: 400,
    maxTokens: 100,
    pinnedEndpoint: null,
    objective: NO_OBJECTIVE,
    credential: NO_CREDENTIAL,
    header: () => null,
    promptBlocks: () => ({ blockBytes: 256, count: 0, hashes: new Uint32Array(0) }),
    ...overrides,
  };
}

/** Begins a request and gives the answer, which must come at once. */
export function begin(world: TestWorld, head: RequestHead): Flight | Refusal {
  let answer: Flight | Refusal | null = null;
  const receiver: FlightReceiver = {
    onFlight: (flight) => {
      answer = flight;
    },
    onRefused: (refusal) => {
      answer = refusal;
    },
  };
  world.director.begin(head, receiver);
  return answer!;
}

/** Begins a request that must get a flight. */
export function takeOff(world: TestWorld, head: RequestHead): Flight {
  const answer = begin(world, head);
  if ('code' in answer) throw new TypeError(`refused: ${answer.code} ${answer.message}`);
  return answer;
}
