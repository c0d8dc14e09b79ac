// Parts that all plots share. Like everything in this folder these functions also run inside the
// page (see page/page-script.ts): they use their arguments and each other, nothing else.

import type { PlotLine, PlotOption, PlotTheme } from './plot-data.ts';

/** Room around the axes, in pixels. */
export interface PlotMargins {
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly left: number;
}

/** What every plot begins with. */
export function baseOption(theme: PlotTheme): PlotOption {
  return {
    animation: false,
    backgroundColor: 'transparent',
    color: theme.palette,
    textStyle: { fontFamily: 'system-ui, sans-serif', fontSize: 12, color: theme.ink },
  };
}

/** Where the axes are. */
export function gridOption(margins: PlotMargins): PlotOption {
  // Version 6 of the library would otherwise move the axes to make room for labels by itself.
  return { ...margins, outerBoundsMode: 'none' };
}

/** Looks of an axis; `own` is what is special about it. */
export function axisOption(theme: PlotTheme, own: PlotOption): PlotOption {
  const { axisLabel, ...rest } = own;
  return {
    axisLine: { show: true, lineStyle: { color: theme.rule } },
    axisTick: { show: false },
    splitLine: { show: true, lineStyle: { color: theme.rule, width: 1 } },
    nameLocation: 'middle',
    nameTextStyle: { color: theme.muted, fontSize: 12 },
    axisLabel: { color: theme.muted, fontSize: 11, hideOverlap: true, ...(axisLabel as object) },
    minorSplitLine: { show: false },
    ...rest,
  };
}

/** The box under the pointer. `own` says what it holds. */
export function tooltipOption(theme: PlotTheme, own: PlotOption): PlotOption {
  if (theme.isStatic) return { show: false };
  return {
    confine: true,
    backgroundColor: theme.surface,
    borderColor: theme.rule,
    textStyle: { color: theme.ink, fontSize: 12 },
    ...own,
  };
}

/** Colour of a run's line. */
export function lineColor(line: PlotLine, theme: PlotTheme): string {
  return theme.palette[line.color % theme.palette.length] ?? theme.ink;
}

/** Stroke of a run's line; measured runs are drawn thicker. */
export function lineStroke(line: PlotLine, theme: PlotTheme): PlotOption {
  return { color: lineColor(line, theme), width: line.isMeasured ? 3 : 2, type: line.dash };
}

/** A dot for texts of tooltips; the colour is one of our own, not from outside. */
export function swatch(color: string): string {
  const shape = 'display:inline-block;width:.7em;height:.7em;border-radius:50%';
  return `<span style="${shape};margin-right:.4em;background:${color}"></span>`;
}

/** Step between labels of an axis, about three up to `highest`: 1, 2 or 5 times 10^n. */
export function niceStep(highest: number): number {
  const rough = Math.max(highest, 1e-6) / 3;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5].find((factor) => factor * power >= rough) ?? 10;
  return step * power;
}

/** Names in a list mostly differ at their ends, so that is what is kept of long ones. */
export function keepEnd(name: string, mostLetters: number): string {
  return name.length <= mostLetters ? name : `…${name.slice(1 - mostLetters)}`;
}
