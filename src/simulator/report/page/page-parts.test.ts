import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { latencyAt, latencyRange } from '../plots/latency-option.ts';
import { niceStep } from '../plots/frame.ts';
import {
  formatClock,
  formatMs,
  formatMsTick,
  formatNumber,
  formatShare,
  formatShareCell,
} from './format.ts';
import { heatImageUrl } from './heat-image.ts';
import { escapeHtml, html, jsonBlock, trusted } from './html.ts';

test('numbers have three significant digits and thousands apart', () => {
  const cases: readonly (readonly [number | null, string])[] = [
    [0, '0'],
    [0.4123, '0.412'],
    [12.34, '12.3'],
    [7, '7'],
    [1234.5, '1,235'],
    [9_876_543, '9,876,543'],
    [-1500, '-1,500'],
    [0.00001, '0'],
    [null, '–'],
    [Number.NaN, '–'],
    [Number.POSITIVE_INFINITY, '–'],
  ];
  for (const [value, text] of cases) assert.equal(formatNumber(value), text);
});

test('shares and times carry their units', () => {
  const plain = (text: string): string => text.replaceAll('\u00a0', ' ');
  assert.deepEqual(
    [0.924, 0.031, 0.9951, 1, 0, null].map((share) => plain(formatShare(share))),
    ['92.4 %', '3.1 %', '99.5 %', '100 %', '0 %', '–'],
  );
  assert.deepEqual(
    [0.92, 0.9999, 1, 0].map((share) => plain(formatShareCell(share))),
    ['92.0 %', '100.0 %', '100 %', '0 %'],
  );
  assert.deepEqual(
    [0.1, 100, 1000, 1_000_000].map((ms) => plain(formatMsTick(ms))),
    ['0.1 ms', '100 ms', '1 s', '1,000 s'],
  );
  assert.deepEqual(
    [0.42, 412, 1900, 192_000, null].map((ms) => plain(formatMs(ms))),
    ['0.42 ms', '412 ms', '1.9 s', '3.2 min', '–'],
  );
  assert.deepEqual(
    [0, 45, 200, 3900].map((seconds) => plain(formatClock(seconds))),
    ['0 s', '45 s', '3:20', '1:05:00'],
  );
});

test('templates escape what is filled in and keep markup of their own', () => {
  const list = ['<', html`<b>${1}</b>`];
  const made = html`<i title="${'"><script>'}">${list}${null}</i>`;
  assert.equal(made.text, '<i title="&quot;&gt;&lt;script&gt;">&lt;<b>1</b></i>');
  assert.equal(html`${trusted('<hr>')}`.text, '<hr>');
});

test('no text breaks out of content, attributes or the data block', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.doesNotMatch(escapeHtml(text), /[<>"']/);
      const { text: json } = jsonBlock({ text });
      assert.doesNotMatch(json, /[<\u2028\u2029]/);
      assert.deepEqual(JSON.parse(json), { text });
    }),
  );
});

test('a heat map’s picture holds its cells in order', () => {
  const cells = Uint8Array.from([0, 5, 10, 10, 5, 0]);
  const ramp = ['#000000', '#ffffff'];
  const url = heatImageUrl({ cells, columns: 3, highest: 10, ramp });
  const png = Buffer.from(url.replace('data:image/png;base64,', ''), 'base64');
  assert.equal(png.subarray(1, 4).toString(), 'PNG');
  assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [3, 2]);
  const at = png.indexOf('IDAT');
  const data = inflateSync(png.subarray(at + 4, at + 4 + png.readUInt32BE(at - 4)));
  assert.deepEqual([...data], [0, 0, 16, 31, 0, 31, 16, 0]);
  assert.match(heatImageUrl({ cells: new Uint8Array(), columns: 0, highest: 0, ramp }), /^data:/);
});

test('a curve is read between its points and not beyond them', () => {
  const points = [
    [10, 10],
    [20, 50],
    [40, 100],
  ] as const;
  assert.deepEqual(
    [5, 10, 30, 50, 75, 100].map((percent) => latencyAt(points, percent)),
    [null, 10, 15, 20, 30, 40],
  );
  assert.equal(latencyAt([], 50), null);
});

test('axes hold everything from the first percentile on, but never more than five powers of ten', () => {
  const curve = (values: readonly number[]): { line: number; points: [number, number][] } => ({
    line: 0,
    points: values.map((ms, index) => [ms, 1 + index]),
  });
  const plot = { latency: 'ttft' as const, objectiveMs: 2000 };
  const [low, high] = latencyRange({ ...plot, curves: [curve([100, 300])] });
  assert.ok(low <= 100 && high >= 2000);
  const [least, most] = latencyRange({ ...plot, curves: [curve([0.0001, 100_000])] });
  assert.ok(most / least < 200_000);
  const odd = { line: 0, points: [[0.01, 0] as const, [100, 1] as const, [300, 100] as const] };
  assert.deepEqual(latencyRange({ ...plot, curves: [odd] }), [low, high]);
  assert.deepEqual(latencyRange({ ...plot, objectiveMs: null, curves: [] }), [1, 10]);
  assert.deepEqual([1, 3, 61, 100, 4500].map(niceStep), [0.5, 1, 50, 50, 2000]);
});
