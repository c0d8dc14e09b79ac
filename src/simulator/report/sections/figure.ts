import { html, trusted, type Html, type HtmlPart } from '../page/html.ts';
import { drawSvg } from '../page/library.ts';
import type { PlotChoice, PlotData, PlotRef, PlotTheme } from '../plots/plot-data.ts';
import { plotOption } from '../plots/plot-option.ts';

/** Still images are drawn once and take the page's colours, light or dark, by name. */
const STILL_THEME: PlotTheme = Object.freeze({
  ink: 'var(--ink)',
  muted: 'var(--muted)',
  rule: 'var(--rule)',
  surface: 'var(--surface)',
  palette: Array.from({ length: 8 }, (_, index) => `var(--c${index})`),
  ramp: Array.from({ length: 4 }, (_, index) => `var(--r${index})`),
  isNarrow: false,
  isStatic: true,
});

const STILL_CHOICE: PlotChoice = Object.freeze({ hidden: [], heatMetric: 'picks' });

/** A plot in its place: drawn by the script, with a still image for print and without scripts. */
export interface FigureContent {
  readonly ref: PlotRef;
  readonly title: string | null;
  /** What is seen, for those who do not see it. */
  readonly label: string;
  /** How to read it, in one sentence. */
  readonly caption: string;
  /** Pixels. */
  readonly height: number;
  readonly still: HtmlPart;
}

/** The figure; `ref` goes into `data-` attributes, which the page's script reads. */
export function figureOf({ ref, title, label, caption, height, still }: FigureContent): Html {
  const index = 'index' in ref ? ref.index : 0;
  const part = 'part' in ref ? html` data-part="${ref.part}"` : null;
  return html`<figure data-plot="${ref.kind}" data-index="${index}" ${part} data-label="${label}">
    ${title === null ? null : html`<h3>${title}</h3>`}
    <div class="live" role="img" aria-label="${label}" style="height:${height}px"></div>
    <div class="still">${still}</div>
    <figcaption>${caption.replaceAll(/\s+/g, ' ')}</figcaption>
  </figure>`;
}

/** The plot as an image that needs no script. */
export function stillOf(
  data: PlotData,
  ref: PlotRef,
  image: { readonly width: number; readonly height: number; readonly label: string },
): Html {
  const { width, height, label } = image;
  const idPrefix = [ref.kind, 'index' in ref ? ref.index : '', 'part' in ref ? ref.part : ''].join(
    '',
  );
  const svg = drawSvg(plotOption(data, ref, STILL_THEME, STILL_CHOICE), {
    width,
    height,
    idPrefix,
  });
  return html`${trusted(svg.replace('<svg ', `<svg role="img" aria-label="${html`${label}`.text}" `))}`;
}
