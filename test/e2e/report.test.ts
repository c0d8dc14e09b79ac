import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { renderReport, type ReportInput } from '../../src/simulator/report/report.ts';
import { sketchInput, sketchRun } from '../../src/simulator/report/testing/report-inputs.ts';
import { findBrowser, openBrowser, type BrowserPage } from './support/browser.ts';

const BROWSER = findBrowser();
const SKIP = BROWSER === null ? 'no chromium on the PATH' : false;

/** How many surfaces have something drawn on them, and how many there are. */
const DRAWN = `(() => {
  const plots = [...document.querySelectorAll('[data-plot] .live')];
  const isPainted = (layer) => {
    const blank = document.createElement('canvas');
    [blank.width, blank.height] = [layer.width, layer.height];
    return layer.toDataURL() !== blank.toDataURL();
  };
  const isDrawn = (plot) => [...plot.querySelectorAll('canvas')].some(isPainted);
  return { plots: plots.length, drawn: plots.filter(isDrawn).length };
})()`;

/** Resolves when what was chosen before has been painted. */
const PAINTED = `new Promise((done) =>
  requestAnimationFrame(() => requestAnimationFrame(() => done(null))))`;

/** The picture of one plot: all layers that it is painted in. */
function pictureOf(plot: string): string {
  const layers = `[...document.querySelectorAll('[data-plot="${plot}"] canvas')]`;
  return `${PAINTED}.then(() => ${layers}.map((layer) => layer.toDataURL()).join())`;
}

