import { formatClock, formatNumber } from '../page/format.ts';
import { escapeHtml } from '../page/html.ts';
import { axisOption, baseOption, gridOption, niceStep, swatch, tooltipOption } from './frame.ts';
import type { PlotData, PlotOption, PlotTheme, Timeline } from './plot-data.ts';

/** A strip of the plot: one metric over the shared axis of time. */
export interface TimelineStrip {
  readonly metric: 'waiting' | 'running' | 'kvUsage';
  readonly title: string;
}

/** The strips from top to bottom. */
export function timelineStrips(): readonly TimelineStrip[] {
  return [
    { metric: 'waiting', title: 'Waiting requests' },
    { metric: 'running', title: 'Running requests' },
    { metric: 'kvUsage', title: 'KV cache in use, %' },
  ];
}

/** Queue, running requests and KV use of one run, above each other on one axis of time. */
export function timelineOption(data: PlotData, index: number, theme: PlotTheme): PlotOption {
  const timeline = data.timelines[index];
  if (timeline === undefined) return baseOption(theme);
  const strips = timelineStrips();
  const longest = data.timelines.reduce((most, { times }) => Math.max(most, times.at(-1) ?? 0), 1);
  return {
    ...baseOption(theme),
    useUTC: true,
    title: strips.map(({ title }, row) => ({
      text: title,
      left: 8,
      top: stripTop(row, theme) - 24,
      textStyle: { fontSize: 12, fontWeight: 600, color: theme.ink },
    })),
    grid: strips.map((_, row) => ({
      ...gridOption({ top: stripTop(row, theme), right: 18, bottom: 0, left: 46 }),
      bottom: undefined,
      height: stripHeight(theme),
    })),
    xAxis: strips.map((_, row) => timeAxis(theme, row, longest)),
    yAxis: strips.map(({ metric }, row) => valueAxis(data, metric, row, theme)),
    legend: {
      type: 'scroll',
      top: 2,
      left: 8,
      itemGap: theme.isStatic ? 30 : 12,
      icon: 'circle',
      itemWidth: 10,
      itemHeight: 10,
      textStyle: { color: theme.ink, fontSize: 12 },
      pageTextStyle: { color: theme.muted },
      pageIconColor: theme.ink,
      pageIconInactiveColor: theme.rule,
      inactiveColor: theme.rule,
    },
    axisPointer: { link: [{ xAxisIndex: 'all' }] },
    tooltip: tooltipOption(theme, {
      trigger: 'axis',
      formatter: (params: unknown) => timelineTip(timeline, theme, params),
    }),
    ...(theme.isStatic ? {} : { dataZoom: zoomOptions(theme) }),
    series: strips.flatMap(({ metric }, row) => stripSeries(timeline, metric, row, theme)),
  };
}

/** Pixels from the top to the axes of a strip. */
export function stripTop(row: number, theme: PlotTheme): number {
  return 58 + row * (stripHeight(theme) + 44);
}

/** Pixels between top and bottom of a strip's axes. */
export function stripHeight(theme: PlotTheme): number {
  return theme.isStatic ? 70 : 110;
}

/** A strip's own axis, the same for all runs. */
export function valueAxis(
  data: PlotData,
  metric: TimelineStrip['metric'],
  row: number,
  theme: PlotTheme,
): PlotOption {
  const highest = metric === 'kvUsage' ? 100 : Math.max(1, data.timelineMax[metric]);
  const step = niceStep(highest);
  return axisOption(theme, {
    type: 'value',
    gridIndex: row,
    min: 0,
    max: Math.ceil(highest / step) * step,
    interval: step,
    axisLabel: { formatter: (value: number) => formatNumber(value) },
  });
}

/** The shared axis; every strip has one so that labels are near. */
export function timeAxis(theme: PlotTheme, row: number, longest: number): PlotOption {
  return axisOption(theme, {
    // Of times the library picks round minutes and hours. In UTC the run's start is zero.
    type: 'time',
    gridIndex: row,
    min: 0,
    max: longest * 1000,
    splitLine: { show: false },
    axisLabel: { formatter: (ms: number) => formatClock(ms / 1000) },
  });
}

