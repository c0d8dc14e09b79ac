import type { ScrapePolicy } from './scrape-interval.ts';

/** How the monitor asks. Times in milliseconds. */
export interface MonitorOptions {
  readonly scrape: ScrapePolicy;
  /** From a question to the last byte of its answer. */
  readonly timeoutMs: number;
  /** Between readings of the model list and the health of an endpoint that is up. */
  readonly refreshMs: number;
  /** First and longest wait between probes of an endpoint that is not up; doubled in between. */
  readonly probeBackoffMs: { readonly min: number; readonly max: number };
  /** Wait before an endpoint that failed once is asked for its health. */
  readonly recheckMs: number;
  /** Between questions whether an engine sleeps, where it tells. */
  readonly sleepCheckMs: number;
  /** Endpoints asked at the same time. */
  readonly concurrency: number;
  /** Bytes of one answer read at most. */
  readonly maxBodyBytes: number;
}

/**
 * The idle cost was chosen first: 100 endpoints without traffic are 25 scrapes and 7 readings of
 * lists and health a second, about 1 % of a core. The slowest interval stays below the 5 s after
 * which uvicorn, under most engines, closes an idle connection: a new one costs as much as a
 * scrape.
 */
export const DEFAULT_MONITOR_OPTIONS: MonitorOptions = Object.freeze({
  scrape: Object.freeze({
    fastestMs: 200,
    steadyMs: 1000,
    slowestMs: 4000,
    maxScrapesPerSecond: 200,
  }),
  timeoutMs: 2000,
  refreshMs: 30_000,
  probeBackoffMs: Object.freeze({ min: 250, max: 5000 }),
  recheckMs: 250,
  sleepCheckMs: 2000,
  concurrency: 32,
  maxBodyBytes: 8 * 1024 * 1024,
});
