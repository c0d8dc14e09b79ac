import type { RunResult } from '../../lab/results.ts';
import type { HeatPlot, SeriesMetric, Timeline, TimelineTrack } from './plot-data.ts';

/** Up to this many endpoints have a line each; more are shown as a range. */
const MOST_TRACKS = 8;
/** Points of a line; more would not be seen at the width of a page. */
const MOST_POINTS = 240;
/** Cells of all heat maps together: a byte each in the page. */
const MOST_CELLS = 300_000;
const MOST_COLUMNS = 150;
const FEWEST_COLUMNS = 24;

/** The four metrics, in the order in which readers choose them. */
export const SERIES_METRICS: readonly SeriesMetric[] = Object.freeze([
  'picks',
  'waiting',
  'running',
  'kvUsage',
] as const);

/** One metric of a run, per endpoint, with a value per bucket of samples. */
type Rows = readonly (readonly number[])[];

/** A run together with the index of its line. */
export interface SeriesSource {
  readonly line: number;
  readonly run: RunResult;
}

/** Number of samples of a run; 0 when there are none. */
export function sampleCount({ series }: RunResult): number {
  return series.waiting.reduce((most, row) => Math.max(most, row.length), 0);
}

/** Lines over time of one run; samples are averaged until a page's width can show them. */
export function createTimeline({ line, run }: SeriesSource): Timeline {
  const { series } = run;
  const samples = sampleCount(run);
  const width = Math.max(1, Math.ceil(samples / MOST_POINTS));
  const rows = {
    waiting: buckets(series.waiting, samples, bucketing('waiting', width)),
    running: buckets(series.running, samples, bucketing('running', width)),
    kvUsage: buckets(series.kvUsage, samples, bucketing('kvUsage', width)),
  };
  const points = Math.ceil(samples / width);
  const times = Array.from({ length: points }, (_, point) =>
    round((Math.min(samples, (point + 1) * width) * series.intervalMs) / 1000),
  );
  const isRange = series.waiting.length > MOST_TRACKS;
  const tracks = isRange ? rangeTracks(rows) : endpointTracks(run, rows);
  return { line, kind: isRange ? 'range' : 'endpoints', times, tracks };
}

type TrackRows = Readonly<Record<'waiting' | 'running' | 'kvUsage', Rows>>;

function endpointTracks(run: RunResult, rows: TrackRows): readonly TimelineTrack[] {
  return rows.waiting.map((waiting, endpoint) => ({
    name: run.endpoints[endpoint]?.name ?? `endpoint ${endpoint + 1}`,
    waiting: waiting.map(round),
    running: (rows.running[endpoint] ?? []).map(round),
    kvUsage: (rows.kvUsage[endpoint] ?? []).map(round),
  }));
}

function rangeTracks(rows: TrackRows): readonly TimelineTrack[] {
  const shares = [
    { name: 'lowest endpoint', share: 0 },
    { name: 'median endpoint', share: 0.5 },
    { name: 'highest endpoint', share: 1 },
  ];
  const ranked = {
    waiting: rankEach(rows.waiting),
    running: rankEach(rows.running),
    kvUsage: rankEach(rows.kvUsage),
  };
  return shares.map(({ name, share }) => {
    const take = (sorted: Rows): number[] =>
      sorted.map((values) => round(values[Math.round(share * (values.length - 1))] ?? 0));
    const { waiting, running, kvUsage } = ranked;
    return { name, waiting: take(waiting), running: take(running), kvUsage: take(kvUsage) };
  });
}

/** Per point of time the endpoints' values in rising order. */
function rankEach(rows: Rows): Rows {
  const points = rows[0]?.length ?? 0;
  return Array.from({ length: points }, (_, point) =>
    rows.map((row) => row[point] ?? 0).sort((left, right) => left - right),
  );
}

/** Highest value of each metric over all timelines. */
export function timelineMaxima(
  timelines: readonly Timeline[],
): Readonly<Record<'waiting' | 'running' | 'kvUsage', number>> {
  const highest = (metric: 'waiting' | 'running' | 'kvUsage'): number =>
    maximum(timelines.flatMap(({ tracks }) => tracks.flatMap((track) => track[metric])));
  return {
    waiting: highest('waiting'),
    running: highest('running'),
    kvUsage: highest('kvUsage'),
  };
}

