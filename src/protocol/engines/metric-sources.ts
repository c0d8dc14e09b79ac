import type { EngineMetrics, MetricSource, ReportNumber } from './dialect.ts';

/** Every unlabelled or per-engine series of a gauge or counter, added up. */
export function sumOf(metric: string): MetricSource {
  return { metric, where: null, fromLabel: null, distinctBy: null, combine: 'sum' };
}

/** The mean over the series: for shares such as KV-cache use. */
export function meanOf(metric: string): MetricSource {
  return { ...sumOf(metric), combine: 'mean' };
}

/** The largest series: for constants and points in time. */
export function maxOf(metric: string): MetricSource {
  return { ...sumOf(metric), combine: 'max' };
}

/**
 * The unix time of `prometheus_client`'s process collector; several processes: the newest start.
 */
export const PROCESS_START: readonly MetricSource[] = Object.freeze([
  maxOf('process_start_time_seconds'),
]);

const NOTHING: Readonly<Record<ReportNumber, readonly MetricSource[]>> = Object.freeze({
  waiting: [],
  running: [],
  kvCacheUsage: [],
  blockSizeTokens: [],
  blockCount: [],
  adapterSlots: [],
  promptTokensTotal: [],
  generationTokensTotal: [],
  prefixCacheQueriesTotal: [],
  prefixCacheHitsTotal: [],
  processStartTimeSeconds: [],
});

/** A complete source table from the numbers that an engine does report. */
export function reportSources(
  some: Partial<Record<ReportNumber, readonly MetricSource[]>>,
): EngineMetrics['sources'] {
  return Object.freeze({ ...NOTHING, ...some });
}
