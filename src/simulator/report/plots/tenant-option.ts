import { formatMs, formatMsTick, formatNumber } from '../page/format.ts';
import { escapeHtml } from '../page/html.ts';
import { axisOption, baseOption, gridOption, keepEnd, lineColor, swatch } from './frame.ts';
import { tooltipOption } from './frame.ts';
import type { PlotChoice, PlotData, PlotOption, PlotTheme, TenantPart } from './plot-data.ts';

/** One mark per run in each tenant's row. */
export function tenantOption(
  data: PlotData,
  part: TenantPart,
  theme: PlotTheme,
  choice: PlotChoice,
): PlotOption {
  const plot = data.tenants;
  if (plot === null) return baseOption(theme);
  const runs = plot.runs.filter(({ line }) => !choice.hidden.includes(line));
  const isTime = part === 'ttft';
  const longest = plot.tenants.reduce((most, name) => Math.max(most, name.length), 0);
  const left = Math.min(theme.isNarrow ? 96 : 170, 24 + longest * 6.5);
  const mostLetters = Math.floor((left - 18) / 6.2);
  const format = isTime ? formatMs : (value: number | null) => `${formatNumber(value)} %`;
  return {
    ...baseOption(theme),
    grid: gridOption({ top: 10, right: 24, bottom: 30, left }),
    xAxis: axisOption(theme, {
      type: isTime ? 'log' : 'value',
      ...(isTime ? {} : { min: 0, max: 100 }),
      axisLabel: { formatter: (value: number) => (isTime ? formatMsTick(value) : format(value)) },
    }),
    yAxis: axisOption(theme, {
      type: 'category',
      inverse: true,
      data: plot.tenants,
      axisLabel: { interval: 0, formatter: (name: string) => keepEnd(name, mostLetters) },
    }),
    tooltip: tooltipOption(theme, {
      trigger: 'item',
      formatter: (params: unknown) => tenantTip(plot.tenants, params, format),
    }),
    series: runs.map((run) => {
      const style = data.lines[run.line];
      const values = isTime ? run.ttftP90Ms : run.good;
      return {
        name: style?.name ?? '',
        type: 'scatter',
        symbol: style?.symbol ?? 'circle',
        symbolSize: 11,
        itemStyle: { color: style === undefined ? theme.ink : lineColor(style, theme) },
        emphasis: { disabled: true },
        data: values.flatMap((value, row) => {
          const isShown = value !== null && !(isTime && value <= 0);
          return isShown ? [[value, row]] : [];
        }),
      };
    }),
  };
}

/** Height of the whole plot in pixels. */
export function tenantHeight(tenants: number): number {
  return 50 + 28 * tenants;
}

/** The mark under the pointer. */
export function tenantTip(
  tenants: readonly string[],
  params: unknown,
  format: (value: number | null) => string,
): string {
  const {
    seriesName = '',
    color = '',
    value,
  } = params as {
    seriesName?: string;
    color?: string;
    value?: readonly number[];
  };
  const [amount = 0, row = 0] = value ?? [];
  const name = escapeHtml(tenants[row] ?? '');
  return `${name}<br>${swatch(color)}${escapeHtml(seriesName)} <b>${format(amount)}</b>`;
}
