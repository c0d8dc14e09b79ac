import { assert, must } from '../core/assert.ts';
import type { Clock } from '../core/clock.ts';
import type { EndpointId, PoolId } from '../core/ids.ts';
import type { Rng } from '../core/rng.ts';
import type { EndpointFacts, EngineReport } from '../protocol/engines/dialect.ts';
import type { Endpoint, EndpointSpec } from './endpoint.ts';
import { isSameFacts } from './endpoint.ts';
import type { FleetListener } from './fleet-listener.ts';
import type { HealthOptions } from './health.ts';
import type { Booking } from './ledger.ts';
import { Ledger } from './ledger.ts';
import type { LoadTable } from './load-table.ts';
import { LoadColumns } from './load-table.ts';
import { countClosed, endpointToReadmit, mayEject, waitForEndpointMs } from './pool-rules.ts';
import type { ReportOptions } from './report.ts';
import { weightOfReport } from './report.ts';
import { Roster } from './roster.ts';
import type { PoolView, Served } from './served-index.ts';
import { ServedIndex } from './served-index.ts';
import type { EndpointStatus } from './status.ts';
import { describeEndpoint } from './status.ts';

export type { PoolView, Served } from './served-index.ts';

/** What a fleet is made of. */
export interface FleetOptions {
  readonly clock: Clock;
  /** Jitter of ejections. */
  readonly rng: Rng;
  readonly health: HealthOptions;
  readonly report: ReportOptions;
  /** Who keeps knowledge of slots beside the fleet; `NO_LISTENER` for nobody. */
  readonly listener: FleetListener;
}

/** Reports and ejections age in steps of this; a pick sees a time at most this old. */
const REFRESH_INTERVAL_MS = 100;

/**
 * Every endpoint there is, its load, its health, and what it serves: the picture that picks are
 * made from. Everything happens within the call that causes it; there are no timers. What
 * changes by the mere passing of time is brought up to date by `refresh`, which `load`, `book`
 * and `retryAfterMs` do by themselves.
 */
