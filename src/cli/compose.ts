import type { Clock } from '../core/clock.ts';
import { modelName, poolId } from '../core/ids.ts';
import type { Rng } from '../core/rng.ts';
import type { FailureSink } from '../core/spawn.ts';
import type { Brain, BrainPolicy } from '../director/brain.ts';
import { createBrain } from '../director/brain.ts';
import type { RetryOptions } from '../director/director.ts';
import type { RouteSpec } from '../director/routes.ts';
import type { MonitorOptions } from '../discovery/monitor-options.ts';
import { DEFAULT_MONITOR_OPTIONS } from '../discovery/monitor-options.ts';
import type { Monitor } from '../discovery/monitor.ts';
import { createMonitor } from '../discovery/monitor.ts';
import { Gateway } from '../gateway/gateway.ts';
import type { ListenerOptions, RelayOptions } from '../gateway/options.ts';
import { BUILTIN_PLUGINS } from '../scheduler/framework/builtins.ts';
import type { PromptKey } from '../protocol/wasm/prompt-key.ts';
import { createRegistry } from '../scheduler/framework/registry.ts';
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
export interface Composition extends Brain {
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
  const brain = createBrainOf(config, { ...parts, metrics, decisions });
  const { fleet, routes, director } = brain;
  routes.configure(config.models.map(routeSpecOf));
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
  return { ...brain, gateway, promptKey, monitor, sources, metrics, decisions };
}

function createBrainOf(
  config: PenstockConfig,
  parts: ProcessParts & Pick<Composition, 'metrics' | 'decisions'>,
): Brain {
  const { clock, rng, log, metrics, decisions } = parts;
  const { retry, ejection, scrape } = config;
  const faults = new PluginFaults({ clock, log, metrics });
  return createBrain({
    policy: policyOf(config),
    retry: retryOptionsOf(retry),
    health: {
      failureThreshold: ejection.consecutiveFailures,
      ejectionBaseMs: ejection.baseMs,
      ejectionMaxMs: ejection.maxMs,
    },
    report: { staleAfterMs: scrape.staleMs, forgetAfterMs: scrape.forgetMs },
    clock,
    rng,
    metrics,
    decisions,
    onPluginFault: (name, cause) => {
      faults.note(name, cause);
    },
  });
}

/** The policies under this configuration, and the plugins they may use. */
export function policyOf({ scheduling }: PenstockConfig): BrainPolicy {
  const { profile, shadow, plugins } = scheduling;
  const definitions = plugins.flatMap((module) => module.definitions);
  return { profile, shadow, registry: createRegistry([...BUILTIN_PLUGINS, ...definitions]) };
}

/** When failed attempts are tried elsewhere under this configuration. */
export function retryOptionsOf({ attempts, budgetPercent }: PenstockConfig['retry']): RetryOptions {
  return { attempts, budgetShare: budgetPercent / 100 };
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
