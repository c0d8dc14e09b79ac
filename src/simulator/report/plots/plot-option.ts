import { heatOption } from './heat-option.ts';
import { latencyOption } from './latency-option.ts';
import type { PlotChoice, PlotData, PlotOption, PlotRef, PlotTheme } from './plot-data.ts';
import { sweepOption } from './sweep-option.ts';
import { tenantOption } from './tenant-option.ts';
import { timelineOption } from './timeline-option.ts';

/** Options of any plot for the library, the same on the server and in the page. */
export function plotOption(
  data: PlotData,
  ref: PlotRef,
  theme: PlotTheme,
  choice: PlotChoice,
): PlotOption {
  switch (ref.kind) {
    case 'latency':
      return latencyOption(data, ref.index, theme, choice);
    case 'timeline':
      return timelineOption(data, ref.index, theme);
    case 'heat':
      return heatOption(data, ref.index, theme, choice);
    case 'sweep':
      return sweepOption(data, ref, theme, choice);
    case 'tenants':
      return tenantOption(data, ref.part, theme, choice);
  }
}
