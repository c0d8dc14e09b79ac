import { html, trusted, type Html } from '../page/html.ts';
import type { PlotLine } from '../plots/plot-data.ts';

const DASH_ARRAYS = { solid: 'none', dashed: '6 3', dotted: '2 3' };

/** The lines of plots as buttons that show and hide them everywhere. Null for a single line. */
export function legendOf(lines: readonly PlotLine[], shown: readonly number[]): Html | null {
  if (shown.length < 2) return null;
  const buttons = shown.flatMap((index) => {
    const line = lines[index];
    if (line === undefined) return [];
    const note = line.isMeasured ? html` <span class="tag">measured</span>` : null;
    return [
      html`<button type="button" data-line="${index}" aria-pressed="true">
        ${lineSample(line)}${line.name}${note}
      </button>`,
    ];
  });
  return html`<div class="legend" role="group" aria-label="Lines shown">${buttons}</div>`;
}

/** A short piece of a line as the plots draw it. */
export function lineSample(line: PlotLine): Html {
  const color = `var(--c${line.color})`;
  const dash = DASH_ARRAYS[line.dash];
  const width = line.isMeasured ? 3.5 : 2.5;
  return trusted(
    `<svg class="sample" viewBox="0 0 22 10" width="22" height="10" aria-hidden="true">` +
      `<path d="M0 5H22" stroke="${color}" stroke-width="${width}" stroke-dasharray="${dash}"/>` +
      `${markOf(line, color)}</svg>`,
  );
}

function markOf({ symbol }: PlotLine, color: string): string {
  const fill = symbol === 'emptyCircle' ? 'var(--surface)' : color;
  const look = `fill="${fill}" stroke="${color}"`;
  const paths: Readonly<Record<string, string>> = {
    rect: 'M7.5 1.5h7v7h-7z',
    roundRect: 'M8.5 1.5h5l1 1v5l-1 1h-5l-1 -1v-5z',
    triangle: 'M11 1L15 9H7z',
    diamond: 'M11 0.5L15.5 5L11 9.5L6.5 5z',
    arrow: 'M11 1L15 9L11 7L7 9z',
    pin: 'M11 9.5C6 4 7.5 0.8 11 0.8C14.5 0.8 16 4 11 9.5z',
  };
  const path = paths[symbol];
  if (path === undefined) return `<circle cx="11" cy="5" r="3.5" ${look}/>`;
  return `<path d="${path}" ${look}/>`;
}
