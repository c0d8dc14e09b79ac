import type { SweepResult } from '../../lab/sweep.ts';
import { formatNumber, formatShareCell } from '../page/format.ts';
import { html, type Html } from '../page/html.ts';
import type { PlotData, PlotRef, SweepCurve, SweepPart, SweepPlot } from '../plots/plot-data.ts';
import { figureOf, stillOf } from './figure.ts';
import { legendOf, lineSample } from './legend.ts';
import { sectionOf } from './section.ts';
import { tableOf, timeColumn, type NumberColumn } from './table.ts';

interface PartText {
  readonly part: SweepPart;
  readonly title: string;
  readonly caption: string;
}

const PARTS: readonly PartText[] = [
  {
    part: 'completed',
    title: 'Completed requests/s',
    caption: 'A curve that leaves the diagonal has reached what its endpoints can do.',
  },
  {
    part: 'good',
    title: 'Good requests/s',
    caption: 'Answers within the objective: past its peak, more load gives less of use.',
  },
  {
    part: 'ttft',
    title: 'p90 time to first token',
    caption: 'Flat while there is room; it climbs where requests begin to queue.',
  },
];

/** Saturation curves per workload with their knees. Null without sweeps. */
export function saturationSection(data: PlotData, sweeps: readonly SweepResult[]): Html | null {
  if (data.sweeps.length === 0) return null;
  const shown = [...new Set(data.sweeps.flatMap(({ curves }) => curves.map((c) => c.line)))];
  return sectionOf({
    id: 'saturation',
    title: 'Saturation',
    lead: `The same traffic at rising rates. The ring marks the knee: the last load that a policy
      kept up with. A curve without a ring never saturated, or was saturated from the start.`,
    body: html`${legendOf(data.lines, shown)}${data.sweeps.map((plot, index) =>
      workloadPlots(data, plot, index),
    )}${pointTables(data, sweeps)}`,
  });
}

function workloadPlots(data: PlotData, plot: SweepPlot, index: number): Html {
  const figures = PARTS.filter(({ part }) => part !== 'ttft' || hasTtft(plot)).map((text) => {
    const ref: PlotRef = { kind: 'sweep', index, part: text.part };
    const label = `${text.title} against offered requests per second, ${plot.workload}`;
    return figureOf({
      ref,
      title: text.title,
      label,
      caption: text.caption,
      height: 260,
      still: stillOf(data, ref, { width: 420, height: 260, label }),
    });
  });
  return html`<h3>${plot.workload}</h3>
    <div class="triple">${figures}</div>`;
}

function hasTtft({ curves }: SweepPlot): boolean {
  return curves.some(({ points }) => points.some(([, , , ms]) => ms !== null && ms > 0));
}

/** A point of a curve as a row. */
interface PointRow {
  readonly curve: SweepCurve;
  readonly index: number;
  readonly goodShare: number;
}

/** The curves in figures, folded away. */
function pointTables(data: PlotData, sweeps: readonly SweepResult[]): Html {
  const tables = data.sweeps.map((plot) => {
    const own = sweeps.filter((s) => s.workload === plot.workload && s.points.length > 0);
    const rows = plot.curves.flatMap((curve, at) =>
      curve.points.map((_, index): PointRow => {
        const share = own[at]?.points[index]?.result.goodput.goodShare;
        return { curve, index, goodShare: share ?? Number.NaN };
      }),
    );
    return html`<details>
      <summary>${plot.workload} in figures</summary>
      ${tableOf({
        caption: `Saturation of ${plot.workload}`,
        rowHead: 'Policy',
        rows,
        headOf: ({ curve, index }) => pointHead(data, curve, index),
        columns: pointColumns(rows),
        isRanked: () => false,
      })}
    </details>`;
  });
  return html`${tables}`;
}

function pointHead(data: PlotData, curve: SweepCurve, index: number): Html {
  const line = data.lines[curve.line];
  const knee = curve.kneeIndex === index ? html` <span class="tag">knee</span>` : null;
  return html`${line === undefined ? null : lineSample(line)}${line?.name ?? ''}${knee}`;
}

function pointColumns(rows: readonly PointRow[]): readonly NumberColumn<PointRow>[] {
  const number = (head: string, at: 0 | 1 | 2): NumberColumn<PointRow> => ({
    group: '',
    head,
    read: ({ curve, index }) => curve.points[index]?.[at] ?? null,
    better: null,
    format: formatNumber,
  });
  return [
    number('offered req/s', 0),
    number('completed req/s', 1),
    number('good req/s', 2),
    {
      group: '',
      head: 'in objective',
      read: ({ goodShare }) => goodShare,
      better: null,
      format: formatShareCell,
    },
    timeColumn(rows, {
      head: 'p90 TTFT',
      read: ({ curve, index }) => curve.points[index]?.[3] ?? null,
    }),
  ];
}
