import type { CurvePoint, Latency } from '../outcome.ts';

/** How one run looks in every plot: a colour of the palette, a dash, a mark. */
export interface PlotLine {
  readonly name: string;
  /** 0 to 7. */
  readonly color: number;
  readonly dash: 'solid' | 'dashed' | 'dotted';
  readonly symbol: string;
  readonly isMeasured: boolean;
}

/** Distributions of one latency. */
export interface LatencyPlot {
  readonly latency: Latency;
  readonly objectiveMs: number | null;
  readonly curves: readonly { readonly line: number; readonly points: readonly CurvePoint[] }[];
}

/** What is shown over time, each per endpoint. */
export type SeriesMetric = 'waiting' | 'running' | 'kvUsage' | 'picks';

/** One drawn line over time. */
export interface TimelineTrack {
  readonly name: string;
  readonly waiting: readonly number[];
  readonly running: readonly number[];
  /** Per cent. */
  readonly kvUsage: readonly number[];
}

/** One run over time: a track per endpoint, or the range over endpoints when there are many. */
export interface Timeline {
  readonly line: number;
  readonly kind: 'endpoints' | 'range';
  /** Seconds from the run's start; the same length as each track. */
  readonly times: readonly number[];
  /** Of a range: lowest, median, highest. */
  readonly tracks: readonly TimelineTrack[];
}

/** One metric of one run as a picture: endpoints by spans of time. */
export interface HeatPlot {
  readonly line: number;
  readonly endpoints: readonly string[];
  readonly columns: number;
  readonly columnSeconds: number;
  /** Rows after each other, a byte a cell, as base64; times the metric's scale gives the value. */
  readonly cells: Readonly<Record<SeriesMetric, string>>;
}

/** One policy under rising load. */
export interface SweepCurve {
  readonly line: number;
  /** Offered, completed and good requests per second, and p90 TTFT in ms (null when none). */
  readonly points: readonly (readonly [
    offered: number,
    completed: number,
    good: number,
    ttftP90Ms: number | null,
  ])[];
  readonly kneeIndex: number | null;
}

/** The saturation curves of one workload. */
export interface SweepPlot {
  readonly workload: string;
  readonly curves: readonly SweepCurve[];
}

/** What tenants got under each run; null where a run has no such tenant. */
export interface TenantPlot {
  readonly tenants: readonly string[];
  readonly runs: readonly {
    readonly line: number;
    /** Per cent. */
    readonly good: readonly (number | null)[];
    readonly ttftP90Ms: readonly (number | null)[];
  }[];
}

/** Everything that is plotted, as plain data that a page carries. */
export interface PlotData {
  readonly lines: readonly PlotLine[];
  readonly latencies: readonly LatencyPlot[];
  readonly timelines: readonly Timeline[];
  /** Highest value of each metric over all runs, so that their plots share an axis. */
  readonly timelineMax: Readonly<Record<Exclude<SeriesMetric, 'picks'>, number>>;
  readonly heats: readonly HeatPlot[];
  /** Value of a cell of 1, and the highest value, per metric. */
  readonly heatScale: Readonly<Record<SeriesMetric, number>>;
  readonly heatMax: Readonly<Record<SeriesMetric, number>>;
  readonly sweeps: readonly SweepPlot[];
  readonly tenants: TenantPlot | null;
}

/** Which plot: its kind, and which of that kind. */
export type PlotRef =
  | { readonly kind: 'latency'; readonly index: number }
  | { readonly kind: 'timeline'; readonly index: number }
  | { readonly kind: 'heat'; readonly index: number }
  | { readonly kind: 'sweep'; readonly index: number; readonly part: SweepPart }
  | { readonly kind: 'tenants'; readonly part: TenantPart };

/** What a saturation curve shows against offered requests per second. */
export type SweepPart = 'completed' | 'good' | 'ttft';

/** What is compared between tenants. */
export type TenantPart = 'good' | 'ttft';

/** Colours and room that a plot is drawn with. Colours are anything that CSS knows. */
export interface PlotTheme {
  readonly ink: string;
  readonly muted: string;
  readonly rule: string;
  readonly surface: string;
  /** Eight. */
  readonly palette: readonly string[];
  /** From the lowest to the highest value. */
  readonly ramp: readonly string[];
  readonly isNarrow: boolean;
  /** Without pointer and buttons: no tooltips, no zoom. */
  readonly isStatic: boolean;
}

/** What a reader has chosen. */
export interface PlotChoice {
  /** Indexes of lines that are switched off. */
  readonly hidden: readonly number[];
  readonly heatMetric: SeriesMetric;
}

/** Options of the plotting library. Loose, as the library's own type allows everything anyway. */
export type PlotOption = Readonly<Record<string, unknown>>;
