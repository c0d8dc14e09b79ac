import { endpointId } from '../core/ids.ts';
import { withFallbacks } from '../director/brain.ts';
import type { AdminSources, ConfigState, Readiness, ReloadResult } from '../gateway/admin/ports.ts';
import { explainRequest } from '../gateway/dry-run.ts';
import { createProcessStats } from '../gateway/admin/process-stats.ts';
import type { AdminServer } from '../gateway/admin/server.ts';
import { createAdminServer } from '../gateway/admin/server.ts';
import { openRecorder } from '../gateway/recorder/open-recorder.ts';
import type { Recorder } from '../gateway/recorder/recorder.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';
import { renderPrometheus } from '../telemetry/exposition.ts';
import { registerProcessMetrics } from '../telemetry/process-metrics.ts';
import { describeState } from './admin-state.ts';
import type { Composition, ProcessParts } from './compose.ts';
import {
  compose,
  listenerOptionsOf,
  policyOf,
  relayOptionsOf,
  retryOptionsOf,
  routeSpecOf,
} from './compose.ts';
import type { PenstockConfig } from './config/config.ts';
import type { LoadedConfig } from './config/load.ts';
import { formatProblem } from './config/problem.ts';
import { redactConfig } from './config/redact.ts';
import { awaitFirstProbes } from './first-probes.ts';

/** The recording that was asked for cannot be made; the message says why and the way out. */
export class RecordingRefused extends Error {
  override readonly name = 'RecordingRefused';
}

/** How long the start waits for the first answers of the model servers before it reports ready. */
const FIRST_PROBES_MS = 5000;

/** What a service runs with. */
export interface ServiceOptions extends ProcessParts {
  readonly config: PenstockConfig;
  /** Reads the configuration again, with flags and environment on top. */
  readonly load: () => Promise<LoadedConfig>;
  readonly version: string;
}

type Phase = 'starting' | 'serving' | 'draining' | 'stopped';

/**
 * A whole running gateway: starts its parts in order, changes them on reload, and stops them.
 *
 *     starting ──first probes done──► serving ──drain──► draining ──► stopped
 */
export class Service {
  readonly #options: ServiceOptions;
  readonly #parts: Composition;
  readonly #startedAtMs: number;
  #config: PenstockConfig;
  #configState: ConfigState;
  #phase: Phase = 'starting';
  #admin: AdminServer | null = null;
  #recorder: Recorder | null = null;
  #reloading: Promise<unknown> = Promise.resolve();
  readonly #closers: (() => void)[] = [];

