// The little of a browser that the page's script uses. The project is checked without the types of
// browsers, whose globals would otherwise seem to exist in all of the code.

import type { PlotOption } from '../plots/plot-data.ts';

/** An element of the page. */
export interface PageElement {
  textContent: string | null;
  hidden: boolean;
  readonly value: string;
  readonly clientWidth: number;
  readonly dataset: Record<string, string | undefined>;
  readonly style: { height: string };
  readonly classList: { add(name: string): void };
  querySelector(selector: string): PageElement | null;
  setAttribute(name: string, value: string): void;
  getAttribute(name: string): string | null;
  addEventListener(type: 'click' | 'change', listener: () => void): void;
}

/** A drawing of the plotting library. */
export interface PageChart {
  setOption(option: PlotOption, settings: { readonly notMerge: boolean }): void;
  resize(): void;
}

/** The page's global object. */
export interface PageWindow {
  readonly document: {
    readonly documentElement: PageElement;
    getElementById(id: string): PageElement | null;
    querySelectorAll(selector: string): Iterable<PageElement>;
  };
  readonly echarts: { init(element: PageElement): PageChart };
  readonly ResizeObserver: new (listener: () => void) => { observe(element: PageElement): void };
  getComputedStyle(element: PageElement): { getPropertyValue(name: string): string };
  matchMedia(query: string): { addEventListener(type: 'change', listener: () => void): void };
}
