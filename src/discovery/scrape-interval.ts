import type { EngineReport } from '../protocol/engines/dialect.ts';

/** Bounds of the adaptive scrape interval, all in milliseconds but the rate. */
export interface ScrapePolicy {
  /** While there is traffic and the report changes. */
  readonly fastestMs: number;
  /** While there is traffic and the report stands still. */
  readonly steadyMs: number;
  /** Without traffic. */
  readonly slowestMs: number;
  /** Scrapes of all endpoints together; with many busy endpoints each is scraped less often. */
  readonly maxScrapesPerSecond: number;
}

/** What is known when the next scrape is planned. */
export interface ScrapeObservation {
  /** Whether requests of ours are in flight or have been since the last scrape. */
  readonly hasTraffic: boolean;
  /**
   * Whether the report says another load than the one before; traffic that is not ours shows so.
   */
  readonly hasChanged: boolean;
  readonly previousMs: number;
  /** Endpoints with traffic now, this one included. */
  readonly busyEndpoints: number;
}

/** Steps between the bounds: slower by half, or twice as slow without traffic. */
const STEADY_STEP = 1.5;
const IDLE_STEP = 2;

/**
 * Milliseconds to the next scrape, before jitter.
 *
 *     traffic  changed   interval
 *     yes      yes       fastest
 *     yes      no        half longer than before, up to steady
 *     no       yes       steady
 *     no       no        twice the one before, up to slowest
 */
export function nextScrapeInterval(policy: ScrapePolicy, seen: ScrapeObservation): number {
  const fairMs = (1000 * seen.busyEndpoints) / policy.maxScrapesPerSecond;
  const fastestMs = Math.min(policy.slowestMs, Math.max(policy.fastestMs, fairMs));
  const steadyMs = Math.max(policy.steadyMs, fastestMs);
  const previousMs = Math.max(seen.previousMs, fastestMs);
  if (seen.hasTraffic && seen.hasChanged) return fastestMs;
  if (seen.hasTraffic) return Math.min(steadyMs, previousMs * STEADY_STEP);
  if (seen.hasChanged) return Math.min(policy.slowestMs, steadyMs);
  return Math.min(policy.slowestMs, previousMs * IDLE_STEP);
}

/** Whether `next` says another load than `previous`; counters and constants do not matter. */
export function isOtherLoad(previous: EngineReport | null, next: EngineReport): boolean {
  return (
    previous === null ||
    previous.waiting !== next.waiting ||
    previous.running !== next.running ||
    previous.kvCacheUsage !== next.kvCacheUsage ||
    previous.adapters?.length !== next.adapters?.length
  );
}
