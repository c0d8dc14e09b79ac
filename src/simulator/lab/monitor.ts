import type { Rng } from '../../core/rng.ts';
import type { Fleet } from '../../pool/fleet.ts';
import {
  DEFAULT_PROBE_POLICY,
  isOtherLoad,
  jitterScrape,
  nextProbeDelay,
  nextScrapeInterval,
  type ScrapePolicy,
} from '../../pool/scrape-interval.ts';
import type { EndpointFacts, EngineReport } from '../../protocol/engines/dialect.ts';
import { EVENT_KINDS, type EventQueue, type LabClock } from './event-queue.ts';
import type { PlacedReplica } from './replica.ts';

/** What a monitor in virtual time is made of. */
export interface LabMonitorOptions {
  readonly fleet: Fleet;
  readonly clock: LabClock;
  readonly queue: EventQueue;
  readonly rng: Rng;
  readonly replicas: readonly PlacedReplica[];
  readonly policy: ScrapePolicy;
  /** From an engine's state to its arrival in the gateway. */
  readonly scrapeMs: number;
  readonly trace: ((line: string) => void) | null;
}

/** What one question found at an engine: its state, that it sleeps, or nobody. */
type Answer = AwakeAnswer | 'asleep' | 'silence';

interface AwakeAnswer {
  readonly report: EngineReport;
  readonly facts: EndpointFacts;
}

interface Watch {
  readonly placed: PlacedReplica;
  isUp: boolean;
  isBusy: boolean;
  intervalMs: number;
  dueMs: number;
  /** While it is up: when it is asked next whether it sleeps. */
  sleepCheckDueMs: number;
  /** Questions in a row that nobody answered while it is up, and probes while it is down. */
  failures: number;
  hadTraffic: boolean;
  lastInFlight: number;
}

/** Ticks while no endpoint has traffic, as the gateway's monitor has them. */
const IDLE_TICK_MS = 250;
/** A tick of 0 would never let time go on. */
const SHORTEST_TICK_MS = 1;
/** Between questions whether an engine that is up sleeps, as in discovery (a test compares). */
export const SLEEP_CHECK_MS = 2000;
/** Refused connections in a row that make an endpoint unreachable, as in discovery. */
const FAILURES_MAX = 2;

/**
 * Keeps the fleet's picture of the engines as the gateway's monitor does: the same ticks, intervals
 * and jitter, with each report as old as its way takes. A sleeping engine goes on answering its
 * metrics: only the question whether it sleeps, asked every two seconds and in probes, shows it. It
 * leaves out what no simulated engine has: time-outs, broken answers, and the reading of model
 * lists every half minute.
 */
export class LabMonitor {
  readonly #options: LabMonitorOptions;
  readonly #watches: readonly Watch[];
  #busyEndpoints = 1;