  constructor(options: ServiceOptions) {
    const { config, clock } = options;
    this.#options = options;
    this.#config = config;
    this.#parts = compose(config, options);
    this.#startedAtMs = clock.wallMs();
    this.#configState = {
      generation: 1,
      file: config.file,
      loadedAtMs: this.#startedAtMs,
      lastReloadError: null,
    };
    this.#parts.metrics.counter('penstock_config_reloads_total', ['success']);
    this.#noteConfigTime();
  }

  /** The configuration in force. */
  get config(): PenstockConfig {
    return this.#config;
  }

  /** URLs of the listeners. */
  get urls(): readonly string[] {
    return this.#parts.gateway.urls;
  }

  get adminUrl(): string {
    const { host, port } = this.#admin === null ? this.#config.admin.address : this.#admin.address;
    return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  }

  /**
   * Opens the admin port, starts to probe the servers, opens the listeners, and resolves when the
   * servers have answered or have had time to. Rejects when an address cannot be bound.
   */
  async start(): Promise<void> {
    const { clock, log, version } = this.#options;
    const { metrics, gateway, monitor, sources } = this.#parts;
    const stats = createProcessStats(clock);
    this.#closers.push(
      () => {
        stats.close();
      },
      registerProcessMetrics(metrics, stats, version),
    );
    this.#admin = await createAdminServer({
      address: this.#config.admin.address,
      sources: this.#adminSources(),
      clock,
      log,
      metrics,
    });
    this.#logNotes();
    await this.#startRecording();
    sources.apply(this.#config);
    monitor.start();
    await gateway.listen(listenerOptionsOf(this.#config));
    await awaitFirstProbes(this.#parts.fleet, clock, {
      limitMs: FIRST_PROBES_MS,
      isWanted: () => this.#phase === 'starting',
    });
    if (this.#phase === 'starting') this.#phase = 'serving';
  }

  /** Loads the configuration and uses it, or keeps the one in force and says why. */
  async reload(): Promise<ReloadResult> {
    const run = this.#reloading.then(() => this.#reload());
    this.#reloading = run.catch(() => null);
    return run;
  }

  /**
   * Reports not ready, stops accepting, lets open requests finish within the drain time, and stops
   * everything. Returns how many requests had to be broken off.
   */
  async drain(): Promise<number> {
    const { log } = this.#options;
    const { gateway, monitor, sources } = this.#parts;
    const { timeoutMs } = this.#config.drain;
    this.#phase = 'draining';
    await this.#reloading;
    log.info({ openRequests: gateway.openRequestCount, timeoutMs }, 'draining');
    const broken = await gateway.drain(timeoutMs);
    this.#phase = 'stopped';
    await this.#recorder?.close();
    await Promise.all([monitor.close(), sources.close()]);
    for (const close of this.#closers) close();
    log.info({ brokenRequests: broken }, 'stopped');
    await this.#admin?.close();
    return broken;
  }

  async #startRecording(): Promise<void> {
    const { path, maxBytes, files } = this.#config.recording;
    if (path === null) return;
    const { clock, log, onFailure } = this.#options;
    const { metrics, director } = this.#parts;
    const opened = await openRecorder(
      { path, maxBytes, files },
      { clock, log, metrics, onFailure },
    );
    if (!opened.ok) throw new RecordingRefused(opened.error);
    this.#recorder = opened.value;
    director.observe(opened.value);
    log.info({ path }, 'recording');
  }

  async #reload(): Promise<ReloadResult> {
    const loaded = await this.#options.load();
    if (!loaded.ok) {
      return this.#refuseReload(
        loaded.error.map((problem) => ({
          path: problem.path,
          line: problem.line,
          message: formatProblem(problem),
        })),
      );
    }
    try {
      await this.#swap(loaded.value);
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      return this.#refuseReload([{ path: '', line: null, message }]);
    }
    const { generation } = this.#configState;
    this.#configState = {
      generation: generation + 1,
      file: this.#config.file,
      loadedAtMs: this.#options.clock.wallMs(),
      lastReloadError: null,
    };
    this.#parts.metrics.counter('penstock_config_reloads_total', ['success']).add(1);
    this.#noteConfigTime();
    this.#options.log.info({ generation: generation + 1 }, 'configuration reloaded');
    return { ok: true, problems: [] };
  }

  /** Everything that can fail comes first; from the first change on nothing does. */
  async #swap(config: PenstockConfig): Promise<void> {
    const { gateway, sources, routes, director, scheduler } = this.#parts;
    const before = this.#config;
    useSchedulingOf(config, scheduler);
    gateway.configure(relayOptionsOf(config));
    try {
      await gateway.listen(listenerOptionsOf(config));
    } catch (cause) {
      gateway.configure(relayOptionsOf(before));
      useSchedulingOf(before, scheduler);
      throw cause;
    }
    await sources.warmUp(config);
    this.#warnOfRestart(before, config);
    this.#config = config;
    sources.apply(config);
    routes.configure(config.models.map(routeSpecOf));
    director.configureRetry(retryOptionsOf(config.retry));
    gateway.forgetRemovedEndpoints();
    this.#options.log.configure(config.logging);
    this.#logNotes();
  }

  /** What an imported file says that means nothing here must not pass unseen. */
  #logNotes(): void {
    const { endpointPickerConfig, notes } = this.#config.scheduling;
    for (const note of notes) {
      this.#options.log.warn({ file: endpointPickerConfig, note }, 'accepted, but without effect');
    }
  }

  #warnOfRestart(before: PenstockConfig, after: PenstockConfig): void {
    const fixed = ['admin', 'ejection', 'scrape', 'decisions', 'recording'] as const;
    const changed = fixed.filter(
      (key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]),
    );
    if (changed.length === 0) return;
    this.#options.log.warn({ settings: changed }, 'these settings take effect at the next start');
  }

  #refuseReload(problems: ReloadResult['problems']): ReloadResult {
    const { clock, log } = this.#options;
    this.#configState = {
      ...this.#configState,
      lastReloadError: { atMs: clock.wallMs(), problems },
    };
    this.#parts.metrics.counter('penstock_config_reloads_total', ['failure']).add(1);
    log.error({ problems }, 'configuration not reloaded; the one before stays in force');
    return { ok: false, problems };
  }

  #noteConfigTime(): void {
    this.#parts.metrics
      .gauge('penstock_config_last_reload_success_timestamp_seconds')
      .set(this.#options.clock.wallMs() / 1000);
  }

  #readiness(): Readiness {
    switch (this.#phase) {
      case 'serving':
        return { isReady: true, reasons: [] };
      case 'starting':
        return { isReady: false, reasons: ['The model servers are being probed.'] };
      case 'draining':
      case 'stopped':
        return { isReady: false, reasons: ['The gateway is draining.'] };
    }
  }

  #adminSources(): AdminSources {
    const { fleet, routes, metrics, decisions, gateway, director, promptKey } = this.#parts;
    const { clock, version } = this.#options;
    return {
      renderMetrics: () => renderPrometheus(metrics),
      readiness: () => this.#readiness(),
      state: () =>
        describeState({
          fleet,
          routes,
          clock,
          version,
          startedAtMs: this.#startedAtMs,
          readiness: () => this.#readiness(),
          config: () => this.#configState,
          openRequests: () => gateway.openRequestCount,
        }),
      decisions,
      setDraining: (id, isDraining) => fleet.drain(endpointId(id), isDraining),
      explain: (request) => explainRequest({ director, promptKey }, request),
      config: () => redactConfig(this.#config),
      reload: () => this.reload(),
    };
  }
}

function useSchedulingOf(config: PenstockConfig, scheduler: Scheduler): void {
  const policy = withFallbacks(policyOf(config), config.retry.attempts);
  scheduler.configure(policy.profile, policy.shadow, policy.registry);
}
