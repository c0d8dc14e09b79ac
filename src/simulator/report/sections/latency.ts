import type { Latency } from '../outcome.ts';
import { html, type Html } from '../page/html.ts';
import type { LatencyPlot, PlotData, PlotRef } from '../plots/plot-data.ts';
import { figureOf, stillOf } from './figure.ts';
import { legendOf } from './legend.ts';
import { sectionOf } from './section.ts';

const TITLES: Readonly<Record<Latency, string>> = {
  ttft: 'Time to first token (TTFT)',
  tpot: 'Time per output token (TPOT)',
  itl: 'Gaps between tokens (ITL)',
  e2e: 'Whole request',
};

/** Distributions of the latencies, all runs in one plot each. Null when nothing was answered. */
export function latencySection(data: PlotData): Html | null {
  if (data.latencies.length === 0) return null;
  const shown = [...new Set(data.latencies.flatMap(({ curves }) => curves.map((c) => c.line)))];
  shown.sort((left, right) => left - right);
  return sectionOf({
    id: 'latency',
    title: 'Latency distributions',
    lead: `Each curve says which share of a policy’s requests was at least this fast: further to
      the left and steeper is better. The axis of time is logarithmic.`,
    body: html`${legendOf(data.lines, shown)}
      <div class="pair">
        ${data.latencies.map((plot, index) => latencyFigure(data, plot, index))}
      </div>`,
  });
}

function latencyFigure(data: PlotData, plot: LatencyPlot, index: number): Html {
  const title = TITLES[plot.latency];
  const names = plot.curves.map(({ line }) => data.lines[line]?.name ?? '').join(', ');
  const label = `Cumulative distribution of ${title} for ${names}`;
  const ref: PlotRef = { kind: 'latency', index };
  const of = plot.latency === 'itl' ? 'gaps' : 'requests';
  const objective =
    plot.objectiveMs === null
      ? ''
      : ' Where a curve crosses the dashed upright line, its height is the share within the objective.';
  const hasMeasured = plot.curves.some(({ line }) => data.lines[line]?.isMeasured === true);
  const measured = hasMeasured
    ? ' Thick lines with marks are measured and straight between the percentiles that were reported.'
    : '';
  return figureOf({
    ref,
    title,
    label,
    caption: `Height: share of ${of} at most this slow.${objective}${measured}`,
    height: 270,
    still: stillOf(data, ref, { width: 560, height: 270, label }),
  });
}