/** Heat maps of runs, all with one scale per metric so that their colours can be compared. */
export function createHeats(sources: readonly SeriesSource[]): {
  readonly heats: readonly HeatPlot[];
  readonly heatScale: Readonly<Record<SeriesMetric, number>>;
  readonly heatMax: Readonly<Record<SeriesMetric, number>>;
} {
  const rowsInAll = sources.reduce((sum, { run }) => sum + run.series.picks.length, 0);
  const room = Math.floor(MOST_CELLS / (SERIES_METRICS.length * Math.max(1, rowsInAll)));
  const mostColumns = Math.max(FEWEST_COLUMNS, Math.min(MOST_COLUMNS, room));
  const pictures = sources.map((source) => pictureOf(source, mostColumns));
  const heatMax = perMetric((metric) =>
    maximum(pictures.map(({ rows }) => maximumOf(rows[metric]))),
  );
  const heatScale = perMetric((metric) => scaleOf(heatMax[metric], metric));
  const heats = pictures.map(({ rows, ...heat }) => ({
    ...heat,
    cells: perMetric((metric) => encodeCells(rows[metric], heat.columns, heatScale[metric])),
  }));
  return { heats, heatScale, heatMax };
}

interface Picture extends Omit<HeatPlot, 'cells'> {
  readonly rows: Readonly<Record<SeriesMetric, Rows>>;
}

function pictureOf({ line, run }: SeriesSource, mostColumns: number): Picture {
  const { series, endpoints } = run;
  const samples = sampleCount(run);
  const width = Math.max(1, Math.ceil(samples / mostColumns));
  return {
    line,
    endpoints: series.waiting.map((_, index) => endpoints[index]?.name ?? `endpoint ${index + 1}`),
    columns: Math.ceil(samples / width),
    columnSeconds: (width * series.intervalMs) / 1000,
    rows: perMetric((metric) => buckets(series[metric], samples, bucketing(metric, width))),
  };
}

/** Whole numbers that fit a byte are kept as they are. */
function scaleOf(highest: number, metric: SeriesMetric): number {
  if (highest <= 0) return 1;
  return metric === 'picks' && highest <= 255 ? 1 : highest / 255;
}

function encodeCells(rows: Rows, columns: number, scale: number): string {
  const bytes = new Uint8Array(rows.length * columns);
  for (const [row, values] of rows.entries()) {
    for (const [column, value] of values.entries()) {
      bytes[row * columns + column] = Math.min(255, Math.round(value / scale));
    }
  }
  return Buffer.from(bytes).toString('base64');
}

/** How samples become one value of a bucket. */
interface Bucketing {
  readonly width: number;
  /** Picks are added up, states are averaged. */
  readonly kind: 'sum' | 'mean';
  /** Multiplies the result. */
  readonly factor: number;
}

/** Each `width` samples as one; what is not a number counts as 0. */
function buckets(rows: Rows, samples: number, { width, kind, factor }: Bucketing): Rows {
  const count = Math.ceil(samples / width);
  return rows.map((row) =>
    Array.from({ length: count }, (_, bucket) => {
      const part = row.slice(bucket * width, (bucket + 1) * width);
      const sum = part.reduce((total, value) => total + (Number.isFinite(value) ? value : 0), 0);
      const by = kind === 'mean' ? Math.max(1, part.length) : 1;
      return Math.max(0, (sum / by) * factor);
    }),
  );
}

/** KV use is a share and shown in per cent. */
function bucketing(metric: SeriesMetric, width: number): Bucketing {
  return {
    width,
    kind: metric === 'picks' ? 'sum' : 'mean',
    factor: metric === 'kvUsage' ? 100 : 1,
  };
}

function perMetric<T>(make: (metric: SeriesMetric) => T): Readonly<Record<SeriesMetric, T>> {
  return {
    picks: make('picks'),
    waiting: make('waiting'),
    running: make('running'),
    kvUsage: make('kvUsage'),
  };
}

function maximumOf(rows: Rows): number {
  return maximum(rows.map(maximum));
}

/** 0 when there is nothing. Not by spreading: lists may be long. */
function maximum(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), 0);
}

function round(value: number): number {
  return Number(value.toPrecision(3));
}
