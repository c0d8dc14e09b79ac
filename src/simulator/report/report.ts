import { createHash } from 'node:crypto';
import { outcomesOfMeasurements, outcomesOfRuns } from './outcome.ts';
import { html, jsonBlock, scriptOf, trusted, type Html } from './page/html.ts';
import { readLibraryScript } from './page/library.ts';
import { pageScript } from './page/page-script.ts';
import { buildPlotData } from './plots/build-plot-data.ts';
import type { PlotData } from './plots/plot-data.ts';
import type { ReportInput } from './report-input.ts';
import { comparisonSection } from './sections/comparison.ts';
import { endpointsSection } from './sections/endpoints.ts';
import { fairnessSection } from './sections/fairness.ts';
import { latencySection } from './sections/latency.ts';
import { measuredSection } from './sections/measured.ts';
import { bannerOf, glossaryOf, openingOf, summarySection } from './sections/opening.ts';
import { overTimeSection } from './sections/over-time.ts';
import { saturationSection } from './sections/saturation.ts';
import { sizingSection } from './sections/sizing.ts';
import { STYLES } from './sections/styles.ts';

export type { NamedMeasurement, ReportInput } from './report-input.ts';

/**
 * A whole page about runs: text, tables and plots, with everything in it that it needs. Equal input
 * gives equal text. All texts of the input are escaped. Reads the plotting library's file.
 */
export function renderReport(input: ReportInput): string {
  const simulated = outcomesOfRuns(input.runs);
  const outcomes = [...simulated, ...outcomesOfMeasurements(input.measured, simulated)];
  const data = buildPlotData(outcomes, input.sweeps);
  const parts = [
    openingOf(input),
    bannerOf(outcomes),
    summarySection(outcomes, input),
    sizingSection(input.sizes),
    comparisonSection(outcomes, data.lines),
    latencySection(data),
    saturationSection(data, input.sweeps),
    overTimeSection(data),
    fairnessSection(data, outcomes),
    endpointsSection(outcomes),
    measuredSection(input.measured),
    glossaryOf(),
  ];
  return pageOf(input, parts, hasPlots(data) ? data : null).text;
}

function hasPlots({ latencies, sweeps, timelines, tenants }: PlotData): boolean {
  return latencies.length + sweeps.length + timelines.length > 0 || tenants !== null;
}

/** The page around its parts. Without plots it carries no scripts. */
function pageOf(input: ReportInput, parts: readonly (Html | null)[], data: PlotData | null): Html {
  const scripts = data === null ? [] : [readLibraryScript(), pageScript()];
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${contentPolicy(scripts)}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="no-referrer" />
        <title>${input.title}</title>
        <style>
          ${trusted(STYLES)}
        </style>
      </head>
      <body>
        <main>${parts.map((part) => (part === null ? null : html`${part} `))}</main>
        ${
          data === null
            ? null
            : html`<script type="application/json" id="plot-data">
                ${jsonBlock(data)}
              </script>`
        }
        ${scripts.map(scriptOf)}
      </body>
    </html> `;
}

/**
 * Nothing is loaded, and only these very scripts run, whatever the input may have smuggled in.
 * Styles are open because tooltips of the library set styles on their elements.
 */
function contentPolicy(scripts: readonly string[]): string {
  const hashes = scripts.map(
    (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`,
  );
  const allowed = hashes.length === 0 ? "'none'" : hashes.join(' ');
  return [
    "default-src 'none'",
    `script-src ${allowed}`,
    "style-src 'unsafe-inline'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}
