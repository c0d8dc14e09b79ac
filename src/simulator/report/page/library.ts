import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { init } from 'echarts';
import type { PlotOption } from '../plots/plot-data.ts';

/**
 * The library's own build for pages. Both sides use this one file, so what is drawn here and what
 * the page draws come from the same code, and one file loads ten times faster than its modules.
 */
const SCRIPT = 'echarts/dist/echarts.min.js';

/** The library's minified text, as a page carries it. Reads a file. */
export function readLibraryScript(): string {
  return readFileSync(createRequire(import.meta.url).resolve(SCRIPT), 'utf8');
}

/** Draws options as SVG of the given size in pixels, `idPrefix` before each of its ids. */
export function drawSvg(
  option: PlotOption,
  size: { readonly width: number; readonly height: number; readonly idPrefix: string },
): string {
  const library = createRequire(import.meta.url)(SCRIPT) as { readonly init: typeof init };
  const { width, height, idPrefix } = size;
  const chart = library.init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    chart.setOption(option);
    return tidySvg(chart.renderToSVGString(), idPrefix);
  } finally {
    chart.dispose();
  }
}

/**
 * Takes out what serves the library's own pointer handling, and numbers that count the drawings of
 * this process: the same options give the same text, whatever was drawn before.
 */
function tidySvg(svg: string, idPrefix: string): string {
  return svg
    .replaceAll(/<style[\s\S]*?<\/style>/g, '')
    .replaceAll(/ (?:class="zr\d+-cls-\d+"|ecmeta_\w+="[^"]*"|pointer-events="\w+")/g, '')
    .replaceAll(/zr\d+-/g, `${idPrefix}-`)
    .replace('xmlns:xlink="http://www.w3.org/1999/xlink" ', '')
    .replace(/<svg width="\d+" height="\d+"/, '<svg')
    .replaceAll(/>\n+</g, '><');
}
