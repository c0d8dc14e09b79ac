import { formatMs, formatMsTick, formatNumber } from '../page/format.ts';
import { escapeHtml } from '../page/html.ts';
import { axisOption, baseOption, gridOption, lineColor, lineStroke, swatch } from './frame.ts';
import { tooltipOption } from './frame.ts';
import type { PlotChoice, PlotData, PlotOption, PlotTheme } from './plot-data.ts';
import type { SweepCurve, SweepPart } from './plot-data.ts';

/** Which of the plots of a sweep. */
export interface SweepRef {
  readonly index: number;
  readonly part: SweepPart;
}

/** One quantity against the offered load, a curve per policy, with the knees ringed. */
export function sweepOption(
  data: PlotData,
  ref: SweepRef,
  theme: PlotTheme,
  choice: PlotChoice,
): PlotOption {
  const plot = data.sweeps[ref.index];
  if (plot === undefined) return baseOption(theme);
  const curves = plot.curves.filter(({ line }) => !choice.hidden.includes(line));
  const isTime = ref.part === 'ttft';
  const format = isTime ? formatMs : formatNumber;
  return {
    ...baseOption(theme),
    grid: gridOption({ top: 14, right: 20, bottom: 46, left: isTime ? 60 : 46 }),
    xAxis: axisOption(theme, {
      type: 'value',
      min: 0,
      name: 'offered requests/s',
      nameGap: 26,
      axisLabel: { formatter: (value: number) => formatNumber(value) },
    }),
    yAxis: axisOption(theme, {
      type: isTime ? 'log' : 'value',
      ...(isTime ? {} : { min: 0 }),
      axisLabel: {
        formatter: (value: number) => (isTime ? formatMsTick(value) : formatNumber(value)),
      },
    }),
    tooltip: tooltipOption(theme, {
      trigger: 'item',
      formatter: (params: unknown) => sweepTip(params, format),
    }),
    series: curves.map((curve) => sweepSeries(data, curve, ref.part, theme)),
  };
}

/** One policy's curve; where it never answered there is no point. */
export function sweepSeries(
  data: PlotData,
  curve: SweepCurve,
  part: SweepPart,
  theme: PlotTheme,
): PlotOption {
  const style = data.lines[curve.line];
  if (style === undefined) return {};
  const color = lineColor(style, theme);
  const points = curve.points.map((point): readonly [number, number | null] => [
    point[0],
    sweepValue(point, part),
  ]);
  const knee = curve.kneeIndex === null ? undefined : points[curve.kneeIndex];
  const ring = { symbol: 'circle', symbolSize: 17, itemStyle: { color: 'transparent' } };
  return {
    name: style.name,
    type: 'line',
    data: points,
    symbol: style.symbol,
    symbolSize: 7,
    lineStyle: lineStroke(style, theme),
    itemStyle: { color },
    emphasis: { disabled: true },
    markPoint: {
      silent: true,
      animation: false,
      ...ring,
      itemStyle: { color: 'transparent', borderColor: theme.ink, borderWidth: 2 },
      label: { show: false },
      data: knee === undefined || knee[1] === null ? [] : [{ coord: knee }],
    },
  };
}

/** The value that a part shows; a logarithmic axis has no place for zero. */
export function sweepValue(point: SweepCurve['points'][number], part: SweepPart): number | null {
  if (part === 'completed') return point[1];
  if (part === 'good') return point[2];
  const ms = point[3];
  return ms === null || ms <= 0 ? null : ms;
}

/** The point under the pointer. */
export function sweepTip(params: unknown, format: (value: number | null) => string): string {
  const {
    seriesName = '',
    color = '',
    value,
  } = params as {
    seriesName?: string;
    color?: string;
    value?: readonly (number | null)[];
  };
  const [offered = null, amount = null] = value ?? [];
  const load = `at ${formatNumber(offered)} requests/s offered`;
  return `${swatch(color)}${escapeHtml(seriesName)} <b>${format(amount)}</b><br>${load}`;
}
