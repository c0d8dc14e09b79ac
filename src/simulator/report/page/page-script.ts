import * as frame from '../plots/frame.ts';
import * as heat from '../plots/heat-option.ts';
import * as latency from '../plots/latency-option.ts';
import * as plot from '../plots/plot-option.ts';
import * as sweep from '../plots/sweep-option.ts';
import * as tenant from '../plots/tenant-option.ts';
import * as timeline from '../plots/timeline-option.ts';
import * as format from './format.ts';
import { escapeHtml } from './html.ts';
import * as start from './start-page.ts';

/**
 * The functions that make up the page's script, under their names. The page carries their text, as
 * the engine gives it back: what draws the still images and what draws in the page is one code,
 * checked and tested as all other code is, without a bundler. The price: each function may use its
 * arguments, globals that browsers have too, and functions of this list by their own names. A test
 * runs them all from their text.
 */
export function pageFunctions(): ReadonlyMap<string, () => void> {
  const modules = [frame, heat, latency, plot, sweep, tenant, timeline, format, start];
  const functions = modules.flatMap((module) => Object.entries(module as Record<string, unknown>));
  const all = [...functions, ['escapeHtml', escapeHtml] as const];
  return new Map(
    all.flatMap(([name, value]) =>
      typeof value === 'function' ? [[name, value as () => void] as const] : [],
    ),
  );
}

/** The page's own script: the functions above and the call that starts it. */
export function pageScript(): string {
  const functions = [...pageFunctions().values()].map(String).join('\n');
  return `'use strict';(() => {\n${functions}\nstartPage(globalThis);\n})();`;
}
