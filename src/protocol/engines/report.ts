import type { MetricSample, MetricSamples } from '../prometheus/metric-samples.ts';
import type {
  AdapterReport,
  AdapterSource,
  EngineDialect,
  EngineReport,
  MetricSource,
  ReportNumber,
} from './dialect.ts';

/** A report that says nothing. */
export const EMPTY_REPORT: EngineReport = Object.freeze({
  waiting: null,
  running: null,
  kvCacheUsage: null,
  blockSizeTokens: null,
  blockCount: null,
  adapters: null,
  adapterSlots: null,
  promptTokensTotal: null,
  generationTokensTotal: null,
  prefixCacheQueriesTotal: null,
  prefixCacheHitsTotal: null,
  processStartTimeSeconds: null,
});

/** Adapters kept of one report; a longer list is cut. */
const MAX_ADAPTERS = 4096;

/** The metric names that `readReport` looks at, for `ParseOptions.wanted`. */
export function wantedMetrics(dialect: EngineDialect): ReadonlySet<string> {
  const names = new Set<string>();
  if (dialect.metrics === null) return names;
  for (const sources of Object.values(dialect.metrics.sources)) {
    for (const source of sources) names.add(source.metric);
  }
  const { adapters } = dialect.metrics;
  if (adapters !== null) {
    names.add(adapters.requestsInfo.metric);
    if (adapters.loaded !== null) names.add(adapters.loaded.metric);
  }
  return names;
}

/** What `samples` say in the terms of `dialect`; all null for an engine without metrics. */
export function readReport(dialect: EngineDialect, samples: MetricSamples): EngineReport {
  const { metrics } = dialect;
  if (metrics === null) return EMPTY_REPORT;
  const read = (field: ReportNumber): number | null => readNumber(metrics.sources[field], samples);
  const usage = read('kvCacheUsage');
  return {
    waiting: read('waiting'),
    running: read('running'),
    kvCacheUsage: usage === null ? null : Math.min(1, Math.max(0, usage)),
    blockSizeTokens: positive(read('blockSizeTokens')),
    blockCount: positive(read('blockCount')),
    adapters: metrics.adapters === null ? null : readAdapters(metrics.adapters, samples),
    adapterSlots: positive(read('adapterSlots')),
    promptTokensTotal: read('promptTokensTotal'),
    generationTokensTotal: read('generationTokensTotal'),
    prefixCacheQueriesTotal: read('prefixCacheQueriesTotal'),
    prefixCacheHitsTotal: read('prefixCacheHitsTotal'),
    processStartTimeSeconds: read('processStartTimeSeconds'),
  };
}

function positive(value: number | null): number | null {
  return value !== null && value > 0 ? value : null;
}

function readNumber(sources: readonly MetricSource[], samples: MetricSamples): number | null {
  for (const source of sources) {
    const series = samples.of(source.metric);
    if (series.length === 0) continue;
    const value = combine(source, series);
    if (value !== null) return value;
  }
  return null;
}

/**
 * One number of the series that match; null when none does or none is a finite number from 0 up.
 */
function combine(source: MetricSource, series: readonly MetricSample[]): number | null {
  const values = new Map<string, number>();
  for (const [index, sample] of series.entries()) {
    const value = valueOf(source, sample);
    if (value === null) continue;
    const { distinctBy } = source;
    const key = distinctBy === null ? String(index) : (sample.labels.get(distinctBy) ?? '');
    values.set(key, Math.max(value, values.get(key) ?? 0));
  }
  if (values.size === 0) return null;
  let sum = 0;
  let max = 0;
  for (const value of values.values()) {
    sum += value;
    max = Math.max(max, value);
  }
  if (source.combine === 'max') return max;
  return source.combine === 'sum' ? sum : sum / values.size;
}

function valueOf(source: MetricSource, sample: MetricSample): number | null {
  const { where, fromLabel } = source;
  if (where !== null && (sample.labels.get(where.label) ?? '') !== where.value) return null;
  let value = sample.value;
  if (fromLabel !== null) {
    const text = sample.labels.get(fromLabel) ?? '';
    if (text === '') return null;
    value = Number(text);
  }
  return Number.isFinite(value) && value >= 0 ? value : null;
}

function readAdapters(
  source: AdapterSource,
  samples: MetricSamples,
): readonly AdapterReport[] | null {
  const info = newest(samples.of(source.requestsInfo.metric));
  const loaded = source.loaded === null ? [] : samples.of(source.loaded.metric);
  if (info === null && loaded.length === 0) return null;
  const states = new Map<string, AdapterReport['state']>();
  if (info !== null) {
    addNames(states, info.labels.get(source.requestsInfo.runningLabel), 'active');
    addNames(states, info.labels.get(source.requestsInfo.waitingLabel), 'waiting');
  }
  if (source.loaded !== null) {
    const { nameLabel, where } = source.loaded;
    for (const sample of loaded) {
      if (sample.value > 0 && sample.labels.get(where.label) === where.value) {
        addNames(states, sample.labels.get(nameLabel), 'loaded');
      }
    }
  }
  return Array.from(states, ([name, state]) => ({ name, state }));
}

/** The first state that is given for a name stays: active before waiting before loaded. */
function addNames(
  states: Map<string, AdapterReport['state']>,
  list: string | undefined,
  state: AdapterReport['state'],
): void {
  if (list === undefined) return;
  for (const part of list.split(',')) {
    const name = part.trim();
    if (name !== '' && !states.has(name) && states.size < MAX_ADAPTERS) states.set(name, state);
  }
}

/** Old series of an info metric stay in the text; the one with the largest time is the present. */
function newest(series: readonly MetricSample[]): MetricSample | null {
  let best: MetricSample | null = null;
  for (const sample of series) {
    if (best === null || sample.value >= best.value) best = sample;
  }
  return best;
}
