import type { CurvePoint } from '../outcome.ts';
import { escapeHtml } from '../page/html.ts';
import { formatMs, formatMsTick, formatNumber } from '../page/format.ts';
import { axisOption, baseOption, gridOption, lineColor, lineStroke, swatch } from './frame.ts';
import { tooltipOption } from './frame.ts';
import type { LatencyPlot, PlotChoice, PlotData, PlotOption, PlotTheme } from './plot-data.ts';

/** Cumulative distributions of one latency, a curve per run, on a logarithmic axis of time. */
export function latencyOption(
  data: PlotData,
  index: number,
  theme: PlotTheme,
  choice: PlotChoice,
): PlotOption {
  const plot = data.latencies[index];
  if (plot === undefined) return baseOption(theme);
  const curves = plot.curves.filter(({ line }) => !choice.hidden.includes(line));
  const [lowest, highest] = latencyRange(plot);
  return {
    ...baseOption(theme),
    grid: gridOption({ top: 22, right: 22, bottom: 34, left: 46 }),
    xAxis: axisOption(theme, {
      type: 'log',
      // Ticks are powers of the base; a narrow range would hold hardly a power of ten.
      logBase: highest / lowest > 30 ? 10 : 2,
      min: lowest,
      max: highest,
      axisLabel: {
        formatter: (ms: number) => formatMsTick(ms),
        showMinLabel: false,
        showMaxLabel: false,
      },
    }),
    yAxis: axisOption(theme, {
      type: 'value',
      min: 0,
      max: 100,
      axisLabel: { formatter: (percent: number) => `${percent} %` },
    }),
    tooltip: tooltipOption(theme, {
      trigger: 'axis',
      axisPointer: { type: 'line', axis: 'y', snap: false, label: { show: false } },
      formatter: (params: unknown) => latencyTip(data, { ...plot, curves }, theme, params),
    }),
    series: [
      ...curves.map(({ line, points }) => curveSeries(data, line, points, theme)),
      ...objectiveSeries(plot, theme),
    ],
  };
}

/** Ends of the axis: what all curves and the objective need, with a little room. */
export function latencyRange(plot: LatencyPlot): readonly [lowest: number, highest: number] {
  const points = plot.curves.flatMap((curve) => curve.points);
  const objective = plot.objectiveMs !== null && plot.objectiveMs > 0 ? [plot.objectiveMs] : [];
  const values = [...points.map(([ms]) => ms), ...objective];
  // Below the first percentile are gaps of tokens that came together: nobody looks for those.
  const usual = points.filter(([, percent]) => percent >= 1).map(([ms]) => ms);
  const lowest = [...(usual.length > 0 ? usual : values), ...objective].reduce(
    (least, ms) => Math.min(least, ms),
    Infinity,
  );
  const highest = values.reduce((most, ms) => Math.max(most, ms), 0);
  if (!Number.isFinite(lowest)) return [1, 10];
  // Never more than five powers of ten: one odd value must not squeeze all the others.
  const from = Math.max(lowest * 0.9, highest / 1e5);
  return [Number(from.toPrecision(2)), Number((highest * 1.15).toPrecision(2))];
}

/** One run's curve. */
export function curveSeries(
  data: PlotData,
  line: number,
  points: readonly CurvePoint[],
  theme: PlotTheme,
): PlotOption {
  const style = data.lines[line];
  if (style === undefined) return {};
  return {
    name: style.name,
    type: 'line',
    data: points,
    showSymbol: style.isMeasured,
    symbol: style.symbol,
    symbolSize: 7,
    lineStyle: lineStroke(style, theme),
    itemStyle: { color: lineColor(style, theme) },
    emphasis: { disabled: true },
  };
}

/** The objective as a line from bottom to top, in a series of its own that is never hidden. */
export function objectiveSeries(plot: LatencyPlot, theme: PlotTheme): readonly PlotOption[] {
  if (plot.objectiveMs === null) return [];
  return [
    {
      name: 'objective',
      type: 'line',
      data: [],
      markLine: {
        silent: true,
        symbol: 'none',
        animation: false,
        lineStyle: { color: theme.ink, width: 1.5, type: 'dashed' },
        label: {
          formatter: `objective ${formatMs(plot.objectiveMs)}`,
          align: objectiveAlign(plot, plot.objectiveMs),
          color: theme.ink,
          textBorderWidth: 0,
          fontSize: 11,
        },
        data: [{ xAxis: plot.objectiveMs }],
      },
    },
  ];
}

/** Near an end of the axis the label stands on the other side of its line, or it would be cut. */
export function objectiveAlign(plot: LatencyPlot, objectiveMs: number): string {
  const [lowest, highest] = latencyRange(plot);
  const place = Math.log(objectiveMs / lowest) / Math.log(highest / lowest);
  if (place > 0.75) return 'right';
  return place < 0.25 ? 'left' : 'center';
}

/** What share of requests has which latency at the height of the pointer. */
export function latencyTip(
  data: PlotData,
  plot: LatencyPlot,
  theme: PlotTheme,
  params: unknown,
): string {
  const first = (Array.isArray(params) ? params[0] : params) as { axisValue?: number } | undefined;
  const percent = Math.min(100, Math.max(0, first?.axisValue ?? 50));
  const rows = plot.curves.map(({ line, points }) => {
    const style = data.lines[line];
    if (style === undefined) return '';
    const value = formatMs(latencyAt(points, percent));
    return `${swatch(lineColor(style, theme))}${escapeHtml(style.name)} <b>${value}</b>`;
  });
  return [`p${formatNumber(percent)}: this share is as fast or faster`, ...rows].join('<br>');
}

/** Latency at a percentile, linear between the points of a curve; null outside of it. */
export function latencyAt(points: readonly CurvePoint[], percent: number): number | null {
  for (const [index, [ms, at]] of points.entries()) {
    if (at < percent) continue;
    const before = points[index - 1];
    if (before === undefined) return at === percent ? ms : null;
    const [msBefore, atBefore] = before;
    const share = at === atBefore ? 1 : (percent - atBefore) / (at - atBefore);
    return msBefore + (ms - msBefore) * share;
  }
  return null;
}
