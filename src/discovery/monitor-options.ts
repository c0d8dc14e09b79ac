import type { ProbePolicy, ScrapePolicy } from '../pool/scrape-interval.ts';
import { DEFAULT_PROBE_POLICY, DEFAULT_SCRAPE_POLICY } from '../pool/scrape-interval.ts';

/** How the monitor asks. Times in milliseconds. */
export interface MonitorOptions {
  readonly scrape: ScrapePolicy;
  readonly probe: ProbePolicy;
  /** From a question to the last byte of its answer. */
  readonly timeoutMs: number;
  /** Between readings of the model list and the health of an endpoint that is up. */
  readonly refreshMs: number;
  /** Between questions whether an engine sleeps, where it tells. */
  readonly sleepCheckMs: number;
  /** Endpoints asked at the same time. */
  readonly concurrency: number;
  /** Bytes of one answer read at most. */
  readonly maxBodyBytes: number;
}

/** What is asked how often when nothing is configured. */
export const DEFAULT_MONITOR_OPTIONS: MonitorOptions = Object.freeze({
  scrape: DEFAULT_SCRAPE_POLICY,
  probe: DEFAULT_PROBE_POLICY,
  timeoutMs: 2000,
  refreshMs: 30_000,
  sleepCheckMs: 2000,
  concurrency: 32,
  maxBodyBytes: 8 * 1024 * 1024,
});
