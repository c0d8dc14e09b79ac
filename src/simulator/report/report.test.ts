import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { renderReport } from './report.ts';
import {
  sketchInput,
  sketchMeasurement,
  sketchRun,
  sketchSize,
  sketchSweep,
} from './testing/report-inputs.ts';

const SECTIONS = [
  'summary',
  'sizing',
  'comparison',
  'latency',
  'saturation',
  'over-time',
  'fairness',
  'endpoints',
  'measured',
];

function sectionsOf(page: string): string[] {
  return [...page.matchAll(/<section id="([^"]+)"/g)].map(([, id = '']) => id);
}

/** The page without the plotting library's text, which is not ours. */
function ownText(page: string): string {
  return page.replaceAll(/<script>(?!'use strict')[\s\S]*?<\/script>/g, '');
}

/** Like `doesNotMatch`, without the whole page in the message. */
function assertLacks(text: string, pattern: RegExp): void {
  const found = pattern.exec(text);
  const around = text.slice(Math.max(0, (found?.index ?? 0) - 60), (found?.index ?? 0) + 60);
  assert.ok(found === null, `${String(pattern)} in ${around}`);
}

/** What a reader sees: no markup, scripts, data or styles. */
function visibleText(page: string): string {
  return page.replaceAll(/<(script|style)[\s\S]*?<\/\1>/g, '').replaceAll(/<[^>]*>/g, '\n');
}

test('a full input gives every part, in order', () => {
  assert.deepEqual(sectionsOf(renderReport(sketchInput())), SECTIONS);
});

test('parts without data are left out', () => {
  const oneRun = sketchInput({ runs: [sketchRun({ policy: 'a', tenants: 1 })] });
  const ids = sectionsOf(renderReport({ ...oneRun, sweeps: [], sizes: [], measured: [] }));
  assert.deepEqual(ids, ['summary', 'comparison', 'latency', 'over-time', 'endpoints']);

  const sweepsOnly = renderReport(sketchInput({ runs: [], sizes: [], measured: [] }));
  assert.deepEqual(sectionsOf(sweepsOnly), ['summary', 'saturation']);

  const measuredOnly = renderReport(sketchInput({ runs: [], sweeps: [], sizes: [] }));
  assert.deepEqual(sectionsOf(measuredOnly), ['summary', 'comparison', 'latency', 'measured']);
});

