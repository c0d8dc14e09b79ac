// What runs inside the page. See page/page-script.ts for how it gets there and what that forbids:
// these functions use their arguments and functions of the same list, nothing else.

import { heatHeight } from '../plots/heat-option.ts';
import type { PlotChoice, PlotData, PlotRef, PlotTheme, SweepPart } from '../plots/plot-data.ts';
import type { SeriesMetric, TenantPart } from '../plots/plot-data.ts';
import { plotOption } from '../plots/plot-option.ts';
import type { PageChart, PageElement, PageWindow } from './page-window.ts';

/** A plot that is drawn in the page. */
export interface OpenPlot {
  readonly figure: PageElement;
  readonly surface: PageElement;
  readonly chart: PageChart;
}

/** What the script keeps: what is open, and what the reader has chosen. */
export interface PageState {
  readonly page: PageWindow;
  readonly data: PlotData;
  readonly plots: readonly OpenPlot[];
  choice: PlotChoice;
}

/** Draws every plot and makes the page's controls work. Without it the page shows still images. */
export function startPage(page: PageWindow): void {
  const { document } = page;
  const text = document.getElementById('plot-data')?.textContent ?? 'null';
  const data = JSON.parse(text) as PlotData | null;
  if (data === null) return;
  document.documentElement.classList.add('has-script');
  const plots = [...document.querySelectorAll('[data-plot]')].flatMap((figure) => {
    const surface = figure.querySelector('.live');
    if (surface === null) return [];
    sizeSurface(figure, surface, data);
    return [{ figure, surface, chart: page.echarts.init(surface) }];
  });
  const state: PageState = { page, data, plots, choice: { hidden: [], heatMetric: 'picks' } };
  drawAll(state);
  connectControls(state);
  watchLooks(state);
}

/** Draws all plots anew: after a choice, or when colours have changed. */
export function drawAll(state: PageState): void {
  for (const plot of state.plots) drawPlot(state, plot);
}

/** Draws one plot with what is chosen now. */
export function drawPlot(state: PageState, plot: OpenPlot): void {
  const theme = readTheme(state.page, plot.surface.clientWidth);
  const option = plotOption(state.data, readRef(plot.figure), theme, state.choice);
  plot.chart.setOption(option, { notMerge: true });
}

/** Which plot a figure holds, from its `data-` attributes. */
export function readRef(figure: PageElement): PlotRef {
  const { plot = '', part = '', index = '0' } = figure.dataset;
  const at = Number(index);
  if (plot === 'sweep') return { kind: 'sweep', index: at, part: part as SweepPart };
  if (plot === 'tenants') return { kind: 'tenants', part: part as TenantPart };
  return { kind: plot as 'latency' | 'timeline' | 'heat', index: at };
}

/** Heat maps are as tall as their endpoints need; all others have their height from the page. */
export function sizeSurface(figure: PageElement, surface: PageElement, data: PlotData): void {
  const ref = readRef(figure);
  if (ref.kind !== 'heat') return;
  surface.style.height = `${heatHeight(data.heats[ref.index]?.endpoints.length ?? 1)}px`;
}

/** The page's colours as they are now, light or dark. */
export function readTheme(page: PageWindow, width: number): PlotTheme {
  const style = page.getComputedStyle(page.document.documentElement);
  const read = (name: string): string => style.getPropertyValue(name).trim();
  return {
    ink: read('--ink'),
    muted: read('--muted'),
    rule: read('--rule'),
    surface: read('--surface'),
    palette: [0, 1, 2, 3, 4, 5, 6, 7].map((index) => read(`--c${index}`)),
    ramp: [0, 1, 2, 3].map((index) => read(`--r${index}`)),
    isNarrow: width < 560,
    isStatic: false,
  };
}

/** Buttons of lines, switches of policy and metric. */
export function connectControls(state: PageState): void {
  const { document } = state.page;
  for (const button of document.querySelectorAll('button[data-line]')) {
    button.addEventListener('click', () => toggleLine(state, Number(button.dataset['line'])));
  }
  for (const input of document.querySelectorAll('input[name="run"]')) {
    input.addEventListener('change', () => chooseRun(state, input.value));
  }
  for (const input of document.querySelectorAll('input[name="metric"]')) {
    input.addEventListener('change', () => {
      state.choice = { ...state.choice, heatMetric: input.value as SeriesMetric };
      drawAll(state);
    });
  }
}

/** Shows or hides a line in all plots; every button of that line follows. */
export function toggleLine(state: PageState, line: number): void {
  const { hidden } = state.choice;
  const isHidden = hidden.includes(line);
  const next = isHidden ? hidden.filter((other) => other !== line) : [...hidden, line];
  state.choice = { ...state.choice, hidden: next };
  for (const button of state.page.document.querySelectorAll(`button[data-line="${line}"]`)) {
    button.setAttribute('aria-pressed', String(isHidden));
  }
  drawAll(state);
}

/** Shows another run over time. */
export function chooseRun(state: PageState, index: string): void {
  for (const plot of state.plots) {
    const { kind } = readRef(plot.figure);
    if (kind !== 'timeline' && kind !== 'heat') continue;
    plot.figure.dataset['index'] = index;
    const runs = kind === 'heat' ? state.data.heats : state.data.timelines;
    const name = state.data.lines[runs[Number(index)]?.line ?? 0]?.name ?? '';
    plot.surface.setAttribute('aria-label', `${plot.figure.dataset['label'] ?? ''} of ${name}`);
    sizeSurface(plot.figure, plot.surface, state.data);
    plot.chart.resize();
    drawPlot(state, plot);
  }
}

/** Follows the window's size and the system's choice between light and dark. */
export function watchLooks(state: PageState): void {
  const { page } = state;
  for (const plot of state.plots) {
    let lastWidth = plot.surface.clientWidth;
    const observer = new page.ResizeObserver(() => {
      const { clientWidth } = plot.surface;
      // A surface without width is hidden, as in print.
      if (clientWidth === lastWidth || clientWidth === 0) return;
      lastWidth = clientWidth;
      plot.chart.resize();
      drawPlot(state, plot);
    });
    observer.observe(plot.surface);
  }
  page.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => drawAll(state));
}
