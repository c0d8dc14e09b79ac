import type { Clock } from '../core/clock.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { MetricsRegistry } from '../telemetry/registry.ts';

/** A plugin that fails in every pick is logged this often. */
const LOG_INTERVAL_MS = 60_000;

/**
 * Counts failures of scheduling plugins, and logs each plugin's first one and then at most one a
 * minute: a broken plugin fails with every request.
 */
export class PluginFaults {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #metrics: MetricsRegistry;
  /** By name of the plugin's instance; there are as many as are configured. */
  readonly #logged = new Map<string, { atMs: number; unlogged: number }>();

  constructor(parts: {
    readonly clock: Clock;
    readonly log: Logger;
    readonly metrics: MetricsRegistry;
  }) {
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#metrics = parts.metrics;
  }

  /** Takes one failure of the plugin with this name. */
  note(plugin: string, cause: unknown): void {
    this.#metrics.counter('penstock_plugin_faults_total', [plugin]).add(1);
    const nowMs = this.#clock.now();
    const before = this.#logged.get(plugin);
    if (before !== undefined && nowMs - before.atMs < LOG_INTERVAL_MS) {
      before.unlogged += 1;
      return;
    }
    const unlogged = before === undefined ? 0 : before.unlogged;
    this.#logged.set(plugin, { atMs: nowMs, unlogged: 0 });
    this.#log.error(
      { plugin, faultsSince: unlogged, err: cause },
      'a scheduling plugin failed and was left out of the pick',
    );
  }
}