/** Zoom by a slider below, and by wheel or pinch with the shift key, so that pages still scroll. */
export function zoomOptions(theme: PlotTheme): readonly PlotOption[] {
  const look = {
    borderColor: theme.rule,
    backgroundColor: 'transparent',
    fillerColor: theme.rule,
    handleStyle: { color: theme.surface, borderColor: theme.muted },
    moveHandleStyle: { color: theme.muted, opacity: 0.35 },
    textStyle: { color: theme.muted, fontSize: 11 },
  };
  const labelFormatter = (ms: number): string => formatClock(Math.max(0, ms / 1000));
  const slider = { type: 'slider', xAxisIndex: 'all', bottom: 6, height: 18, labelFormatter };
  return [
    { ...slider, ...look, showDataShadow: false, brushSelect: false, left: 60, right: 60 },
    { type: 'inside', xAxisIndex: 'all', zoomOnMouseWheel: 'shift', moveOnMouseMove: false },
  ];
}

/** A strip's lines: one per endpoint, or lowest, median and highest with the space filled. */
export function stripSeries(
  timeline: Timeline,
  metric: TimelineStrip['metric'],
  row: number,
  theme: PlotTheme,
): readonly PlotOption[] {
  // Still images are small, and there is one for every run.
  const stride = theme.isStatic ? Math.ceil(timeline.times.length / 100) : 1;
  return timeline.tracks.map((track, at) => {
    const color = trackColor(timeline, at, theme);
    const isMedian = timeline.kind === 'range' && at === 1;
    const values = trackValues(timeline, metric, at);
    return {
      name: track.name,
      type: 'line',
      xAxisIndex: row,
      yAxisIndex: row,
      showSymbol: false,
      data: timeline.times.flatMap((seconds, sample) =>
        sample % stride === 0 ? [[seconds * 1000, values[sample] ?? 0]] : [],
      ),
      lineStyle: { color, width: isMedian ? 2 : 1.25 },
      itemStyle: { color },
      // The highest line stands on the lowest one, so that only the space between them is filled.
      ...(timeline.kind === 'range' && !isMedian ? { stack: `range ${row}` } : {}),
      ...(timeline.kind === 'range' && at === 2 ? { areaStyle: { color, opacity: 0.2 } } : {}),
      emphasis: { disabled: true },
    };
  });
}

/** What a line is drawn from: the highest of a range is drawn by what it adds to the lowest. */
export function trackValues(
  timeline: Timeline,
  metric: TimelineStrip['metric'],
  at: number,
): readonly number[] {
  const values = timeline.tracks[at]?.[metric] ?? [];
  if (timeline.kind !== 'range' || at !== 2) return values;
  const lowest = timeline.tracks[0]?.[metric] ?? [];
  return values.map((value, sample) => value - (lowest[sample] ?? 0));
}

/** Endpoints have colours of their own; a range has one colour and a darker median. */
export function trackColor(timeline: Timeline, at: number, theme: PlotTheme): string {
  if (timeline.kind === 'range') return at === 1 ? theme.ink : (theme.palette[0] ?? theme.ink);
  return theme.palette[at % theme.palette.length] ?? theme.ink;
}

/** All strips' values at the pointer's time. */
export function timelineTip(timeline: Timeline, theme: PlotTheme, params: unknown): string {
  const first = (Array.isArray(params) ? params[0] : params) as { dataIndex?: number } | undefined;
  const sample = first?.dataIndex ?? 0;
  const head = `<b>${formatClock(timeline.times[sample] ?? 0)}</b>: waiting, running, KV use`;
  const rows = timeline.tracks.map((track, at) => {
    const { waiting, running, kvUsage } = track;
    const values = [waiting, running, kvUsage].map((list) => formatNumber(list[sample] ?? null));
    const mark = swatch(trackColor(timeline, at, theme));
    return `${mark}${escapeHtml(track.name)} <b>${values.join(' · ')} %</b>`;
  });
  return [head, ...rows].join('<br>');
}
