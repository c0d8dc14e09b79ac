import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseCpuList } from './cpu-plan.ts';
import { checkAtLeast, checkAtMost, checkNone, formatJsonLine, formatTable } from './report.ts';
import { DelayHistogram, formatSpread, ratiosOf, spreadOf } from './stats.ts';

describe('checks', () => {
  const targets = { unit: 'ms', must: 3, aim: null };

  it('pass at exactly the value that must be met, and fail beyond it', () => {
    assert.equal(checkAtMost('delay', 3, targets).pass, true);
    assert.equal(checkAtMost('delay', 3.001, targets).pass, false);
    assert.equal(checkAtLeast('rate', 3, targets).pass, true);
    assert.equal(checkAtLeast('rate', 2.999, targets).pass, false);
    assert.equal(checkNone('failures', 1, 'requests').pass, false);
  });

  it('never pass when there is no figure', () => {
    assert.equal(checkAtMost('delay', Number.NaN, targets).pass, false);
    assert.equal(checkAtLeast('rate', Number.NaN, targets).pass, false);
  });

  it('are one line of JSON', () => {
    const line = formatJsonLine('stream', 'nginx 1.22.1', [checkAtMost('delay', 1.23456, targets)]);
    assert.equal(line.includes('\n'), false);
    assert.deepEqual(JSON.parse(line), {
      bench: 'stream',
      reference: 'nginx 1.22.1',
      checks: [{ name: 'delay', value: 1.235, unit: 'ms', must: 3, aim: null, pass: true }],
    });
  });
});

describe('tables', () => {
  it('align figures to the right under their heading', () => {
    const table = formatTable([
      ['target', 'ms'],
      ['a', '10.5'],
    ]);
    assert.equal(table, 'target    ms\n------  ----\na       10.5');
  });
});

describe('statistics', () => {
  it('take the middle of the rounds and show how far they spread', () => {
    assert.equal(formatSpread(spreadOf([3, 1, 2]), 1), '2.0 (1.0-3.0)');
    assert.equal(spreadOf([1, 2, 3, 10]).middle, 2.5);
    assert.deepEqual(ratiosOf([4, 9], [2, 3]), [2, 3]);
  });

  it('count delays in buckets of 10 us and clip what is longer than a second', () => {
    const histogram = new DelayHistogram();
    for (let delayUs = 0; delayUs < 1_000; delayUs += 10) histogram.add(delayUs);
    assert.equal(histogram.quantileMs(0.5), 0.5);
    assert.equal(histogram.quantileMs(0.99), 0.99);
    histogram.add(5_000_000);
    assert.equal(histogram.quantileMs(1), 1_000);
    histogram.clear();
    assert.ok(Number.isNaN(histogram.quantileMs(0.5)));
  });
});

describe('parseCpuList', () => {
  it('reads ranges and single cores', () => {
    assert.deepEqual(parseCpuList('0-2,8'), [0, 1, 2, 8]);
    assert.deepEqual(parseCpuList(''), []);
  });
});
