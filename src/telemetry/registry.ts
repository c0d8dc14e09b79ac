import { assert, must } from '../core/assert.ts';
import { METRICS, OPEN_LABELS } from './metric-table.ts';
import type {
  CounterName,
  GaugeName,
  HistogramName,
  MetricDefinition,
  MetricName,
} from './metric-table.ts';
import { CounterSeries, GaugeSeries, HistogramSeries } from './series.ts';
import type { MetricSeries } from './series.ts';

/** Value of an open label in the series that takes what no longer fits. */
export const OVERFLOW_VALUE = '_other';

/** Longest label value kept, in UTF-16 units; an engine's model name could be of any length. */
const LABEL_VALUE_LIMIT = 256;

/** Bounds of a registry. */
export interface RegistryOptions {
  /** Series one metric may have before further label sets share an `_other` series. */
  readonly maxSeriesPerMetric: number;
}

/**
 * 2,000 series hold 100 endpoints or 30 models in every API and outcome; about 1 MB at most per
 * metric.
 */
const DEFAULT_REGISTRY_OPTIONS: RegistryOptions = Object.freeze({
  maxSeriesPerMetric: 2000,
});

/** All series of one metric; what the exposition reads. */
export interface MetricFamily {
  readonly definition: MetricDefinition;
  /** Series in the order of their creation. */
  readonly series: ReadonlyMap<string, MetricSeries>;
}

interface MutableFamily extends MetricFamily {
  readonly series: Map<string, MetricSeries>;
  /** Series made for overflow, which do not count against the bound. */
  overflowCount: number;
}

/**
 * Holds every series of the metric table. A series is looked up once and kept by its user; its
 * methods are hot and allocate nothing. Lookups build a key and belong off the request path.
 */
export class MetricsRegistry {
  readonly #families = new Map<MetricName, MutableFamily>();
  readonly #collectors = new Set<() => void>();
  readonly #maxSeries: number;

  constructor(options: RegistryOptions = DEFAULT_REGISTRY_OPTIONS) {
    assert(options.maxSeriesPerMetric >= 1, 'a metric needs room for at least one series');
    this.#maxSeries = options.maxSeriesPerMetric;
    for (const definition of METRICS) {
      this.#families.set(definition.name, { definition, series: new Map(), overflowCount: 0 });
      // Counters without labels start at 0, so that a rate exists from the first event on.
      if (definition.labels.length === 0 && definition.kind !== 'gauge') {
        this.#lookUp(definition.name, []);
      }
    }
  }

  /** The counter with these label values, in table order; made at the first call. */
  counter(name: CounterName, labels: readonly string[] = []): CounterSeries {
    const series = this.#lookUp(name, labels);
    assert(series instanceof CounterSeries, `${name} is not a counter`);
    return series;
  }

  /**
   * The gauge with these label values, in table order; made at the first call. Past the bound the
   * series works but is not shown: one `_other` value set by many would mean nothing.
   */
  gauge(name: GaugeName, labels: readonly string[] = []): GaugeSeries {
    const series = this.#lookUp(name, labels);
    assert(series instanceof GaugeSeries, `${name} is not a gauge`);
    return series;
  }

  /** The histogram with these label values, in table order; made at the first call. */
  histogram(name: HistogramName, labels: readonly string[] = []): HistogramSeries {
    const series = this.#lookUp(name, labels);
    assert(series instanceof HistogramSeries, `${name} is not a histogram`);
    return series;
  }

  /**
   * Takes one series out of the exposition. Who still holds it may go on using it unseen; a new
   * lookup starts again at zero.
   */
  remove(name: MetricName, labels: readonly string[]): boolean {
    const family = this.#family(name);
    return family.series.delete(keyOf(cleanValues(labels)));
  }

  /**
   * Takes every series out in which `label` has this value, for example of an endpoint that left.
   */
  removeMatching(label: string, value: string): void {
    const [wanted] = cleanValues([value]);
    for (const family of this.#families.values()) {
      const position = family.definition.labels.indexOf(label);
      if (position < 0) continue;
      for (const [key, series] of family.series) {
        if (series.labels[position] === wanted) family.series.delete(key);
      }
    }
  }

  /** Runs `refresh` before every exposition, to set gauges that need no upkeep in between. */
  onCollect(refresh: () => void): () => void {
    this.#collectors.add(refresh);
    return () => {
      this.#collectors.delete(refresh);
    };
  }

  /** Refreshes lazy gauges, then gives every family in table order. */
  collect(): Iterable<MetricFamily> {
    for (const refresh of this.#collectors) refresh();
    return this.#families.values();
  }

  #family(name: MetricName): MutableFamily {
    return must(this.#families.get(name), name);
  }

  #lookUp(name: MetricName, labels: readonly string[]): MetricSeries {
    const family = this.#family(name);
    const { definition, series } = family;
    assert(labels.length === definition.labels.length, `${name} has other labels`);
    const values = cleanValues(labels);
    const key = keyOf(values);
    const known = series.get(key);
    if (known !== undefined) return known;
    if (series.size - family.overflowCount < this.#maxSeries) {
      return register(family, key, values);
    }
    return this.#overflow(family, values);
  }

  /** Keeps the closed labels of an overflowing set, so that shares by outcome or code stay true. */
  #overflow(family: MutableFamily, values: readonly string[]): MetricSeries {
    const { definition, series } = family;
    if (definition.name !== 'penstock_series_overflow_total') {
      this.counter('penstock_series_overflow_total', [definition.name]).add(1);
    }
    if (definition.kind === 'gauge') return createSeries(definition, values);
    const isFull = family.overflowCount >= this.#maxSeries;
    const folded = values.map((value, position) =>
      isFull || OPEN_LABELS.has(definition.labels[position] ?? '') ? OVERFLOW_VALUE : value,
    );
    const key = keyOf(folded);
    const known = series.get(key);
    if (known !== undefined) return known;
    family.overflowCount += 1;
    return register(family, key, folded);
  }
}

function register(family: MutableFamily, key: string, values: readonly string[]): MetricSeries {
  const made = createSeries(family.definition, values);
  family.series.set(key, made);
  return made;
}

function createSeries(definition: MetricDefinition, values: readonly string[]): MetricSeries {
  switch (definition.kind) {
    case 'counter':
      return new CounterSeries(definition.labels, values);
    case 'gauge':
      return new GaugeSeries(definition.labels, values);
    case 'histogram':
      return new HistogramSeries(
        definition.labels,
        values,
        must(definition.buckets, `buckets of ${definition.name}`).bounds,
      );
  }
}

/** NUL separates values in keys, so it may not be in one. */
function cleanValues(labels: readonly string[]): readonly string[] {
  return labels.map((value) => {
    const short = value.length > LABEL_VALUE_LIMIT ? value.slice(0, LABEL_VALUE_LIMIT) : value;
    return short.includes('\0') ? short.replaceAll('\0', '\uFFFD') : short;
  });
}

function keyOf(values: readonly string[]): string {
  return values.join('\0');
}