test('without anything to plot there is a page without scripts', () => {
  const page = renderReport(sketchInput({ runs: [], sweeps: [], sizes: [], measured: [] }));
  assert.deepEqual(sectionsOf(page), []);
  assert.ok(/script-src &#39;none&#39;/.test(page));
  assertLacks(page, /<script/);
  assert.ok(/Which policy for the chat fleet\?/.test(page));
});

test('texts from outside are escaped wherever they appear', () => {
  const evil = '</script><script>alert(1)</script>"\'<img src=x onerror=alert(2)>';
  const run = sketchRun({ policy: evil, status: 'interrupted' });
  const [endpoint] = run.endpoints;
  const [tenant] = run.fairness.tenants;
  const report = sketchMeasurement();
  const failures = { ...report.failures, by_label: { [evil]: { count: 1, messages: [] } } };
  const page = renderReport({
    title: evil,
    subtitle: evil,
    settings: [[evil, evil]],
    runs: [
      {
        ...run,
        reason: evil,
        endpoints: [{ ...endpoint!, name: evil, profile: evil }, ...run.endpoints.slice(1)],
        fairness: {
          ...run.fairness,
          tenants: [{ ...tenant!, tenant: evil }, ...run.fairness.tenants.slice(1)],
        },
      },
    ],
    sweeps: [sketchSweep(evil, 20, evil)],
    sizes: [{ ...sketchSize(evil, null), reason: evil }],
    measured: [{ name: evil, report: { ...report, failures } }],
  });
  assertLacks(page, /<script>alert/);
  assertLacks(page, /<img src=x/);
  assert.equal(page.match(/<script/g)?.length, 3, 'the library, the data, our own script');
  assert.equal(page.match(/<\/script>/g)?.length, 3);
  assert.ok(page.includes('&lt;img src=x onerror=alert(2)&gt;'));
});

test('its policy allows exactly the scripts that it carries', () => {
  const page = renderReport(sketchInput());
  const scripts = [...page.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(([, text = '']) => text);
  assert.equal(scripts.length, 2);
  const policy = /Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1] ?? '';
  for (const text of scripts) {
    const hash = createHash('sha256').update(text).digest('base64');
    assert.ok(policy.includes(`&#39;sha256-${hash}&#39;`), 'a script whose hash is not allowed');
  }
  assert.match(policy, /^default-src &#39;none&#39;;/);
  assert.doesNotMatch(policy, /unsafe-eval|script-src[^;]*unsafe-inline|https?:/);
});

test('it refers to nothing outside of itself', () => {
  const page = renderReport(sketchInput());
  const own = new Set(ownText(page).match(/https?:\/\/[^"'\s<)]*/g));
  assert.deepEqual([...own], ['http://www.w3.org/2000/svg']);
  assertLacks(ownText(page), /<link|@import|url\((?!#)|srcset|<iframe|<object/);
  // The library names namespaces and its licenses; none of them is ever fetched.
  const all = new Set(page.match(/https?:\/\/[^/"'\s)]*/g));
  const known = ['http://www.apache.org', 'http://www.w3.org', 'https://github.com'];
  assert.deepEqual([...all].sort(), known);
});

test('equal input gives equal text, whatever was drawn before', () => {
  const first = renderReport(sketchInput());
  renderReport(sketchInput({ runs: [sketchRun({ policy: 'other', endpoints: 3 })] }));
  assert.equal(renderReport(sketchInput()), first);
});

test('a run that answered nothing shows dashes and no NaN', () => {
  const runs = [
    sketchRun({ policy: 'nothing', isEmpty: true, status: 'out_of_time' }),
    sketchRun({ policy: 'no samples', samples: 0 }),
  ];
  assert.ok(visibleText(renderReport(sketchInput({ runs }))).includes('–'));
  for (const chosen of [runs, runs.slice(0, 1)]) {
    const page = renderReport(sketchInput({ runs: chosen, sweeps: [], sizes: [], measured: [] }));
    assertLacks(visibleText(page), /NaN|undefined|Infinity|null|\[object/);
    assertLacks(ownText(page).replace(/<script>'use strict'[\s\S]*/, ''), /NaN|undefined/);
  }
});

test('runs that did not finish are named on top, with the reason', () => {
  const runs = [
    sketchRun({ policy: 'good' }),
    sketchRun({ policy: 'flooded', status: 'saturated' }),
    sketchRun({ policy: 'stopped', status: 'interrupted', ttftMs: 1 }),
  ];
  const text = visibleText(renderReport(sketchInput({ runs })));
  assert.ok(/Not every run finished/.test(text));
  assert.ok(/flooded\s+: saturated \(more requests were under way than 20,000\)/.test(text));
  assert.ok(/stopped\s+: interrupted/.test(text));
  assert.ok(
    text.includes('good and flooded answer 93.8'),
    'a run that was cut short is not ranked',
  );
  assert.doesNotMatch(
    visibleText(renderReport(sketchInput({ runs: runs.slice(0, 1) }))),
    /Not every/,
  );
});

test('a search for fleets is told in words, with what was found and what was tried', () => {
  const sizes = [sketchSize('h100', 7), sketchSize('a100', 14), sketchSize('l4', null)];
  const page = renderReport(sketchInput({ runs: [], sweeps: [], measured: [], sizes }));
  assert.deepEqual(sectionsOf(page), ['summary', 'sizing']);
  const text = visibleText(page);
  assert.ok(text.includes('The objective is met by 7 × h100, or 14 × a100.'));
  assert.ok(text.includes('The cheapest is h100 at $48.16 an hour.'));
  assert.ok(/meet ttft-p99 at most 1\s+s with every seed/.test(text));
  assert.ok(/l4\s+: 64 replicas miss it/.test(text));
  assert.ok(/h100: counts that were tried/.test(text));
  assertLacks(text, /NaN|undefined|Infinity/);
});

test('the best of a column is marked for the eye and in words', () => {
  const page = renderReport(sketchInput());
  const row = /<tr>\s*<th scope="row">(?:(?!<\/tr>)[\s\S])*?soonest[\s\S]*?<\/tr>/.exec(page)?.[0];
  assert.match(
    row ?? '',
    /<td class="best">94.6\u00a0%<span class="unseen"> \(best\)<\/span><\/td>/,
  );
  const measured = /<tr>\s*<th scope="row">(?:(?!<\/tr>)[\s\S])*?staging[\s\S]*?<\/tr>/.exec(
    page,
  )?.[0];
  assert.doesNotMatch(measured ?? '<td class="best">', /class="best"/);
});

test('every plot has a text for those who do not see it, and tables have heads with a scope', () => {
  const page = ownText(renderReport(sketchInput()));
  const plots = [...page.matchAll(/<div\s+class="live"[^>]*>/g)].map(([tag]) => tag);
  assert.equal(plots.length, 4 + 3 + 2 + 2);
  for (const tag of plots) assert.match(tag, /role="img" aria-label="[^"]{10,}"/);
  for (const [tag] of page.matchAll(/<img[^>]*>/g)) assert.match(tag, /alt="[^"]{10,}"/);
  for (const [tag] of page.matchAll(/<th(?=[\s>])[^>]*>/g)) assert.match(tag, /scope="/);
  const inputs = [...page.matchAll(/<input[^>]*>/g)];
  assert.equal(inputs.length, 4 + 4, 'a choice per policy and per metric');
});

test('100 endpoints, 600 samples and 5 policies stay below 2.5 MB', () => {
  const runs = ['a', 'b', 'c', 'd', 'e'].map((policy, index) =>
    sketchRun({ policy, ttftMs: 150 + 200 * index, endpoints: 100, samples: 600, tenants: 30 }),
  );
  const page = renderReport(sketchInput({ runs }));
  const size = Buffer.byteLength(page);
  assert.ok(size < 2_500_000, `${size} bytes`);
  assert.ok(page.includes('Shown are the 16 busiest of 30 tenants'));
});

test('14 policies each have a look of their own', () => {
  const runs = Array.from({ length: 14 }, (_, index) => sketchRun({ policy: `policy-${index}` }));
  const page = renderReport(sketchInput({ runs, sweeps: [], sizes: [], measured: [] }));
  const data = /id="plot-data">([\s\S]*?)<\/script>/.exec(page)?.[1] ?? '';
  const { lines } = JSON.parse(data) as { lines: { color: number; dash: string }[] };
  assert.equal(new Set(lines.map(({ color, dash }) => `${color} ${dash}`)).size, 14);
  assert.ok(Buffer.byteLength(page) < 2_500_000);
});
