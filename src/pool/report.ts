import type { AdapterReport, EngineReport } from '../protocol/engines/dialect.ts';
import type { LoadColumns } from './load-table.ts';

/** How long an engine's report counts. */
export interface ReportOptions {
  /** Age in milliseconds up to which a report counts in full. */
  readonly staleAfterMs: number;
  /** Age in milliseconds from which it counts no more; in between its weight falls linearly. */
  readonly forgetAfterMs: number;
}

/**
 * Longer than the slowest scrape interval of an idle endpoint, so that a healthy one never
 * fades.
 */
export const DEFAULT_REPORT_OPTIONS: ReportOptions = Object.freeze({
  staleAfterMs: 10_000,
  forgetAfterMs: 30_000,
});

/** Clock steps on the engine's machine shift a process's start time by less than this. */
const START_TIME_TOLERANCE_SECONDS = 1;

/** Weight of a report of this age: 1 while fresh, falling linearly to 0. */
export function weightOfReport(ageMs: number, options: ReportOptions): number {
  if (ageMs <= options.staleAfterMs) return 1;
  if (ageMs >= options.forgetAfterMs) return 0;
  return (options.forgetAfterMs - ageMs) / (options.forgetAfterMs - options.staleAfterMs);
}

/** What one endpoint's newest report adds to the ledger, before ageing. */
export class Correction {
  #waiting = 0;
  #running = 0;
  #foreign = 0;
  #kvCacheUsage = Number.NaN;
  #kvBlockTokens = Number.NaN;
  #kvBlockCount = Number.NaN;
  #adapterSlots = Number.NaN;
  #adaptersActive = 0;
  #adaptersWaiting = 0;
  /** Weight with which the report stands in the load table; NaN when it has yet to be written. */
  #shownWeight = 0;
  #startTimeSeconds = Number.NEGATIVE_INFINITY;

  /** Requests in the engine that were not ours when the report was taken; 0 when unknown. */
  get foreign(): number {
    return this.#foreign;
  }

  /**
   * Takes a report. `ownRequests` is the most we had in flight around it: everything we have in
   * an engine is in our ledger before it arrives and until after it left, so whatever exceeds
   * it is somebody else's.
   */
  take(report: EngineReport, ownRequests: number): void {
    this.#waiting = toCount(report.waiting);
    this.#running = toCount(report.running);
    this.#foreign = Math.max(0, this.#waiting + this.#running - ownRequests);
    this.#kvCacheUsage = toRatio(report.kvCacheUsage);
    this.#kvBlockTokens = toCapacity(report.blockSizeTokens);
    this.#kvBlockCount = toCapacity(report.blockCount);
    this.#adapterSlots = toCapacity(report.adapterSlots);
    this.#adaptersActive = countAdapters(report, 'active');
    this.#adaptersWaiting = countAdapters(report, 'waiting');
    this.#shownWeight = Number.NaN;
  }

  /** Writes what is left of the report at `weight` into the load table, if that has changed. */
  show(load: LoadColumns, slot: number, weight: number): void {
    if (weight === this.#shownWeight) return;
    this.#shownWeight = weight;
    load.reportedWaiting[slot] = this.#waiting * weight;
    load.foreignRequests[slot] = this.#foreign * weight;
    // A ratio that shrinks with age would show room that nobody measured: kept, then forgotten.
    load.kvCacheUsage[slot] = weight > 0 ? this.#kvCacheUsage : Number.NaN;
    load.lastWaiting[slot] = weight > 0 ? this.#waiting : 0;
    load.lastRunning[slot] = weight > 0 ? this.#running : 0;
    load.adaptersActive[slot] = weight > 0 ? this.#adaptersActive : 0;
    load.adaptersWaiting[slot] = weight > 0 ? this.#adaptersWaiting : 0;
    // Capacities are facts of the process and do not age.
    load.kvBlockTokens[slot] = this.#kvBlockTokens;
    load.kvBlockCount[slot] = this.#kvBlockCount;
    load.adapterSlots[slot] = this.#adapterSlots;
  }

  /**
   * Whether the engine's process is another than the one of earlier reports. Its start time
   * must be later than any seen, as servers with several workers report that of a random one.
   */
  noteRestart(previous: EngineReport | null, next: EngineReport): boolean {
    const startSeconds = next.processStartTimeSeconds;
    const newestSeconds = this.#startTimeSeconds;
    if (startSeconds !== null) this.#startTimeSeconds = Math.max(newestSeconds, startSeconds);
    if (previous === null) return false;
    if (startSeconds !== null && Number.isFinite(newestSeconds)) {
      if (startSeconds > newestSeconds + START_TIME_TOLERANCE_SECONDS) return true;
    }
    return (
      wentBack(previous.promptTokensTotal, next.promptTokensTotal) ||
      wentBack(previous.generationTokensTotal, next.generationTokensTotal) ||
      wentBack(previous.prefixCacheQueriesTotal, next.prefixCacheQueriesTotal)
    );
  }
}

function wentBack(previous: number | null, next: number | null): boolean {
  return previous !== null && next !== null && next < previous;
}

function toCount(value: number | null): number {
  return value !== null && value > 0 && Number.isFinite(value) ? value : 0;
}

function toCapacity(value: number | null): number {
  return value !== null && value > 0 && Number.isFinite(value) ? value : Number.NaN;
}

function countAdapters(report: EngineReport, state: AdapterReport['state']): number {
  let count = 0;
  for (const adapter of report.adapters ?? []) if (adapter.state === state) count += 1;
  return count;
}

function toRatio(value: number | null): number {
  if (value === null || !Number.isFinite(value)) return Number.NaN;
  return Math.min(1, Math.max(0, value));
}
