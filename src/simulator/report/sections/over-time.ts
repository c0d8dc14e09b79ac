import { heatImageUrl } from '../page/heat-image.ts';
import { formatClock, formatNumber } from '../page/format.ts';
import { html, type Html } from '../page/html.ts';
import { heatHeight, metricTitle } from '../plots/heat-option.ts';
import type { HeatPlot, PlotData, PlotRef } from '../plots/plot-data.ts';
import { SERIES_METRICS } from '../plots/series-data.ts';
import { figureOf, stillOf } from './figure.ts';
import { lineSample } from './legend.ts';
import { sectionOf } from './section.ts';
import { PRINT_RAMP } from './styles.ts';

const LIVE_HEIGHT = 546;
const STILL_HEIGHT = 380;

/** Queue, running requests, KV use and picks over time, a run at a time. Null without samples. */
export function overTimeSection(data: PlotData): Html | null {
  if (data.timelines.length === 0) return null;
  const isRange = data.timelines.some(({ kind }) => kind === 'range');
  return sectionOf({
    id: 'over-time',
    title: 'Endpoints over time',
    lead: `One policy at a time; the axes and the colours of the heat map are the same for all
      policies, so that they can be compared.`,
    body: html`${runSwitch(data)}
    ${figureOf({
      ref: { kind: 'timeline', index: 0 },
      title: null,
      label: 'Waiting and running requests and KV cache use over time',
      caption: isRange
        ? `The band reaches from the lowest to the highest endpoint, the line in the middle is the median: a wide
       band means that some endpoints are loaded while others are not. Drag the ends of the bar to
       zoom.`
        : `A line per endpoint: lines that stay together mean that the load is spread evenly. Drag the
       ends of the bar to zoom.`,
      height: LIVE_HEIGHT,
      still: data.timelines.map((_, index) => timelineStill(data, index)),
    })}
    ${heatFigure(data)}`,
  });
}

/** Null for one run. */
function runSwitch(data: PlotData): Html | null {
  if (data.timelines.length < 2) return null;
  const choices = data.timelines.map(({ line }, index) => {
    const look = data.lines[line];
    const sample = look === undefined ? null : lineSample(look);
    return html`<label
      >${choice('run', String(index), index === 0)}<span>${sample}${look?.name ?? ''}</span></label
    >`;
  });
  return html`<fieldset class="switch">
    <legend>Policy</legend>
    ${choices}
  </fieldset>`;
}

function choice(name: string, value: string, isChosen: boolean): Html {
  const checked = isChosen ? html` checked` : null;
  return html`<input type="radio" name="${name}" value="${value}" autocomplete="off" ${checked} />`;
}

function timelineStill(data: PlotData, index: number): Html {
  const name = data.lines[data.timelines[index]?.line ?? 0]?.name ?? '';
  const ref: PlotRef = { kind: 'timeline', index };
  const label = `Waiting and running requests and KV cache use over time of ${name}`;
  return html`<h4>${name}</h4>
    ${stillOf(data, ref, { width: 960, height: STILL_HEIGHT, label })}`;
}

function heatFigure(data: PlotData): Html {
  const first = data.heats[0];
  const metrics = SERIES_METRICS.map(
    (metric, index) =>
      html`<label
        >${choice('metric', metric, index === 0)}<span>${metricTitle(metric)}</span></label
      >`,
  );
  return html`<h3>Decision heat map</h3>
    <fieldset class="switch">
      <legend>Colour</legend>
      ${metrics}
    </fieldset>
    ${figureOf({
      ref: { kind: 'heat', index: 0 },
      title: null,
      label: 'Heat map of endpoints by time',
      caption: `A row per endpoint, time from left to right: stripes that run down mean that all
    endpoints are picked alike, single strong cells are herds, a strong row is an endpoint that is
    preferred.`,
      height: heatHeight(first?.endpoints.length ?? 1),
      still: data.heats.map((heat) => heatStill(data, heat)),
    })}`;
}

/** Picks as a picture, with the ends of its axes in words. */
function heatStill(data: PlotData, heat: HeatPlot): Html {
  const name = data.lines[heat.line]?.name ?? '';
  const highest = Math.round(data.heatMax.picks / data.heatScale.picks);
  const cells = Buffer.from(heat.cells.picks, 'base64');
  const url = heatImageUrl({ cells, columns: heat.columns, highest, ramp: PRINT_RAMP });
  const height = Math.min(420, Math.max(60, heat.endpoints.length * 12));
  const last = heat.endpoints.length > 1 ? ` to ${heat.endpoints.at(-1) ?? ''} (bottom)` : '';
  const words = `${heat.endpoints[0] ?? ''} (top)${last}, 0 s to ${formatClock(
    heat.columns * heat.columnSeconds,
  )}; darkest: ${formatNumber(data.heatMax.picks)} picks in ${formatClock(heat.columnSeconds)}`;
  return html`<h4>${name}: requests picked</h4>
    <img
      class="heat"
      src="${url}"
      alt="Requests picked by endpoint and time under ${name}"
      style="height:${height}px"
    />
    <p class="fine">${words}</p>`;
}
