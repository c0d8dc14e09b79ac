import type { Clock } from '../core/clock.ts';
import type { Rng } from '../core/rng.ts';
import { Fleet } from '../pool/fleet.ts';
import type { HealthOptions } from '../pool/health.ts';
import type { ReportOptions } from '../pool/report.ts';
import type { ProfileSpec } from '../scheduler/framework/plugin.ts';
import type { Registry } from '../scheduler/framework/registry.ts';
import { Scheduler } from '../scheduler/scheduler.ts';
import type { DecisionLog } from '../telemetry/decision-log.ts';
import type { MetricsRegistry } from '../telemetry/registry.ts';
import type { RetryOptions } from './director.ts';
import { Director } from './director.ts';
import { registerFleetMetrics } from './fleet-metrics.ts';
import { ADMIT_ALL, NO_LIMITS } from './ports.ts';
import { RouteTable } from './routes.ts';

/** Everything that decides, wired together: the same for real servers and for simulated ones. */
export interface Brain {
  readonly scheduler: Scheduler;
  readonly fleet: Fleet;
  readonly routes: RouteTable;
  readonly director: Director;
}

/** The policy in use, one on trial beside it (null for none), and the plugins both may use. */
export interface BrainPolicy {
  readonly profile: ProfileSpec;
  readonly shadow: ProfileSpec | null;
  readonly registry: Registry;
}

/** What a brain is made from. */
export interface BrainOptions {
  readonly policy: BrainPolicy;
  readonly retry: RetryOptions;
  readonly health: HealthOptions;
  readonly report: ReportOptions;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly metrics: MetricsRegistry;
  readonly decisions: DecisionLog;
  /** A plugin threw or gave NaN; called for each pick that lost its part. */
  readonly onPluginFault: (name: string, cause: unknown) => void;
}

/**
 * Bounds of the prefix index: about a million blocks, 256 MB of prompts, in all; and for an
 * endpoint that has not reported its cache yet, 8 MB of prompts.
 */
const PREFIX = Object.freeze({
  maxBytes: 64 * 1024 * 1024,
  defaultBlocksPerEndpoint: 32_768,
});

/** Builds a brain that knows of no endpoint and no configured model yet. */
export function createBrain(options: BrainOptions): Brain {
  const { retry, health, report, clock, rng, metrics, decisions, onPluginFault } = options;
  const policy = withFallbacks(options.policy, retry.attempts);
  const scheduler = new Scheduler({ ...policy, rng, prefix: PREFIX, onPluginFault });
  const listener = {
    onRestart: scheduler.noteRestart.bind(scheduler),
    onVacated: scheduler.noteRemoved.bind(scheduler),
    onCacheSize: scheduler.noteCapacity.bind(scheduler),
  };
  const fleet = new Fleet({ listener, clock, rng, health, report });
  registerFleetMetrics(fleet, metrics);
  const routes = new RouteTable(fleet);
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
    retry,
  });
  return { scheduler, fleet, routes, director };
}

/** The policy with an endpoint of its own for every attempt. */
export function withFallbacks(policy: BrainPolicy, attempts: number): BrainPolicy {
  const widen = (spec: ProfileSpec): ProfileSpec => ({
    ...spec,
    rankedCount: Math.max(spec.rankedCount, attempts),
  });
  const { profile, shadow, registry } = policy;
  return { profile: widen(profile), shadow: shadow === null ? null : widen(shadow), registry };
}
