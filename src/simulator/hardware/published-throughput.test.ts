import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PUBLISHED_THROUGHPUT, simulateThroughput } from './published-throughput.ts';

// One set of constants for all rows: none is fitted to its own figure.
const TOLERANCE = 0.3;

describe('throughput at maximal load', () => {
  for (const row of PUBLISHED_THROUGHPUT) {
    const sizes = `${row.promptTokens}/${row.outputTokens}`;
    it(`is near the published one: ${row.model} on ${row.accelerator}, ${sizes}`, () => {
      const ours = simulateThroughput(row);
      const gap = ours / row.tokensPerSecond - 1;
      const text = `${ours.toFixed(0)} against ${row.tokensPerSecond} (${(gap * 100).toFixed(0)} %)`;
      assert.ok(Math.abs(gap) <= TOLERANCE, text);
    });
  }
});
