import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  bestPolicy,
  type Cell,
  leastShareOfBest,
  meanOfCells,
  shareOfBest,
  wins,
  workloadsWon,
} from './policy-matrix.ts';

function cell(goodPerSecond: number, ttftP90Ms: number): Cell {
  return { ttftP90Ms, goodPerSecond, outputTokensPerSecond: 100, saturatedRuns: 0 };
}

describe('a matrix of policies', () => {
  it('is the mean over seeds, and the sum of runs that did not end', () => {
    const mean = meanOfCells([cell(1, 100), { ...cell(3, 200), saturatedRuns: 1 }]);
    assert.deepEqual(mean, { ...cell(2, 150), saturatedRuns: 1 });
  });

  it('compares goodput with that of the best', () => {
    const row = new Map([
      ['a', cell(8, 100)],
      ['b', cell(10, 100)],
    ]);
    assert.equal(shareOfBest(row, 'a'), 0.8);
    assert.equal(shareOfBest(row, 'b'), 1);
    assert.equal(bestPolicy(row), 'b');
    const idle = new Map([
      ['a', cell(0, 1)],
      ['b', cell(0, 1)],
    ]);
    assert.equal(shareOfBest(idle, 'a'), 1);
    assert.equal(
      leastShareOfBest(
        new Map([
          ['w', row],
          ['x', idle],
        ]),
        'a',
      ),
      0.8,
    );
    assert.ok(Number.isNaN(shareOfBest(row, 'unknown')));
  });

  it('is won by 15 % of goodput, or of TTFT at the same goodput', () => {
    const row = (ours: Cell, theirs: Cell) =>
      new Map([
        ['a', ours],
        ['b', theirs],
      ]);
    assert.equal(wins(row(cell(11.5, 500), cell(10, 100)), 'a', 'b'), true);
    assert.equal(wins(row(cell(11.4, 100), cell(10, 100)), 'a', 'b'), false);
    assert.equal(wins(row(cell(9.7, 85), cell(10, 100)), 'a', 'b'), true);
    assert.equal(wins(row(cell(9.6, 85), cell(10, 100)), 'a', 'b'), false);
    assert.equal(wins(row(cell(10, 86), cell(10, 100)), 'a', 'b'), false);
    assert.equal(wins(row(cell(0, 500), cell(0, 500)), 'a', 'b'), false);
    assert.equal(wins(row(cell(1, 1), cell(1, 9)), 'a', 'missing'), false);
  });

  it('is won only against all', () => {
    const row = new Map([
      ['a', cell(10, 50)],
      ['b', cell(10, 100)],
      ['c', cell(10, 50)],
    ]);
    const matrix = new Map([['w', row]]);
    assert.deepEqual(workloadsWon(matrix, 'a', ['b']), ['w']);
    assert.deepEqual(workloadsWon(matrix, 'a', ['b', 'c']), []);
  });
});
