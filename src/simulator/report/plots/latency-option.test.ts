import assert from 'node:assert/strict';
import { test } from 'node:test';
import { objectiveAlign } from './latency-option.ts';
import type { LatencyPlot } from './plot-data.ts';

test('the label of an objective near an end of the axis stands on the inner side of its line', () => {
  const points = [
    [10, 5],
    [1000, 100],
  ] as const;
  const plot = { curves: [{ line: 0, points }], objectiveMs: 100 } as unknown as LatencyPlot;
  assert.equal(objectiveAlign(plot, 1000), 'right');
  assert.equal(objectiveAlign(plot, 100), 'center');
  assert.equal(objectiveAlign(plot, 10), 'left');
});
