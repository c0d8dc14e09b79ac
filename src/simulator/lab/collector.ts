import { LogHistogram } from '../../core/log-histogram.ts';
import type { GoodputObjective, LabRequest } from '../workloads/types.ts';
import { Samples } from './samples.ts';
import type { Trip } from './trip.ts';

/** Gaps between tokens are told apart by microseconds. */
const GAP_RESOLUTION_MS = 0.001;
/** Tenants measured by themselves; further ones share `OTHER_TENANTS`. */
const TENANTS_MAX = 1000;
/** Stands for all tenants beyond the first thousand. */
const OTHER_TENANTS = '(others)';

/** What one tenant got so far. */
export interface TenantTally {
  requests: number;
  outputTokens: number;
  good: number;
  readonly ttftMs: Samples;
}

/**
 * What is measured at the client, of the requests that count: those sent after the warm-up. Times
 * are of answers that came in full.
 */
export class Collector {
  readonly objective: GoodputObjective;
  readonly ttftMs: Samples = new Samples();
  readonly tpotMs: Samples = new Samples();
  readonly e2eMs: Samples = new Samples();
  readonly itlMs: LogHistogram = new LogHistogram(GAP_RESOLUTION_MS);
  readonly tenants: Map<string, TenantTally> = new Map();
  sent = 0;
  completed = 0;
  refused = 0;
  failed = 0;
  good = 0;
  promptTokens = 0;
  outputTokens = 0;
  goodOutputTokens = 0;
  /** When the last of them ended, in milliseconds; the end of the warm-up before. */
  lastEndAtMs: number;
  readonly #warmUpMs: number;

  constructor(options: { readonly objective: GoodputObjective; readonly warmUpMs: number }) {
    this.objective = options.objective;
    this.#warmUpMs = options.warmUpMs;
    this.lastEndAtMs = options.warmUpMs;
  }

  /** Whether this request counts. */
  counts(request: LabRequest): boolean {
    return request.atMs >= this.#warmUpMs;
  }

  /** A request that counts is sent. */
  noteSent(request: LabRequest): void {
    this.sent += 1;
    this.#tenantOf(request).requests += 1;
  }

  /** A request that counts has ended. */
  noteEnded(trip: Trip): void {
    this.lastEndAtMs = Math.max(this.lastEndAtMs, trip.endedAtMs);
    if (trip.outcome === 'refused') this.refused += 1;
    else if (trip.outcome === 'failed') this.failed += 1;
    else this.#noteCompleted(trip);
  }

  #noteCompleted(trip: Trip): void {
    const { request } = trip.plan;
    const { outputTokens } = trip;
    const tenant = this.#tenantOf(request);
    const ttftMs = trip.firstTokenAtMs - request.atMs;
    const e2eMs = trip.endedAtMs - request.atMs;
    const tpotMs = (trip.endedAtMs - trip.firstTokenAtMs) / (outputTokens - 1);
    this.completed += 1;
    this.promptTokens += request.promptTokens;
    this.outputTokens += outputTokens;
    this.ttftMs.add(ttftMs);
    this.e2eMs.add(e2eMs);
    if (outputTokens > 1) this.tpotMs.add(tpotMs);
    tenant.outputTokens += outputTokens;
    tenant.ttftMs.add(ttftMs);
    const { objective } = this;
    const isGood =
      isWithin(ttftMs, objective.ttftMs) &&
      isWithin(e2eMs, objective.e2eMs) &&
      (outputTokens < 2 || isWithin(tpotMs, objective.tpotMs));
    if (!isGood) return;
    this.good += 1;
    this.goodOutputTokens += outputTokens;
    tenant.good += 1;
  }

  #tenantOf({ tenant }: LabRequest): TenantTally {
    const known = this.tenants.get(tenant);
    if (known !== undefined) return known;
    if (this.tenants.size >= TENANTS_MAX && tenant !== OTHER_TENANTS) {
      return this.#tallyOf(OTHER_TENANTS);
    }
    return this.#tallyOf(tenant);
  }

  #tallyOf(tenant: string): TenantTally {
    let tally = this.tenants.get(tenant);
    if (tally === undefined) {
      tally = { requests: 0, outputTokens: 0, good: 0, ttftMs: new Samples() };
      this.tenants.set(tenant, tally);
    }
    return tally;
  }
}

function isWithin(value: number, bound: number | null): boolean {
  return bound === null || value <= bound;
}
