import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createContext, runInContext, Script } from 'node:vm';
import { outcomesOfRuns } from '../outcome.ts';
import { buildPlotData } from '../plots/build-plot-data.ts';
import type { PlotChoice, PlotRef, PlotTheme } from '../plots/plot-data.ts';
import { plotOption } from '../plots/plot-option.ts';
import { sketchInput, sketchRun } from '../testing/report-inputs.ts';
import { pageFunctions, pageScript } from './page-script.ts';

const THEME: PlotTheme = {
  ink: '#111111',
  muted: '#222222',
  rule: '#333333',
  surface: '#444444',
  palette: ['#000001', '#000002', '#000003', '#000004', '#000005', '#000006', '#000007', '#000008'],
  ramp: ['#ffffff', '#aaaaaa', '#555555', '#000000'],
  isNarrow: false,
  isStatic: false,
};
const CHOICE: PlotChoice = { hidden: [1], heatMetric: 'waiting' };
const REFS: readonly PlotRef[] = [
  { kind: 'latency', index: 0 },
  { kind: 'timeline', index: 0 },
  { kind: 'timeline', index: 1 },
  { kind: 'heat', index: 0 },
  { kind: 'sweep', index: 0, part: 'completed' },
  { kind: 'sweep', index: 0, part: 'ttft' },
  { kind: 'tenants', part: 'good' },
  { kind: 'tenants', part: 'ttft' },
];

/** The page's functions from their text, in a realm that has nothing else. */
function runFromText(expression: string, globals: Record<string, unknown>): unknown {
  const text = [...pageFunctions().values()].map(String).join('\n');
  return runInContext(`'use strict';${text};(${expression})`, createContext({ atob, ...globals }));
}

function dataOf(): ReturnType<typeof buildPlotData> {
  const { sweeps, runs } = sketchInput();
  return buildPlotData(
    outcomesOfRuns([...runs, sketchRun({ policy: 'wide', endpoints: 20 })]),
    sweeps,
  );
}

/** All formatters of an option, called: what they need must be in the page as well. */
function callFormatters(value: unknown): number {
  if (typeof value === 'function') {
    const call = value as (input: unknown) => unknown;
    const tip = { axisValue: 50, dataIndex: 1, value: [1, 0, 3], seriesName: '<b>', color: 'red' };
    for (const input of [1234.5, [tip], tip]) {
      try {
        call(input);
      } catch (error) {
        // A formatter of an axis takes a number only; what it may not do is miss a function.
        assert.notEqual((error as Error).name, 'ReferenceError', (error as Error).message);
      }
    }
    return 1;
  }
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce((sum: number, item) => sum + callFormatters(item), 0);
}

test('options made from the page’s text are those made here', () => {
  const data = dataOf();
  for (const ref of REFS) {
    const globals = { data, ref, theme: THEME, choice: CHOICE };
    const inPage = runFromText('plotOption(data, ref, theme, choice)', globals);
    const here = plotOption(data, ref, THEME, CHOICE);
    assert.equal(JSON.stringify(inPage), JSON.stringify(here));
    assert.ok(callFormatters(inPage) >= 2, `${ref.kind} has formatters`);
  }
});

test('a range of many endpoints and the lines of few are both drawn', () => {
  const data = dataOf();
  const wide = data.timelines.findIndex(({ kind }) => kind === 'range');
  assert.ok(wide > 0);
  const { series } = plotOption(data, { kind: 'timeline', index: wide }, THEME, CHOICE) as {
    series: { name: string; data: [number, number][]; stack?: string }[];
  };
  assert.equal(series.length, 9, 'three lines in three strips');
  const [lowest, median, highest] = series;
  for (const [index, [, low]] of (lowest?.data ?? []).entries()) {
    const top = low + (highest?.data[index]?.[1] ?? Number.NaN);
    const middle = median?.data[index]?.[1] ?? Number.NaN;
    assert.ok(low <= middle && middle <= top + 1e-9, `${low} ${middle} ${top}`);
  }
});

test('the page’s script parses, and names from outside are escaped in tooltips', () => {
  const data = buildPlotData(outcomesOfRuns([sketchRun({ policy: '<i>x</i>' })]), []);
  const option = plotOption(data, { kind: 'latency', index: 0 }, THEME, { ...CHOICE, hidden: [] });
  const { formatter } = option['tooltip'] as { formatter: (params: unknown) => string };
  const tip = formatter([{ axisValue: 90 }]);
  assert.match(tip, /^p90: /);
  assert.ok(tip.includes('&lt;i&gt;x&lt;/i&gt;'));
  assert.ok(!tip.includes('<i>'));
  assert.doesNotThrow(() => new Script(pageScript()));
  assert.doesNotMatch(pageScript(), /<\/script|<!--|\bimport\(/);
});