async function openReport(
  t: TestContext,
  input: ReportInput,
  media: readonly { name: string; value: string }[] = [],
): Promise<BrowserPage> {
  const folder = await mkdtemp(path.join(tmpdir(), 'penstock-report-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'out.html');
  await writeFile(file, renderReport(input));
  const page = await openBrowser(t, BROWSER ?? '');
  await page.call('Emulation.setEmulatedMedia', { features: media });
  await page.open(pathToFileURL(file).href);
  await page.evaluate(PAINTED);
  return page;
}

test(
  'a browser draws every plot from a file, without a complaint or a request',
  { skip: SKIP },
  async (t) => {
    const page = await openReport(t, sketchInput());
    const { plots, drawn } = await page.evaluate<{ plots: number; drawn: number }>(DRAWN);
    assert.equal(plots, 11);
    assert.equal(drawn, plots);
    assert.deepEqual(page.complaints, []);
    const outside = page.requested.filter((url) => !/^(file|data):/.test(url));
    assert.deepEqual(outside, []);
    const stills = `getComputedStyle(document.querySelector('.still')).display`;
    assert.equal(await page.evaluate(stills), 'none', 'still images are for print');
  },
);

test('choices change what is drawn, by keyboard too', { skip: SKIP }, async (t) => {
  const page = await openReport(t, sketchInput());
  const picture = (plot: string): Promise<string> => page.evaluate<string>(pictureOf(plot));

  const before = await picture('latency');
  await page.evaluate(`document.querySelector('#latency button[data-line="2"]').click()`);
  const without = await picture('latency');
  assert.ok(without !== before);
  const pressed = `[...document.querySelectorAll('button[data-line="2"]')].map((b) => b.ariaPressed)`;
  assert.deepEqual([...new Set(await page.evaluate<string[]>(pressed))], ['false']);
  await page.evaluate(`document.querySelector('#fairness button[data-line="2"]').click()`);
  assert.ok((await picture('latency')) !== without);
  assert.deepEqual([...new Set(await page.evaluate<string[]>(pressed))], ['true']);

  const [heat, lines] = [await picture('heat'), await picture('timeline')];
  await page.evaluate(`document.querySelector('input[name="run"]').focus()`);
  const key = { key: 'ArrowRight', code: 'ArrowRight', windowsVirtualKeyCode: 39 };
  await page.call('Input.dispatchKeyEvent', { type: 'rawKeyDown', ...key });
  await page.call('Input.dispatchKeyEvent', { type: 'keyUp', ...key });
  const chosen = await page.evaluate(`document.querySelector('input[name="run"]:checked').value`);
  assert.equal(chosen, '1');
  assert.ok((await picture('heat')) !== heat);
  assert.ok((await picture('timeline')) !== lines);
  const label = `document.querySelector('[data-plot="heat"] .live').ariaLabel`;
  assert.match(await page.evaluate<string>(label), /of llm-d-default$/);

  const picks = await picture('heat');
  await page.evaluate(`document.querySelector('input[value="kvUsage"]').click()`);
  assert.ok((await picture('heat')) !== picks);
  assert.deepEqual(page.complaints, []);
});

test('it follows dark mode, print and a narrow window', { skip: SKIP }, async (t) => {
  const dark = [{ name: 'prefers-color-scheme', value: 'dark' }];
  const page = await openReport(t, sketchInput(), dark);
  const background = `getComputedStyle(document.body).backgroundColor`;
  assert.equal(await page.evaluate(background), 'rgb(16, 20, 24)');
  const before = await page.evaluate(pictureOf('latency'));
  await page.call('Emulation.setEmulatedMedia', { features: [] });
  const after = await page.evaluate(pictureOf('latency'));
  assert.ok(after !== before, 'plots change colour as well');

  await page.call('Emulation.setDeviceMetricsOverride', {
    width: 360,
    height: 800,
    deviceScaleFactor: 1,
    mobile: true,
  });
  const overflow = `document.documentElement.scrollWidth - document.documentElement.clientWidth`;
  await page.evaluate(PAINTED);
  assert.equal(await page.evaluate(overflow), 0, 'nothing sticks out at 360 pixels');
  const tooWide = `[...document.querySelectorAll('.live canvas')].filter((c) => c.clientWidth > 360)`;
  assert.equal(await page.evaluate(`${tooWide}.length`), 0);

  await page.call('Emulation.setEmulatedMedia', { media: 'print', features: dark });
  assert.equal(await page.evaluate(background), 'rgb(255, 255, 255)', 'paper is white');
  const shown = (selector: string): string =>
    `[...document.querySelectorAll('${selector}')].filter((e) => e.offsetHeight > 0).length`;
  assert.equal(await page.evaluate(shown('.live')), 0);
  assert.equal(await page.evaluate(shown('.still')), 11);
  assert.deepEqual(page.complaints, []);
});

test('names that are markup stay text, and an empty run draws', { skip: SKIP }, async (t) => {
  const evil = '<script>document.title = "owned"</script><img src=x onerror="document.title=1">';
  const runs = [
    sketchRun({ policy: evil }),
    sketchRun({ policy: 'nothing', isEmpty: true, status: 'interrupted' }),
    sketchRun({ policy: 'wide', endpoints: 100, samples: 300 }),
  ];
  const page = await openReport(t, sketchInput({ title: evil, runs }));
  assert.equal(await page.evaluate('document.title'), evil);
  assert.equal(await page.evaluate(`document.querySelectorAll('img[src="x"]').length`), 0);
  const { plots, drawn } = await page.evaluate<{ plots: number; drawn: number }>(DRAWN);
  assert.equal(drawn, plots);
  assert.doesNotMatch(await page.evaluate<string>('document.body.innerText'), /NaN|undefined/);

  // The tooltip is markup: it must not bring the name to life either.
  await page.evaluate(`document.querySelector('[data-plot="latency"]').scrollIntoView()`);
  const middle = `(() => {
    const box = document.querySelector('[data-plot="latency"] canvas').getBoundingClientRect();
    return [box.left + box.width / 2, box.top + box.height / 2];
  })()`;
  const [x, y] = await page.evaluate<[number, number]>(middle);
  await page.call('Input.dispatchMouseEvent', { type: 'mouseMoved', x, y });
  const tip = `document.querySelector('[data-plot="latency"] .live > div + div')?.innerText ?? ''`;
  assert.match(await page.evaluate<string>(tip), /^p\d+[\s\S]*<script>document\.title/);
  assert.equal(await page.evaluate('document.title'), evil);
  assert.deepEqual(page.complaints, []);
});
