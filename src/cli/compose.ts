import type { Clock } from '../core/clock.ts';
import { modelName, poolId } from '../core/ids.ts';
import type { Rng } from '../core/rng.ts';
import type { FailureSink } from '../core/spawn.ts';
import { Director } from '../director/director.ts';
import { registerFleetMetrics } from '../director/fleet-metrics.ts';
import { ADMIT_ALL, NO_LIMITS } from '../director/ports.ts';
import type { RouteSpec } from '../director/routes.ts';
import { RouteTable } from '../director/routes.ts';
import type { MonitorOptions } from '../discovery/monitor-options.ts';
import { DEFAULT_MONITOR_OPTIONS } from '../discovery/monitor-options.ts';
import type { Monitor } from '../discovery/monitor.ts';
import { createMonitor } from '../discovery/monitor.ts';
import { Gateway } from '../gateway/gateway.ts';
import type { ListenerOptions, RelayOptions } from '../gateway/options.ts';
import { Fleet } from '../pool/fleet.ts';
import { DEFAULT_HEALTH_OPTIONS } from '../pool/health.ts';
import { BUILTIN_PLUGINS } from '../scheduler/framework/builtins.ts';
import type { PromptKey } from '../protocol/wasm/prompt-key.ts';
import { createRegistry } from '../scheduler/framework/registry.ts';
import type { ProfileSpec } from '../scheduler/framework/plugin.ts';
import type { SchedulerOptions } from '../scheduler/scheduler.ts';
import { Scheduler } from '../scheduler/scheduler.ts';
import { DecisionLog } from '../telemetry/decision-log.ts';
import type { RootLogger } from '../telemetry/logger.ts';
import { MetricsRegistry } from '../telemetry/registry.ts';
import type { ModelConfig, PenstockConfig } from './config/config.ts';
import { FleetSources } from './fleet-sources.ts';
import { PluginFaults } from './plugin-faults.ts';

/** What a process gives to its parts. */
export interface ProcessParts {
  readonly clock: Clock;
  readonly rng: Rng;
  /** Seeds the hashes of prompt blocks; from a source that clients cannot guess. */
  readonly promptKey: PromptKey;
  readonly log: RootLogger;
  readonly onFailure: FailureSink;
}

/** The parts of a running gateway, wired together. */
export interface Composition {
  readonly scheduler: Scheduler;
  readonly fleet: Fleet;
  readonly routes: RouteTable;
  readonly director: Director;
  readonly gateway: Gateway;
  readonly promptKey: PromptKey;
  readonly monitor: Monitor;
  readonly sources: FleetSources;
  readonly metrics: MetricsRegistry;
  readonly decisions: DecisionLog;
}

/** Builds all parts from one configuration. Nothing runs or listens yet. */
export function compose(config: PenstockConfig, parts: ProcessParts): Composition {
  const { clock, rng, promptKey, log, onFailure } = parts;
  const metrics = new MetricsRegistry();
  const decisions = new DecisionLog(config.decisions.keep);
  const scheduler = createScheduler(config, { ...parts, metrics });
  const fleet = createFleet(config, { ...parts, scheduler });
  const routes = new RouteTable(fleet);
  routes.configure(config.models.map(routeSpecOf));
  registerFleetMetrics(fleet, metrics);
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
    retry: { attempts: config.retry.attempts, budgetShare: config.retry.budgetPercent / 100 },
  });
  const relay = relayOptionsOf(config);
  const gateway = new Gateway({ director, routes, relay, promptKey, clock, rng, log, metrics });
  const monitor = createMonitor({
    fleet,
    clock,
    rng,
    log,
    metrics,
    options: monitorOptionsOf(config),
  });
  const sources = new FleetSources({ fleet, clock, log, onFailure });
  return {
    scheduler,
    fleet,
    routes,
    director,
    gateway,
    promptKey,
    monitor,
    sources,
    metrics,
    decisions,
  };
}

