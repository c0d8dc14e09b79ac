import { formatClock, formatNumber } from '../page/format.ts';
import { escapeHtml } from '../page/html.ts';
import { axisOption, baseOption, gridOption, keepEnd, tooltipOption } from './frame.ts';
import type { HeatPlot, PlotChoice, PlotData, PlotOption, PlotTheme } from './plot-data.ts';
import type { SeriesMetric } from './plot-data.ts';

/** Name of a metric with its unit. */
export function metricTitle(metric: SeriesMetric): string {
  const titles = {
    picks: 'Requests picked',
    waiting: 'Waiting requests',
    running: 'Running requests',
    kvUsage: 'KV cache in use, %',
  };
  return titles[metric];
}

/** One metric of one run: endpoints from top to bottom, time from left to right. */
export function heatOption(
  data: PlotData,
  index: number,
  theme: PlotTheme,
  choice: PlotChoice,
): PlotOption {
  const heat = data.heats[index];
  if (heat === undefined) return baseOption(theme);
  const metric = choice.heatMetric;
  const longest = heat.endpoints.reduce((most, name) => Math.max(most, name.length), 0);
  const left = Math.min(theme.isNarrow ? 84 : 190, 20 + longest * 6.5);
  const mostLetters = Math.floor((left - 18) / 6.2);
  return {
    ...baseOption(theme),
    grid: gridOption({ top: 10, right: 18, bottom: 84, left }),
    xAxis: axisOption(theme, {
      type: 'category',
      data: Array.from({ length: heat.columns }, (_, column) =>
        formatClock(column * heat.columnSeconds),
      ),
      splitLine: { show: false },
      axisLabel: { interval: Math.max(0, Math.ceil(heat.columns / (theme.isNarrow ? 4 : 8)) - 1) },
    }),
    yAxis: axisOption(theme, {
      type: 'category',
      inverse: true,
      data: heat.endpoints,
      splitLine: { show: false },
      axisLabel: {
        interval: labelEvery(heat),
        formatter: (name: string) => keepEnd(name, mostLetters),
      },
    }),
    visualMap: colorScale(data.heatMax[metric], theme),
    tooltip: tooltipOption(theme, {
      formatter: (params: unknown) => heatTip(heat, metric, params),
    }),
    series: [
      {
        name: metricTitle(metric),
        type: 'heatmap',
        data: heatCells(heat, metric, data.heatScale[metric]),
        progressive: 0,
        emphasis: { itemStyle: { borderColor: theme.ink, borderWidth: 1 } },
      },
    ],
  };
}

/** The key to the colours, below the plot; its ends can be moved to show fewer cells. */
export function colorScale(highest: number, theme: PlotTheme): PlotOption {
  return {
    type: 'continuous',
    min: 0,
    max: Math.max(1, highest),
    calculable: !theme.isNarrow,
    orient: 'horizontal',
    left: 'center',
    bottom: 4,
    itemHeight: theme.isNarrow ? 140 : 240,
    itemWidth: 12,
    inRange: { color: theme.ramp },
    textStyle: { color: theme.muted, fontSize: 11 },
    formatter: (value: number) => formatNumber(value),
  };
}

/** Height of the whole plot in pixels: rows stay tall enough to tell them apart. */
export function heatHeight(endpoints: number): number {
  const row = Math.max(6, Math.min(26, 420 / Math.max(1, endpoints)));
  return Math.round(94 + row * endpoints);
}

/** Which rows have their names written: all, or as many as fit. */
export function labelEvery(heat: HeatPlot): number {
  const row = (heatHeight(heat.endpoints.length) - 94) / Math.max(1, heat.endpoints.length);
  return Math.max(0, Math.ceil(13 / row) - 1);
}

/** Cells as the library takes them: column, row, value. */
export function heatCells(
  heat: HeatPlot,
  metric: SeriesMetric,
  scale: number,
): readonly (readonly [number, number, number])[] {
  const bytes = atob(heat.cells[metric]);
  return Array.from({ length: bytes.length }, (_, at): readonly [number, number, number] => [
    at % heat.columns,
    Math.floor(at / heat.columns),
    bytes.charCodeAt(at) * scale,
  ]);
}

/** The cell under the pointer. */
export function heatTip(heat: HeatPlot, metric: SeriesMetric, params: unknown): string {
  const { value } = params as { value?: readonly number[] };
  const [column = 0, row = 0, amount = 0] = value ?? [];
  const from = formatClock(column * heat.columnSeconds);
  const to = formatClock((column + 1) * heat.columnSeconds);
  const name = escapeHtml(heat.endpoints[row] ?? '');
  return `${name}<br>${from} to ${to}<br>${metricTitle(metric)} <b>${formatNumber(amount)}</b>`;
}