  constructor(options: LabMonitorOptions) {
    this.#options = options;
    this.#watches = options.replicas.map((placed) => ({
      placed,
      isUp: false,
      isBusy: false,
      intervalMs: options.policy.fastestMs,
      dueMs: 0,
      sleepCheckDueMs: 0,
      failures: 0,
      hadTraffic: false,
      lastInFlight: 0,
    }));
  }

  /** Takes what every engine says now, without delay, and begins to watch. */
  start(): void {
    for (const watch of this.#watches) this.#take(watch, this.#question(watch));
    this.#tick();
  }

  #tick(): void {
    const { clock, policy, queue } = this.#options;
    const { fastestMs, slowestMs } = policy;
    const busy = this.#sweep();
    this.#busyEndpoints = Math.max(1, busy);
    const idleTickMs = Math.max(fastestMs, Math.min(IDLE_TICK_MS, slowestMs / 8));
    const tickMs = Math.max(SHORTEST_TICK_MS, busy > 0 ? fastestMs : idleTickMs);
    const horizonMs = clock.nowMs + tickMs / 2;
    for (const watch of this.#watches) {
      if (!watch.isBusy && watch.dueMs <= horizonMs) this.#ask(watch);
    }
    queue.plan(clock.nowMs + tickMs, EVENT_KINDS.monitor, () => {
      this.#tick();
    });
  }

  /** Returns how many endpoints have traffic. */
  #sweep(): number {
    const { fleet, clock, policy } = this.#options;
    const { requestsInFlight } = fleet.load;
    let busy = 0;
    for (const watch of this.#watches) {
      const inFlight = requestsInFlight[watch.placed.endpoint.slot] ?? 0;
      const hasChanged = inFlight !== watch.lastInFlight;
      watch.lastInFlight = inFlight;
      if (inFlight > 0) busy += 1;
      if (inFlight === 0 && !hasChanged) continue;
      watch.hadTraffic = true;
      if (!watch.isUp || watch.intervalMs <= policy.steadyMs) continue;
      watch.intervalMs = policy.fastestMs;
      watch.dueMs = clock.nowMs;
    }
    return busy;
  }

  #ask(watch: Watch): void {
    const { clock, queue, scrapeMs } = this.#options;
    const answer = this.#question(watch);
    watch.isBusy = true;
    queue.plan(clock.nowMs + scrapeMs, EVENT_KINDS.report, () => {
      watch.isBusy = false;
      this.#take(watch, answer);
    });
  }

  /** What the engine says now; one that is up tells of its sleep only when it is asked for it. */
  #question(watch: Watch): Answer {
    const { replica } = watch.placed;
    const report = replica.report();
    const facts = replica.facts();
    if (report === null || facts === null) return 'silence';
    const { nowMs } = this.#options.clock;
    const asksForSleep = !watch.isUp || nowMs >= watch.sleepCheckDueMs;
    if (!asksForSleep) return { report, facts };
    watch.sleepCheckDueMs = nowMs + SLEEP_CHECK_MS;
    return replica.isAsleep ? 'asleep' : { report, facts };
  }

  #take(watch: Watch, answer: Answer): void {
    if (answer === 'silence') this.#noteSilence(watch);
    else if (answer === 'asleep') this.#noteAsleep(watch);
    else if (watch.isUp) this.#noteReport(watch, answer.report);
    else this.#noteUp(watch, answer);
  }

  #noteReport(watch: Watch, report: EngineReport): void {
    const { fleet, clock, policy } = this.#options;
    const { endpoint } = watch.placed;
    const hasChanged = isOtherLoad(endpoint.lastReport, report);
    watch.failures = 0;
    fleet.setReport(endpoint, report);
    this.#traceReport(watch, report);
    watch.intervalMs = nextScrapeInterval(policy, {
      hasTraffic: watch.hadTraffic,
      hasChanged,
      previousMs: watch.intervalMs,
      busyEndpoints: this.#busyEndpoints,
    });
    watch.hadTraffic = watch.lastInFlight > 0;
    watch.dueMs = clock.nowMs + this.#jitter(watch.intervalMs);
  }

  #noteUp(watch: Watch, { facts, report }: AwakeAnswer): void {
    const { fleet, clock, policy } = this.#options;
    const { endpoint } = watch.placed;
    watch.isUp = true;
    watch.failures = 0;
    watch.intervalMs = policy.steadyMs;
    watch.sleepCheckDueMs = clock.nowMs + SLEEP_CHECK_MS;
    fleet.setFacts(endpoint, facts);
    fleet.setReport(endpoint, report);
    this.#traceReport(watch, report);
    watch.dueMs = clock.nowMs + this.#jitter(policy.steadyMs);
  }

  /** Nobody listens there: asked once more when it was up, then probed ever more slowly. */
  #noteSilence(watch: Watch): void {
    const { clock } = this.#options;
    if (watch.isUp) {
      watch.failures += 1;
      if (watch.failures < FAILURES_MAX) {
        watch.dueMs = clock.nowMs + this.#jitter(DEFAULT_PROBE_POLICY.recheckMs);
        return;
      }
      watch.isUp = false;
      watch.failures = 0;
    }
    this.#noteDown(watch, 'connection refused');
    this.#trace(watch, 'down');
  }

  /** It says so itself: nothing is asked again to be sure. */
  #noteAsleep(watch: Watch): void {
    if (watch.isUp) watch.failures = 0;
    watch.isUp = false;
    this.#noteDown(watch, 'the engine sleeps');
    this.#trace(watch, 'asleep');
  }

  /** Probed ever more slowly from now on. */
  #noteDown(watch: Watch, reason: string): void {
    const { fleet, clock, rng } = this.#options;
    const { failures: failed } = watch;
    fleet.setUnreachable(watch.placed.endpoint, reason);
    const waitMs = nextProbeDelay(DEFAULT_PROBE_POLICY, { failed, random: rng.next() });
    watch.dueMs = clock.nowMs + waitMs;
    watch.failures += 1;
  }

  #traceReport(watch: Watch, { waiting, running, kvCacheUsage }: EngineReport): void {
    if (this.#options.trace === null) return;
    this.#trace(watch, `report ${waiting} ${running} ${kvCacheUsage}`);
  }

  #trace(watch: Watch, text: string): void {
    this.#options.trace?.(`${this.#options.clock.nowMs} ${watch.placed.replica.name} ${text}`);
  }

  #jitter(delayMs: number): number {
    return jitterScrape(delayMs, this.#options.rng.next());
  }
}
