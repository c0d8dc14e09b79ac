import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { RunResult } from '../../lab/results.ts';
import { sketchRun } from '../testing/report-inputs.ts';
import { heatCells } from './heat-option.ts';
import { createHeats, createTimeline, timelineMaxima } from './series-data.ts';

function runWith(rows: readonly (readonly number[])[], intervalMs = 1000): RunResult {
  const run = sketchRun({ policy: 'p', endpoints: rows.length, samples: 1 });
  const series = { intervalMs, waiting: rows, running: rows, kvUsage: rows, picks: rows };
  return { ...run, series };
}

test('few samples are kept as they are', () => {
  const timeline = createTimeline({
    line: 0,
    run: runWith([
      [1, 2, 3],
      [0.5, 0, 0.25],
    ]),
  });
  assert.deepEqual(timeline.times, [1, 2, 3]);
  assert.equal(timeline.kind, 'endpoints');
  assert.deepEqual(timeline.tracks[0]?.waiting, [1, 2, 3]);
  assert.deepEqual(timeline.tracks[1]?.kvUsage, [50, 0, 25]);
});

test('many samples are averaged over time, and a part at the end by what it has', () => {
  const row = Array.from({ length: 481 }, (_, index) => (index === 480 ? 9 : index % 3));
  const timeline = createTimeline({ line: 0, run: runWith([row]) });
  assert.equal(timeline.times.length, 161);
  assert.equal(timeline.times.at(-1), 481);
  assert.equal(timeline.tracks[0]?.waiting[0], 1);
  assert.equal(timeline.tracks[0]?.waiting.at(-1), 9);
});

test('many endpoints become lowest, median and highest', () => {
  const rows = Array.from({ length: 9 }, (_, index) => [index]);
  const timeline = createTimeline({ line: 0, run: runWith(rows) });
  assert.equal(timeline.kind, 'range');
  assert.deepEqual(
    timeline.tracks.map(({ waiting }) => waiting[0]),
    [0, 4, 8],
  );
  assert.equal(timelineMaxima([timeline]).waiting, 8);
});

test('picks are added up and exact while they fit a byte', () => {
  const { heats, heatScale, heatMax } = createHeats([
    {
      line: 0,
      run: runWith([
        [1, 2, 255],
        [0, 0, 7],
      ]),
    },
  ]);
  assert.equal(heatScale.picks, 1);
  assert.equal(heatMax.picks, 255);
  const cells = heatCells(heats[0]!, 'picks', heatScale.picks);
  assert.deepEqual(
    cells.map(([, , value]) => value),
    [1, 2, 255, 0, 0, 7],
  );
  assert.deepEqual(cells[4]?.slice(0, 2), [1, 1], 'second column, second row');
});

test('rows of different lengths and values that are no numbers do no harm', () => {
  const { heats } = createHeats([{ line: 0, run: runWith([[1, NaN, 3], [2], []]) }]);
  assert.equal(heats[0]?.columns, 3);
  const { tracks } = createTimeline({ line: 0, run: runWith([[1, NaN, 3], [2], []]) });
  assert.deepEqual(
    tracks.map(({ waiting }) => waiting),
    [
      [1, 0, 3],
      [2, 0, 0],
      [0, 0, 0],
    ],
  );
});

test('heat maps are within half a step of the values, and their cells are bounded', () => {
  const row = fc.array(fc.float({ min: 0, max: 5000, noNaN: true }), {
    minLength: 1,
    maxLength: 60,
  });
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 6 }), (rows) => {
      const { heats, heatScale } = createHeats([{ line: 0, run: runWith(rows) }]);
      const heat = heats[0]!;
      const columns = Math.max(...rows.map(({ length }) => length));
      assert.equal(heat.columns, columns);
      for (const [column, at, value] of heatCells(heat, 'waiting', heatScale.waiting)) {
        const wanted = rows[at]?.[column] ?? 0;
        assert.ok(Math.abs(value - wanted) <= heatScale.waiting * 0.5001, `${value} ${wanted}`);
      }
    }),
  );
  const big = sketchRun({ policy: 'big', endpoints: 200, samples: 900 });
  const { heats } = createHeats(Array.from({ length: 14 }, (_, line) => ({ line, run: big })));
  const cells = heats.reduce((sum, { columns, endpoints }) => sum + columns * endpoints.length, 0);
  assert.ok(cells * 4 <= 300_000, `${cells * 4} cells`);
});
