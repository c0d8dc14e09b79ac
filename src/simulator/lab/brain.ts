import type { Clock } from '../../core/clock.ts';
import { poolId } from '../../core/ids.ts';
import type { Rng } from '../../core/rng.ts';
import { Director } from '../../director/director.ts';
import { registerFleetMetrics } from '../../director/fleet-metrics.ts';
import { ADMIT_ALL, NO_LIMITS } from '../../director/ports.ts';
import { RouteTable } from '../../director/routes.ts';
import type { EndpointSpec } from '../../pool/endpoint.ts';
import { Fleet } from '../../pool/fleet.ts';
import { DEFAULT_HEALTH_OPTIONS } from '../../pool/health.ts';
import { DEFAULT_REPORT_OPTIONS } from '../../pool/report.ts';
import { BUILTIN_PLUGINS } from '../../scheduler/framework/builtins.ts';
import { createRegistry } from '../../scheduler/framework/registry.ts';
import { Scheduler } from '../../scheduler/scheduler.ts';
import { DecisionLog } from '../../telemetry/decision-log.ts';
import { MetricsRegistry } from '../../telemetry/registry.ts';
import type { LabPolicy } from './types.ts';

/** What decides in a lab run: the shipped parts, wired as the gateway wires them. */
export interface Brain {
  readonly fleet: Fleet;
  readonly director: Director;
  readonly scheduler: Scheduler;
  readonly metrics: MetricsRegistry;
  readonly decisions: DecisionLog;
}

/** What a brain is made from. */
export interface BrainOptions {
  readonly policy: LabPolicy;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly onPluginFault: (name: string, cause: unknown) => void;
}

/** Name of the one pool of a lab. */
const LAB_POOL = 'lab';

// As the gateway has them when nothing is configured.
const RETRY = Object.freeze({ attempts: 3, budgetShare: 0.2 });
const PREFIX = Object.freeze({
  maxBytes: 64 * 1024 * 1024,
  defaultBlocksPerEndpoint: 32_768,
});

/** Builds the parts over a fleet of `servers`, of which nothing is known yet. */
export function createBrain(servers: readonly EndpointSpec[], options: BrainOptions): Brain {
  const { policy, clock, rng, onPluginFault } = options;
  const metrics = new MetricsRegistry();
  const decisions = new DecisionLog();
  const { profile, plugins } = policy;
  const scheduler = new Scheduler({
    // Every attempt needs an endpoint of its own.
    profile: { ...profile, rankedCount: Math.max(profile.rankedCount, RETRY.attempts) },
    shadow: null,
    registry: createRegistry([...BUILTIN_PLUGINS, ...plugins]),
    rng,
    prefix: PREFIX,
    onPluginFault,
  });
  const fleet = createFleet({ clock, rng, scheduler });
  fleet.setPool(poolId(LAB_POOL), servers);
  registerFleetMetrics(fleet, metrics);
  const director = new Director({
    fleet,
    routes: new RouteTable(fleet),
    scheduler,
    limits: NO_LIMITS,
    admission: ADMIT_ALL,
    clock,
    rng,
    metrics,
    decisions,
    retry: RETRY,
  });
  return { fleet, director, scheduler, metrics, decisions };
}

function createFleet(parts: {
  readonly clock: Clock;
  readonly rng: Rng;
  readonly scheduler: Scheduler;
}): Fleet {
  const { clock, rng, scheduler } = parts;
  return new Fleet({
    listener: {
      onRestart: (slot) => {
        scheduler.noteRestart(slot);
      },
      onVacated: (slot) => {
        scheduler.noteRemoved(slot);
      },
      onCacheSize: (slot, size) => {
        scheduler.noteCapacity(slot, size);
      },
    },
    clock,
    rng,
    health: DEFAULT_HEALTH_OPTIONS,
    report: DEFAULT_REPORT_OPTIONS,
  });
}
