import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  bestPolicy,
  type Cell,
  isServed,
  meanOfCells,
  type Row,
  shareOfBest,
  type Standing,
  verdictOf,
  wins,
  winsOf,
  worstStanding,
} from './policy-matrix.ts';

function cell(goodPerSecond: number, ttftP90Ms: number, goodShare = 1): Cell {
  return { ttftP90Ms, goodPerSecond, goodShare, outputTokensPerSecond: 100, saturatedRuns: 0 };
}

function rowOf(cells: Readonly<Record<string, Cell>>): Row {
  return new Map(Object.entries(cells));
}

function standing(workload: string, load: number, row: Row, isJudged = true): Standing {
  return { workload, load, row, oracle: null, isJudged };
}

describe('a matrix of policies', () => {
  it('is the mean over seeds, and the sum of runs that did not end', () => {
    const mean = meanOfCells([cell(1, 100, 0.8), { ...cell(3, 200, 1), saturatedRuns: 1 }]);
    assert.deepEqual(mean, { ...cell(2, 150, 0.9), saturatedRuns: 1 });
  });

  it('compares goodput with that of the best', () => {
    const row = rowOf({ a: cell(8, 100), b: cell(10, 100) });
    assert.equal(shareOfBest(row, 'a'), 0.8);
    assert.equal(shareOfBest(row, 'b'), 1);
    assert.equal(bestPolicy(row), 'b');
    assert.equal(shareOfBest(rowOf({ a: cell(0, 1), b: cell(0, 1) }), 'a'), 1);
    assert.ok(Number.isNaN(shareOfBest(row, 'unknown')));
  });

  it('is won by 15 % of goodput, or of TTFT at the same goodput', () => {
    const row = (ours: Cell, theirs: Cell): Row => rowOf({ a: ours, b: theirs });
    assert.equal(wins(row(cell(11.5, 500), cell(10, 100)), 'a', 'b'), true);
    assert.equal(wins(row(cell(11.4, 100), cell(10, 100)), 'a', 'b'), false);
    assert.equal(wins(row(cell(9.7, 85), cell(10, 100)), 'a', 'b'), true);
    assert.equal(wins(row(cell(9.6, 85), cell(10, 100)), 'a', 'b'), false);
    assert.equal(wins(row(cell(10, 86), cell(10, 100)), 'a', 'b'), false);
    assert.equal(wins(row(cell(0, 500), cell(0, 500)), 'a', 'b'), false);
    assert.equal(wins(row(cell(1, 1), cell(1, 9)), 'a', 'missing'), false);
  });

  it('has a verdict for each pair that was run', () => {
    const row = rowOf({ a: cell(10, 50), b: cell(10, 100), c: cell(10, 52) });
    assert.equal(verdictOf(row, 'a', 'b'), 'won');
    assert.equal(verdictOf(row, 'b', 'a'), 'LOST');
    assert.equal(verdictOf(row, 'a', 'c'), 'even');
    assert.equal(verdictOf(row, 'a', 'missing'), '-');
    assert.equal(verdictOf(row, 'missing', 'a'), '-');
  });

  it('judges a load that some policy serves to nine of ten, or that asks for nothing', () => {
    assert.equal(isServed(rowOf({ a: cell(5, 1, 0.5), b: cell(9, 1, 0.9) }), true), true);
    assert.equal(isServed(rowOf({ a: cell(5, 1, 0.5), b: cell(9, 1, 0.89) }), true), false);
    assert.equal(isServed(rowOf({ a: cell(5, 1, 0.5) }), false), true);
    assert.equal(isServed(rowOf({}), true), false);
  });
});

describe('a ladder of loads', () => {
  const won = rowOf({ a: cell(10, 50), b: cell(10, 100), c: cell(5, 50) });
  const even = rowOf({ a: cell(10, 50), b: cell(10, 50), c: cell(5, 50) });
  const behind = rowOf({ a: cell(9, 50), b: cell(10, 50), c: cell(5, 50) });

  it('is won on a workload at the judged loads where all rivals are beaten', () => {
    const standings = [
      standing('w', 1, even),
      standing('w', 1.25, won),
      standing('w', 1.5, won),
      standing('x', 1, even),
      standing('x', 1.25, won, false),
    ];
    assert.deepEqual([...winsOf(standings, 'a', ['b', 'c'])], [['w', [1.25, 1.5]]]);
    assert.deepEqual([...winsOf(standings, 'a', ['c']).keys()], ['w', 'x']);
    assert.deepEqual([...winsOf(standings, 'a', ['b', 'missing'])], []);
  });

  it('is worst where the subject is furthest behind the best at a judged load', () => {
    const beyond = standing('x', 1.5, rowOf({ a: cell(1, 50), b: cell(10, 50) }), false);
    const worst = standing('x', 1.25, behind);
    const standings = [standing('w', 1, won), worst, beyond];
    assert.equal(worstStanding(standings, 'a'), worst);
    assert.equal(worstStanding([beyond], 'a'), null);
  });
});
