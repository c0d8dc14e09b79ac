import { createSystemClock } from '../../cli/system-clock.ts';
import { createRng } from '../../core/rng.ts';
import type { Endpoint, EndpointSpec } from '../../pool/endpoint.ts';
import { NO_LISTENER } from '../../pool/fleet-listener.ts';
import { Fleet } from '../../pool/fleet.ts';
import { DEFAULT_HEALTH_OPTIONS } from '../../pool/health.ts';
import { DEFAULT_REPORT_OPTIONS } from '../../pool/report.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { MetricsRegistry } from '../../telemetry/registry.ts';
import type { MonitorOptions } from '../monitor-options.ts';
import { createMonitor } from '../monitor.ts';
import type { Monitor } from '../monitor.ts';

/** Everything faster than in life, so that a test takes fractions of a second. */
export const QUICK: MonitorOptions = {
  scrape: { fastestMs: 5, steadyMs: 10, slowestMs: 40, maxScrapesPerSecond: 10_000 },
  timeoutMs: 2000,
  refreshMs: 50,
  probe: { backoffMs: { min: 5, max: 20 }, recheckMs: 5 },
  sleepCheckMs: 10,
  concurrency: 8,
  maxBodyBytes: 1_000_000,
};

/** A fleet of real servers under a running monitor. */
export interface MonitoredFleet {
  readonly fleet: Fleet;
  readonly monitor: Monitor;
  /** Lines of the log, parsed. */
  readonly lines: readonly Readonly<Record<string, unknown>>[];
  endpoint(url: string): Endpoint;
  /** Declares the servers anew. */
  declare(specs: readonly EndpointSpec[]): void;
}

/** A server as configuration would declare it. */
export function specOf(url: string, more: Partial<EndpointSpec> = {}): EndpointSpec {
  return { url, labels: {}, engine: null, models: null, tls: null, ...more };
}

/** Starts a monitor over `specs`; the caller closes it. */
export function monitorServers(
  specs: readonly EndpointSpec[],
  options: Partial<MonitorOptions> = {},
): MonitoredFleet {
  const clock = createSystemClock();
  const rng = createRng(1);
  const fleet = new Fleet({
    listener: NO_LISTENER,
    clock,
    rng,
    health: DEFAULT_HEALTH_OPTIONS,
    report: DEFAULT_REPORT_OPTIONS,
  });
  const lines: Readonly<Record<string, unknown>>[] = [];
  const destination = {
    write: (line: string): void => {
      lines.push(JSON.parse(line) as Readonly<Record<string, unknown>>);
    },
  };
  const log = createLogger({ level: 'info', sampleRequests: 0, destination, clock });
  const metrics = new MetricsRegistry();
  const monitor = createMonitor({
    fleet,
    clock,
    rng,
    log,
    metrics,
    options: { ...QUICK, ...options },
  });
  fleet.setPool(null, specs);
  monitor.start();
  return {
    fleet,
    monitor,
    lines,
    endpoint: (url) => fleet.endpoints().find((endpoint) => endpoint.spec.url === url) as Endpoint,
    declare: (next) => {
      fleet.setPool(null, next);
    },
  };
}
