import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseDuration } from '../simulator/workloads/duration.ts';
import { parseFleetWish, parseGoodput, parseSizingObjective, splitList } from './lab-values.ts';

test('durations are read with their unit', () => {
  const texts = ['500ms', '1.5s', '10m', '2h', '.5s'];
  assert.deepEqual(
    texts.map((text) => parseDuration(text)),
    [500, 1500, 600_000, 7_200_000, 500].map((value) => ({ ok: true, value })),
  );
});

const BAD_DURATIONS: readonly (readonly [string, RegExp])[] = [
  ['60', /write 60s$/],
  ['', /write 500ms, 60s, 10m or 1h$/],
  ['1d', /expected a time with its unit, got "1d"/],
  ['-1s', /expected a time/],
  ['NaNs', /expected a time/],
  ['0s', /above 0/],
  ['9000h', /a year at most/],
];

for (const [text, expected] of BAD_DURATIONS) {
  test(`the duration "${text}" is refused with the way out`, () => {
    const parsed = parseDuration(text);
    assert.equal(parsed.ok, false);
    assert.match(parsed.ok ? '' : parsed.error, expected);
  });
}

test('a duration may be nothing where that makes sense', () => {
  assert.deepEqual(parseDuration('0s', 0), { ok: true, value: 0 });
});

test('lists are split at commas and empty parts left out', () => {
  assert.deepEqual(splitList(['a, b', 'c,', '']), ['a', 'b', 'c']);
});

test('a profile may have its count', () => {
  const value = { name: 'l4-8b', replicas: 4 };
  assert.deepEqual(parseFleetWish('l4-8b:4'), { ok: true, value });
  assert.deepEqual(parseFleetWish('l4-8b'), { ok: true, value: { ...value, replicas: null } });
  for (const text of ['l4-8b:0', 'l4-8b:x', 'l4-8b:', 'l4-8b:-1', 'l4-8b:1.5']) {
    assert.equal(parseFleetWish(text).ok, false, text);
  }
});

test('objectives for sizing are read term by term', () => {
  assert.deepEqual(parseSizingObjective('ttft-p99=1s, itl-p99.9=50ms,e2e-mean=2m,goodput=99.5%'), {
    ok: true,
    value: [
      { kind: 'latency', measure: 'ttft', statistic: 'p99', limitMs: 1000 },
      { kind: 'latency', measure: 'itl', statistic: 'p999', limitMs: 50 },
      { kind: 'latency', measure: 'e2e', statistic: 'mean', limitMs: 120_000 },
      { kind: 'goodput', minShare: 0.995 },
    ],
  });
});

const BAD_OBJECTIVES: readonly (readonly [string, RegExp])[] = [
  ['', /nothing is asked/],
  ['ttft-p99', /ttft-p99 has no value/],
  ['tfft-p99=1s', /unknown objective tfft-p99; did you mean ttft-p99\?/],
  ['ttft-p98=1s', /unknown objective ttft-p98; did you mean ttft-p9/],
  ['ttft=1s', /unknown objective ttft/],
  ['ttft-p99=1', /ttft-p99: expected a time with its unit, got "1"; write 1s/],
  ['ttft-p99=1s,ttft-p99=2s', /ttft-p99 is given twice/],
  ['goodput=99', /goodput: expected a share such as 99%/],
  ['goodput=0%', /goodput: expected a share/],
  ['goodput=101%', /goodput: expected a share/],
];

for (const [text, expected] of BAD_OBJECTIVES) {
  test(`the objective "${text}" is refused with the way out`, () => {
    const parsed = parseSizingObjective(text);
    assert.equal(parsed.ok, false);
    assert.match(parsed.ok ? '' : parsed.error, expected);
  });
}

test('what a good answer is', () => {
  const value = { ttftMs: 1000, tpotMs: null, e2eMs: 30_000 };
  assert.deepEqual(parseGoodput('ttft=1s,e2e=30s'), { ok: true, value });
  for (const text of ['', 'itl=1s', 'ttft', 'ttft=1', 'ttft=1s,ttft=2s']) {
    assert.equal(parseGoodput(text).ok, false, text);
  }
});
