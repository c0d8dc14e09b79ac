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

/**
 * How often engines are scraped when nothing is configured. The idle cost was chosen first: 100
 * endpoints without traffic are 25 scrapes and 7 readings of lists and health a second, about 1 %
 * of a core. The slowest interval stays below the 5 s after which uvicorn, under most engines,
 * closes an idle connection: a new one costs as much as a scrape.
 */
export const DEFAULT_SCRAPE_POLICY: ScrapePolicy = Object.freeze({
  fastestMs: 250,
  steadyMs: 1000,
  slowestMs: 4000,
  maxScrapesPerSecond: 200,
});

/** When endpoints that fail are asked again. */
export interface ProbePolicy {
  /** First and longest wait between probes of an endpoint that is not up; doubled in between. */
  readonly backoffMs: { readonly min: number; readonly max: number };
  /** Wait before an endpoint that failed once is asked for its health. */
  readonly recheckMs: number;
}

/** Probes when nothing is configured. */
export const DEFAULT_PROBE_POLICY: ProbePolicy = Object.freeze({
  backoffMs: Object.freeze({ min: 250, max: 5000 }),
  recheckMs: 250,
});

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

/** 90 to 110 % of `delayMs`, so that endpoints do not fall into step; `random` is in [0, 1). */
export function jitterScrape(delayMs: number, random: number): number {
  return delayMs * (0.9 + 0.2 * random);
}

/**
 * Milliseconds to the next probe after `failed` failed ones: 50 to 100 % of an exponentially
 * growing wait; `random` is in [0, 1).
 */
export function nextProbeDelay(
  { backoffMs }: ProbePolicy,
  seen: { readonly failed: number; readonly random: number },
): number {
  const waitMs = Math.min(backoffMs.max, backoffMs.min * 2 ** Math.min(seen.failed, 16));
  return waitMs * (0.5 + 0.5 * seen.random);
}