export class Fleet {
  readonly #clock: Clock;
  readonly #reportOptions: ReportOptions;
  readonly #listener: FleetListener;
  readonly #columns = new LoadColumns();
  readonly #ledger: Ledger;
  readonly #roster: Roster;
  #version = 0;
  #index: ServedIndex | null = null;
  #refreshedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: FleetOptions) {
    this.#clock = options.clock;
    this.#reportOptions = options.report;
    this.#listener = options.listener;
    this.#ledger = new Ledger(this.#columns, options.clock, {
      onFirstToken: (booking) => {
        this.#noteFirstToken(booking);
      },
      onRelease: (booking) => {
        this.#noteReleased(booking);
      },
    });
    this.#roster = new Roster(this.#columns, this.#ledger, {
      health: options.health,
      rng: options.rng,
      onVacated: (slot) => {
        this.#listener.onVacated(slot);
      },
    });
  }

  /** The live load of all slots. Read it anew for each pick: reading brings it up to date. */
  get load(): LoadTable {
    this.refresh(this.#clock.now());
    return this.#columns;
  }

  /**
   * Grows whenever membership, facts or served names change; not with load, health or
   * residency.
   */
  get version(): number {
    return this.#version;
  }

  /**
   * Declares the servers of a pool, replacing what was declared for it; null holds the servers
   * that are grouped into pools by what they serve. A server that stays, or that another pool
   * lists within a minute, keeps its object with ledger, health and facts. A URL listed twice
   * counts once.
   */
  setPool(id: PoolId | null, specs: readonly EndpointSpec[]): void {
    if (this.#roster.replace(id, specs, this.#clock.now())) this.#changeMembers();
  }

  /** Removes a pool and every endpoint that no other pool lists. Requests under way go on. */
  removePool(id: PoolId | null): void {
    if (this.#roster.remove(id, this.#clock.now())) this.#changeMembers();
  }

  /** Declared endpoints in slot order; the array is never changed in place. */
  endpoints(): readonly Endpoint[] {
    return this.#roster.live;
  }

  /**
   * The endpoint that owns `slot`, also after its removal. A slot rests for ten minutes and until
   * nothing is in flight before another endpoint gets it; whoever keeps a choice for longer must
   * keep the object and look at `isRemoved`.
   */
  endpointAt(slot: number): Endpoint {
    return must(this.#roster.slots[slot], 'endpoint of a slot');
  }

  endpointById(id: EndpointId): Endpoint | null {
    return this.#roster.find(id);
  }

  /** Configured pools in the order they were set, then those grouped by base model. */
  pools(): readonly PoolView[] {
    return this.#served().pools;
  }

  /** What serves `model` in `pool`; null when nothing does. */
  served(pool: PoolId, model: string): Served | null {
    return this.#served().served(pool, model);
  }

  /** One entry for each pool that serves `model`. */
  servedAnywhere(model: string): readonly Served[] {
    return this.#served().servedAnywhere(model);
  }

  /** Every name in every pool. */
  servedNames(): readonly Served[] {
    return this.#served().all;
  }

  /**
   * Books a request on an endpoint; every later reader of `load` sees it. With `served` naming an
   * adapter, the adapter counts as resident from now on.
   */
  book(
    slot: number,
    promptTokens: number,
    outputTokens: number,
    served: Served | null = null,
  ): Booking {
    const nowMs = this.#clock.now();
    this.refresh(nowMs);
    const endpoint = this.endpointAt(slot);
    const booking = this.#ledger.book(slot, promptTokens, outputTokens);
    if (endpoint.health.state === 'half_open') {
      endpoint.health.noteBooked(booking);
      this.#showAvailability(endpoint);
    }
    if (served !== null && served.baseModel !== null) {
      endpoint.residency.noteUse(served.model, nowMs);
      this.#served().showResidency(endpoint);
    }
    return booking;
  }

  /** The endpoint answered a request as a working server does. */
  recordSuccess(slot: number): void {
    const endpoint = this.endpointAt(slot);
    endpoint.health.succeed();
    this.#showAvailability(endpoint);
  }

  /** The endpoint failed a request in a way that another would not have. */
  recordFailure(slot: number): void {
    const endpoint = this.endpointAt(slot);
    if (endpoint.isRemoved) return;
    const { health } = endpoint;
    if (!health.countFailure()) return;
    const pools = this.#served().poolsOf(slot);
    if (health.state === 'closed' && !mayEject(endpoint, pools, this.#roster.slots)) return;
    health.eject(this.#clock.now());
    this.#showAvailability(endpoint);
  }

  /** Probing has learned what the server is; it is reachable then, too. */
  setFacts(endpoint: Endpoint, facts: EndpointFacts): void {
    const isNews = !isSameFacts(endpoint.facts, facts);
    endpoint.facts = facts;
    if (isNews) this.#noteCacheSize(endpoint, facts);
    if (isNews && !endpoint.isRemoved) this.#invalidate();
    this.setReachable(endpoint);
  }

  /** A scrape succeeded just now. */
  setReport(endpoint: Endpoint, report: EngineReport): void {
    const nowMs = this.#clock.now();
    this.refresh(nowMs);
    if (endpoint.correction.noteRestart(endpoint.lastReport, report)) {
      endpoint.restarts += 1;
      this.#listener.onRestart(endpoint.slot);
      endpoint.residency.clear();
      endpoint.health.halfOpen();
      this.#showAvailability(endpoint);
    }
    this.#noteCacheSize(endpoint, report);
    endpoint.lastReport = report;
    endpoint.lastReportAtMs = nowMs;
    endpoint.residency.takeReport(report, nowMs);
    if (!this.#owns(endpoint)) return;
    endpoint.correction.take(report, this.#ledger.recentPeak(endpoint.slot, nowMs));
    endpoint.correction.show(this.#columns, endpoint.slot, 1);
    this.#served().showResidency(endpoint);
  }

  /** A probe succeeded. One that failed before ends an ejection early: the server is back. */
  setReachable(endpoint: Endpoint): void {
    if (endpoint.reachability === 'unreachable') endpoint.health.halfOpen();
    endpoint.reachability = 'reachable';
    endpoint.unreachableReason = null;
    this.#showAvailability(endpoint);
  }

  /** Probing failed; `reason` is for people. Facts and served names stay. */
  setUnreachable(endpoint: Endpoint, reason: string): void {
    endpoint.reachability = 'unreachable';
    endpoint.unreachableReason = reason;
    this.#showAvailability(endpoint);
  }

  /** Stops or resumes sending to an endpoint; false when there is none with this id. */
  drain(id: EndpointId, isDraining: boolean): boolean {
    let isFound = false;
    for (const endpoint of this.#roster.live) {
      if (endpoint.id !== id) continue;
      isFound = true;
      endpoint.isDraining = isDraining;
      this.#showAvailability(endpoint);
    }
    return isFound;
  }

  /** Milliseconds until one of `members` may be available: 0 when one is, never infinite. */
  retryAfterMs(members: Int32Array): number {
    const nowMs = this.#clock.now();
    this.refresh(nowMs);
    return waitForEndpointMs(members, this.#roster.slots, nowMs);
  }

  /** One endpoint for the admin API. */
  statusOf(slot: number): EndpointStatus {
    const nowMs = this.#clock.now();
    this.refresh(nowMs);
    const pools = this.#served()
      .poolsOf(slot)
      .map((pool) => pool.id);
    return describeEndpoint(this.endpointAt(slot), this.#columns, { pools, nowMs });
  }

  /**
   * Ages reports and ends ejections whose time has come, at most once in 100 ms. One pass over
   * all slots without allocation.
   */
  refresh(nowMs: number): void {
    if (nowMs - this.#refreshedAtMs < REFRESH_INTERVAL_MS) return;
    this.#refreshedAtMs = nowMs;
    this.#served();
    for (const endpoint of this.#roster.live) {
      const weight = weightOfReport(nowMs - endpoint.lastReportAtMs, this.#reportOptions);
      endpoint.correction.show(this.#columns, endpoint.slot, weight);
      if (endpoint.health.tick(nowMs)) this.#showAvailability(endpoint);
    }
  }

  /** A probe need not run to its end, which may be minutes away, to show that the server works. */
  #noteFirstToken(booking: Booking): void {
    const endpoint = this.endpointAt(booking.slot);
    if (!endpoint.health.isProbe(booking)) return;
    endpoint.health.succeed();
    this.#showAvailability(endpoint);
  }

  /** Probes and scrapes both may say it; many repeat it every time. */
  #noteCacheSize(
    endpoint: Endpoint,
    said: Pick<EngineReport, 'blockSizeTokens' | 'blockCount'>,
  ): void {
    const { blockSizeTokens, blockCount } = said;
    if (blockSizeTokens === null || blockCount === null) return;
    const known = endpoint.cacheSize;
    if (known?.blockTokens === blockSizeTokens && known.blockCount === blockCount) return;
    endpoint.cacheSize = { blockTokens: blockSizeTokens, blockCount };
    this.#listener.onCacheSize(endpoint.slot, endpoint.cacheSize);
  }

  #noteReleased(booking: Booking): void {
    const endpoint = this.endpointAt(booking.slot);
    if (endpoint.health.state !== 'half_open') return;
    endpoint.health.noteReleased(booking);
    this.#showAvailability(endpoint);
  }

  #served(): ServedIndex {
    if (this.#index === null) {
      this.#index = new ServedIndex(this.#roster.declared);
      this.#readmit(this.#index);
    }
    return this.#index;
  }

  #invalidate(): void {
    this.#version += 1;
    this.#index = null;
  }

  #changeMembers(): void {
    this.#invalidate();
    for (const endpoint of this.#roster.slots) this.#showAvailability(endpoint);
  }

  /** A pool that shrank may have too many of its members ejected: the earliest due come back. */
  #readmit(index: ServedIndex): void {
    const { slots } = this.#roster;
    for (const pool of index.pools) {
      const size = pool.members.length;
      for (let closed = countClosed(pool, slots); 2 * closed < size; closed += 1) {
        const endpoint = must(endpointToReadmit(pool, slots), 'member that is out');
        endpoint.health.close();
        this.#showAvailability(endpoint);
      }
    }
  }

  #showAvailability(endpoint: Endpoint): void {
    if (!this.#owns(endpoint)) return;
    this.#columns.isAvailable[endpoint.slot] = endpoint.isAvailable ? 1 : 0;
  }

  /** False for an object that somebody kept beyond its slot's rest. */
  #owns(endpoint: Endpoint): boolean {
    const owner = this.#roster.slots[endpoint.slot];
    assert(owner !== undefined, 'endpoint is of another fleet');
    return owner === endpoint;
  }
}