/** Memory of the prefix index: about a million blocks, 256 MB of prompts. */
const PREFIX_INDEX_BYTES = 64 * 1024 * 1024;
/** Blocks an endpoint is taken to hold before it reports its cache: 8 MB of prompts. */
const PREFIX_BLOCKS_DEFAULT = 32_768;

function createScheduler(
  config: PenstockConfig,
  { rng, log, clock, metrics }: ProcessParts & { readonly metrics: MetricsRegistry },
): Scheduler {
  const faults = new PluginFaults({ clock, log, metrics });
  return new Scheduler({
    ...schedulingOptionsOf(config),
    rng,
    prefix: { maxBytes: PREFIX_INDEX_BYTES, defaultBlocksPerEndpoint: PREFIX_BLOCKS_DEFAULT },
    onPluginFault: (name, cause) => {
      faults.note(name, cause);
    },
  });
}

/** The policies under this configuration, and the plugins they may use. */
export function schedulingOptionsOf({
  scheduling,
  retry,
}: PenstockConfig): Pick<SchedulerOptions, 'profile' | 'shadow' | 'registry'> {
  const { profile, shadow, plugins } = scheduling;
  const definitions = plugins.flatMap((module) => module.definitions);
  // Every attempt needs an endpoint of its own.
  const withFallbacks = (spec: ProfileSpec): ProfileSpec => ({
    ...spec,
    rankedCount: Math.max(spec.rankedCount, retry.attempts),
  });
  return {
    profile: withFallbacks(profile),
    shadow: shadow === null ? null : withFallbacks(shadow),
    registry: createRegistry([...BUILTIN_PLUGINS, ...definitions]),
  };
}

function createFleet(
  config: PenstockConfig,
  { clock, rng, scheduler }: ProcessParts & { readonly scheduler: Scheduler },
): Fleet {
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
    health: {
      ...DEFAULT_HEALTH_OPTIONS,
      failureThreshold: config.ejection.consecutiveFailures,
      ejectionBaseMs: config.ejection.baseMs,
      ejectionMaxMs: config.ejection.maxMs,
    },
    report: { staleAfterMs: config.scrape.staleMs, forgetAfterMs: config.scrape.forgetMs },
  });
}

function monitorOptionsOf({ scrape }: PenstockConfig): MonitorOptions {
  return {
    ...DEFAULT_MONITOR_OPTIONS,
    scrape: {
      ...DEFAULT_MONITOR_OPTIONS.scrape,
      fastestMs: scrape.fastMs,
      steadyMs: steadyMsOf(scrape),
      slowestMs: scrape.idleMs,
    },
  };
}

/** Between the two that can be configured. */
function steadyMsOf({ fastMs, idleMs }: PenstockConfig['scrape']): number {
  return Math.min(idleMs, Math.max(fastMs, DEFAULT_MONITOR_OPTIONS.scrape.steadyMs));
}

/** A configured model as the director wants it. */
export function routeSpecOf({ name, aliases, tiers, objective }: ModelConfig): RouteSpec {
  return {
    name: modelName(name),
    aliases: aliases.map(modelName),
    tiers: tiers.map((tier) => ({
      promptTokensMax: tier.maxPromptTokens,
      outputTokensMax: tier.maxOutputTokens,
      targets: tier.targets.map(({ pool, model, weight }) => ({
        pool: pool === null ? null : poolId(pool),
        model: model === null ? null : modelName(model),
        weight,
      })),
    })),
    objective,
  };
}

/** How requests are relayed under this configuration. */
export function relayOptionsOf(config: PenstockConfig): RelayOptions {
  return {
    timeouts: config.timeouts,
    limits: config.limits,
    replayBytes: config.retry.bufferBytes,
    captureUsage: config.usage.capture === 'always',
    showEndpoint: config.headers.endpoint,
  };
}

/** Where clients are served under this configuration. */
export function listenerOptionsOf(config: PenstockConfig): readonly ListenerOptions[] {
  return config.listeners.map(({ address, isInternal, tls }) => ({
    ...address,
    isInternal,
    tls: tls === null ? null : { certPem: tls.certPem, keyPem: tls.keyPem },
  }));
}
