import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Cell, Standing } from './policy-matrix.ts';
import { ladderTable, loadTables, type Contest } from './policy-tables.ts';

const CONTEST: Contest = {
  subject: 'a',
  rivals: ['b'],
  others: ['c'],
  policies: ['a', 'b', 'oracle'],
  oracleName: 'oracle',
};

function cell(goodPerSecond: number, ttftP90Ms: number, saturatedRuns = 0): Cell {
  return { ttftP90Ms, goodPerSecond, goodShare: 0.5, outputTokensPerSecond: 100, saturatedRuns };
}

function standing(workload: string, load: number, isJudged = true): Standing {
  const row = new Map([
    ['a', cell(10, 50)],
    ['b', cell(8, 100, 1)],
  ]);
  return { workload, load, row, oracle: cell(20, 25), isJudged };
}

const STANDINGS = [standing('w', 1), standing('x', 1, false), standing('w', 1.5)];

describe('tables of policies', () => {
  it('have the figures of a load by workload; in brackets where nobody serves it', () => {
    const [ttft, , , share, verdicts] = loadTables(['w', 'x', 'y'], STANDINGS, 1, CONTEST);
    assert.deepEqual(ttft, [
      ['p90 TTFT ms, load 1', 'w', 'x', 'y'],
      ['a', '50', '(50)', '-'],
      ['b', '100*', '(100*)', '-'],
      ['oracle', '25', '(25)', '-'],
    ]);
    assert.deepEqual(share?.[1], ['a', '50.0', '(50.0)', '-']);
    assert.deepEqual(verdicts, [
      ['a, load 1', 'goodput ÷ best', 'best', 'to b', 'goodput ÷ oracle', 'TTFT ÷ oracle'],
      ['w', '1.000', 'a', 'won', '0.500', '2.00'],
      ['x', 'beyond capacity', '-', '-', '-', '-'],
      ['y', 'beyond capacity', '-', '-', '-', '-'],
    ]);
  });

  it('are none for a load at which nothing was run', () => {
    assert.deepEqual(loadTables(['w'], STANDINGS, 1.25, CONTEST), []);
  });

  it('end with every workload at every load', () => {
    const heading = ['workload', 'load', 'to b', 'goodput ÷', 'TTFT ÷', 'to c', 'goodput ÷'];
    assert.deepEqual(ladderTable(['w', 'x'], STANDINGS, [1, 1.5], CONTEST), [
      [...heading, 'TTFT ÷'],
      ['w', '1', 'won', '1.25', '0.50', '-', '-', '-'],
      ['w', '1.5', 'won', '1.25', '0.50', '-', '-', '-'],
      ['x', '1', 'beyond capacity', '-', '-', '-', '-', '-'],
      ['x', '1.5', 'beyond capacity', '-', '-', '-', '-', '-'],
    ]);
  });
});
