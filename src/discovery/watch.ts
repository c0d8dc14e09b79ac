import type { Clock } from '../core/clock.ts';
import type { Result } from '../core/result.ts';
import type { Rng } from '../core/rng.ts';
import type { Endpoint } from '../pool/endpoint.ts';
import type { Fleet } from '../pool/fleet.ts';
import {
  isOtherLoad,
  jitterScrape,
  nextProbeDelay,
  nextScrapeInterval,
} from '../pool/scrape-interval.ts';
import type { EngineReport } from '../protocol/engines/dialect.ts';
import type { ProbeAnswer } from '../protocol/engines/evidence.ts';
import { readModelList } from '../protocol/engines/model-facts.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { CounterSeries } from '../telemetry/series.ts';
import type { HttpFailure } from './http-failure.ts';
import type { MonitorOptions } from './monitor-options.ts';
import { ASLEEP, chooseModels, isAsleep, metricsQuery, probeServer, readMetrics } from './probe.ts';
import type { Learned } from './probe.ts';
import { ServerClient } from './server-client.ts';
import { gravityOf, Verdicts } from './verdicts.ts';

/** What every watch shares. */
export interface WatchContext {
  readonly fleet: Fleet;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Logger;
  readonly options: MonitorOptions;
  /** Endpoints with traffic at the last sweep. */
  busyEndpoints: number;
  /** Scrapes by result. */
  readonly scrapes: {
    readonly ok: CounterSeries;
    /** Answered, but not with metrics. */
    readonly missing: CounterSeries;
    /** Not answered. */
    readonly failed: CounterSeries;
  };
}

/** Every this many refreshes the server is probed anew: another engine may run at its address. */
const REFRESHES_PER_PROBE = 10;

/**
 * Watches one endpoint. `step` does what is due and returns when the next step is.
 *
 *                      answers usefully
 *     [ probing ] ───────────────────────► [ watching ]  scrape, refresh
 *        ▲  │ back off and probe again          │
 *        └──┴───────────────────────────────────┘
 *             two failures in a row, or asleep
 */
export class Watch {
  readonly endpoint: Endpoint;
  readonly #context: WatchContext;
  readonly #client: ServerClient;
  readonly #verdicts = new Verdicts();
  #spec: Endpoint['spec'];
  #learned: Learned | null = null;
  #probesFailed = 0;
  #refreshes = 0;
  #intervalMs: number;
  #scrapeDueMs = 0;
  #refreshDueMs = 0;
  #sleepCheckDueMs = 0;
  #mustCheckHealth = false;
  /** Query of the metrics; '' when the server has no use for it. */
  #query = '';
  #hadTraffic = false;
  #lastInFlight = 0;
  #isClosed = false;
  /** Whether the log says that it is down. */
  #isDownLogged = false;
  /** Set while a step runs. */
  isBusy = false;
  /** Names the newest entry of this watch in the monitor's heap. */
  ticket = 0;

  constructor(endpoint: Endpoint, context: WatchContext) {
    this.endpoint = endpoint;
    this.#context = context;
    this.#spec = endpoint.spec;
    this.#intervalMs = context.options.scrape.fastestMs;
    const { origin, basePath, spec } = endpoint;
    const { clock } = context;
    const { timeoutMs, maxBodyBytes } = context.options;
    const target = { origin, basePath, tls: spec.tls };
    this.#client = new ServerClient(target, { clock, timeoutMs, maxBodyBytes });
  }

  /** Whether our requests are in the engine now or were at the last sweep. */
  get hasTraffic(): boolean {
    return this.#lastInFlight > 0;
  }

  /** Does what is due and returns the `Clock.now` of the next step. */
  async step(): Promise<number> {
    const { clock } = this.#context;
    const learned = this.#learned;
    if (learned === null) return this.#probe();
    if (this.#refreshDueMs <= this.#scrapeDueMs) {
      await this.#refresh(learned);
    } else {
      await this.#scrape(learned);
    }
    if (this.#learned === null) return clock.now() + this.#backoffMs();
    return Math.min(this.#scrapeDueMs, this.#refreshDueMs);
  }

  /**
   * Looks at the ledger. Returns true when traffic has begun on an endpoint whose next scrape is
   * far off, which should be brought forward.
   */
  noteLoad(requestsInFlight: number): boolean {
    const hasChanged = requestsInFlight !== this.#lastInFlight;
    this.#lastInFlight = requestsInFlight;
    if (requestsInFlight === 0 && !hasChanged) return false;
    this.#hadTraffic = true;
    if (this.#learned === null) return false;
    const { clock, options } = this.#context;
    if (this.#intervalMs <= options.scrape.steadyMs) return false;
    this.#intervalMs = options.scrape.fastestMs;
    this.#scrapeDueMs = clock.now();
    return true;
  }

  /** Labels or models may have changed in place; true when the server should be asked at once. */
  noteSpec(): boolean {
    if (this.endpoint.spec === this.#spec) return false;
    const isOther = this.endpoint.spec.models !== this.#spec.models;
    this.#spec = this.endpoint.spec;
    if (isOther) this.#refreshDueMs = this.#context.clock.now();
    return isOther;
  }

  /** Ends the connections; a step under way ends soon and changes nothing more. */
  close(): Promise<void> {
    this.#isClosed = true;
    return this.#client.close();
  }

  async #probe(): Promise<number> {
    const { clock } = this.#context;
    const outcome = await probeServer(this.#client, this.endpoint.spec);
    if (this.#isClosed) return clock.now();
    if (outcome.kind !== 'ready') {
      this.#markDown(outcome.reason);
      const dueMs = clock.now() + this.#backoffMs();
      this.#probesFailed += 1;
      return dueMs;
    }
    this.#intervalMs = this.#context.options.scrape.steadyMs;
    this.#markUp(outcome.learned);
    return Math.min(this.#scrapeDueMs, this.#refreshDueMs);
  }

  #markUp(learned: Learned): void {
    const { fleet, clock, log, options } = this.#context;
    const { facts } = learned;
    this.#learned = learned;
    this.#query = metricsQuery(learned.dialect);
    this.#probesFailed = 0;
    this.#refreshes = 0;
    this.#verdicts.clear();
    this.#mustCheckHealth = false;
    const isNews = this.endpoint.facts === null || this.endpoint.reachability !== 'reachable';
    fleet.setFacts(this.endpoint, facts);
    if (learned.report !== null) fleet.setReport(this.endpoint, learned.report);
    this.#refreshDueMs = clock.now() + this.#jitter(options.refreshMs);
    this.#sleepCheckDueMs = clock.now() + options.sleepCheckMs;
    this.#scrapeDueMs = clock.now() + this.#jitter(this.#intervalMs);
    this.#isDownLogged = false;
    if (!isNews) return;
    log.info(
      {
        endpoint: this.endpoint.id,
        engine: facts.engine,
        version: facts.version,
        models: facts.models.length,
        reports: learned.metrics !== null,
      },
      'endpoint is up',
    );
  }

  #markDown(reason: string): void {
    const { fleet, log } = this.#context;
    this.#learned = null;
    fleet.setUnreachable(this.endpoint, reason);
    if (this.#isDownLogged) return;
    this.#isDownLogged = true;
    log.warn({ endpoint: this.endpoint.id, reason }, 'endpoint is down');
  }

  async #scrape(learned: Learned): Promise<void> {
    const location = learned.metrics;
    const wakesEngine = learned.dialect.metrics?.wakesEngine === true;
    const isAwaited = !wakesEngine || this.#hadTraffic;
    if (await this.#findsAsleep(learned)) return;
    if (location === null || !isAwaited || this.#mustCheckHealth) {
      await this.#checkHealth(learned);
      if (this.#learned === null) return;
      this.#plan(false);
      return;
    }
    const { port } = location;
    const path = `${location.path}${this.#query}`;
    const result = await (port === null
      ? this.#client.get(path)
      : this.#client.getAtPort(port, path));
    if (this.#isClosed) return;
    if (result.ok) this.#takeMetrics(learned, result.value);
    else this.#missMetrics(result.error, port === null);
  }

  #takeMetrics(learned: Learned, answer: ProbeAnswer): void {
    const { fleet, scrapes } = this.#context;
    const report = readMetrics(learned.dialect, answer);
    if (this.#query !== '' && answer.status < 500 && lacksNumbers(report, learned.report)) {
      this.#query = '';
      this.#scrapeDueMs = this.#context.clock.now();
      return;
    }
    if (report === null) {
      scrapes.missing.add(1);
      this.#plan(false);
      if (gravityOf({ ok: true, value: answer }) === 'hard') this.#recheck();
      return;
    }
    scrapes.ok.add(1);
    const hasChanged = isOtherLoad(this.endpoint.lastReport, report);
    const { restarts } = this.endpoint;
    fleet.setReport(this.endpoint, report);
    this.#noteAlive();
    if (this.endpoint.restarts !== restarts) {
      this.#refreshes = REFRESHES_PER_PROBE;
      this.#refreshDueMs = this.#context.clock.now();
    }
    this.#plan(hasChanged);
  }

  /** A failure at another port says nothing of the server's own. */
  #missMetrics(failure: HttpFailure, isOwnPort: boolean): void {
    this.#context.scrapes.failed.add(1);
    this.#plan(false);
    if (isOwnPort) this.#noteFailure({ ok: false, error: failure });
  }

  async #checkHealth(learned: Learned): Promise<void> {
    const result = await this.#client.get(learned.dialect.healthPath);
    if (this.#isClosed) return;
    this.#mustCheckHealth = false;
    this.#noteFailure(result);
  }

  /** Counts a failure, or takes an answer for a sign of life. */
  #noteFailure(result: Result<ProbeAnswer, HttpFailure>): void {
    const gravity = gravityOf(result);
    if (gravity === 'none') {
      this.#noteAlive();
      return;
    }
    const reason = result.ok ? `health answers ${result.value.status}` : result.error.message;
    if (this.#verdicts.addFailure(gravity)) {
      this.#markDown(reason);
      return;
    }
    this.#recheck();
  }

  #recheck(): void {
    const { clock, options } = this.#context;
    this.#mustCheckHealth = true;
    this.#scrapeDueMs = clock.now() + this.#jitter(options.probe.recheckMs);
  }

  #noteAlive(): void {
    this.#verdicts.clear();
    if (this.endpoint.reachability !== 'reachable') this.#context.fleet.setReachable(this.endpoint);
  }

  async #findsAsleep(learned: Learned): Promise<boolean> {
    const { clock, options } = this.#context;
    const { sleep } = learned.dialect;
    if (!learned.tellsSleep || sleep === null || clock.now() < this.#sleepCheckDueMs) return false;
    this.#sleepCheckDueMs = clock.now() + options.sleepCheckMs;
    const result = await this.#client.get(sleep.path);
    if (this.#isClosed || !result.ok || !isAsleep(learned.dialect, result.value)) return false;
    this.#markDown(ASLEEP);
    return true;
  }

  async #refresh(learned: Learned): Promise<void> {
    const { clock, options } = this.#context;
    this.#refreshDueMs = clock.now() + this.#jitter(options.refreshMs);
    this.#refreshes += 1;
    if (this.#refreshes > REFRESHES_PER_PROBE) {
      await this.#reprobe();
      return;
    }
    const { healthPath, modelList } = learned.dialect;
    const isOne = healthPath === modelList.path;
    const [list] = await Promise.all([
      this.#client.get(modelList.path),
      isOne ? null : this.#checkHealth(learned),
    ]);
    if (this.#isClosed || this.#learned === null) return;
    if (isOne) this.#noteFailure(list);
    if (list.ok) this.#takeList(learned, list.value);
  }

  #takeList(learned: Learned, answer: ProbeAnswer): void {
    const { fleet } = this.#context;
    const listed =
      answer.status === 200 ? readModelList(learned.dialect.modelList.format, answer.json) : null;
    if (listed === null || this.#learned === null) return;
    const models = chooseModels(listed, this.endpoint.spec.models, learned.contextTokens);
    const facts = { ...learned.facts, models };
    this.#learned = { ...learned, facts };
    fleet.setFacts(this.endpoint, facts);
  }

  /** A failure here is left to the next scrape or health check to confirm. */
  async #reprobe(): Promise<void> {
    const outcome = await probeServer(this.#client, this.endpoint.spec);
    if (this.#isClosed) return;
    if (outcome.kind === 'ready') {
      this.#markUp(outcome.learned);
    } else if (outcome.reason === ASLEEP) {
      this.#markDown(ASLEEP);
    } else {
      this.#recheck();
    }
  }

  #plan(hasChanged: boolean): void {
    const { clock, options, busyEndpoints } = this.#context;
    this.#intervalMs = nextScrapeInterval(options.scrape, {
      hasTraffic: this.#hadTraffic,
      hasChanged,
      previousMs: this.#intervalMs,
      busyEndpoints,
    });
    this.#hadTraffic = this.#lastInFlight > 0;
    this.#scrapeDueMs = clock.now() + this.#jitter(this.#intervalMs);
  }

  /** 90 to 110 % of `delayMs`, so that endpoints do not fall into step. */
  #jitter(delayMs: number): number {
    return jitterScrape(delayMs, this.#context.rng.next());
  }

  /** 50 to 100 % of an exponentially growing wait. */
  #backoffMs(): number {
    const { options, rng } = this.#context;
    return nextProbeDelay(options.probe, { failed: this.#probesFailed, random: rng.next() });
  }
}

/** Whether an answer lacks numbers that the whole exposition had when the server was probed. */
function lacksNumbers(report: EngineReport | null, whole: EngineReport | null): boolean {
  if (report === null || whole === null) return report !== whole;
  return (['waiting', 'running', 'kvCacheUsage', 'adapters'] as const).some(
    (field) => report[field] === null && whole[field] !== null,
  );
}
