import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { RunResult } from '../simulator/lab/results.ts';
import { createRun } from '../simulator/lab/testing/run-builders.ts';
import { createSweepResult } from '../simulator/lab/sweep.ts';
import { judgeRuns, type ObjectiveTerm } from '../simulator/lab/sizing-objective.ts';
import { toMeasuredReport } from '../simulator/load/simulated-report.ts';
import type { SizingResult } from '../simulator/lab/sizing.ts';
import { renderProbes, renderSizes } from './lab-size-table.ts';
import { renderSweep } from './lab-sweep-table.ts';
import { renderRunTable, runsToShow } from './lab-table.ts';
import { describeLeftOut, formatTime } from './lab-text.ts';

function lineOf(lines: readonly string[], label: string): string {
  return lines.find((line) => line.startsWith(label)) ?? '';
}

test('the best of a row has a star, and nothing has one where all are equal', () => {
  const lines = renderRunTable(
    [
      { policy: 'a', runs: [createRun({ ttftMs: 120 })] },
      { policy: 'b', runs: [createRun({ ttftMs: 80 })] },
    ],
    [],
  );
  assert.match(lineOf(lines, 'TTFT p50 (ms)'), /\s120\s+80\.0\*$|\s120\.0\s+80\.0\*$/);
  assert.doesNotMatch(lineOf(lines, 'goodput'), /\*/);
  assert.doesNotMatch(lineOf(lines, 'spread'), /\*/);
});

test('a single policy has no star', () => {
  const lines = renderRunTable([{ policy: 'a', runs: [createRun()] }], []);
  assert.ok(lines.every((line) => !line.includes('*')));
});

test('measured runs stand beside the policies, and are never the best', () => {
  const fast = createRun({ ttftMs: 10 });
  const config = {
    workload: null,
    trace: null,
    arrivals: null,
    load: 1,
    durationMs: 1000,
    warmUpMs: 0,
    model: null,
  };
  const lines = renderRunTable(
    [
      { policy: 'a', runs: [createRun({ ttftMs: 120 })] },
      { policy: 'b', runs: [createRun({ ttftMs: 80 })] },
    ],
    [{ name: 'staging', report: toMeasuredReport(fast, config) }],
  );
  assert.match(lines[0] ?? '', /a\s+b\s+staging$/);
  assert.match(lineOf(lines, 'TTFT p50 (ms)'), /\s120(\.0)?\s+80\.0\*\s+10\.0$/);
  assert.match(lineOf(lines, 'queue mean'), /-$/, 'what a measured run does not know');
});

test('what was cut short does not mix with whole runs, and is named', () => {
  const whole = createRun();
  const late: RunResult = { ...createRun(), seed: 2, status: 'interrupted' };
  const early: RunResult = { ...late, seed: 3, requests: { ...late.requests, sent: 0 } };
  assert.deepEqual(runsToShow([whole, late, early]), [whole]);
  assert.deepEqual(runsToShow([late, early]), [late], 'better than nothing');
  assert.deepEqual(runsToShow([early]), []);
  assert.deepEqual(describeLeftOut([]), []);
  const other = { ...early, policy: 'other' };
  assert.deepEqual(describeLeftOut([late, early, other]), [
    'cut short and not in the table, 3 runs: test (seed 2 at 4 s, seed 3 at 4 s); other (seed 3 at 4 s)',
  ]);
});

test('several seeds show their mean and range', () => {
  const runs = [100, 300].map((ttftMs) => createRun({ ttftMs }));
  const lines = renderRunTable([{ policy: 'a', runs }], []);
  assert.match(lineOf(lines, 'TTFT p99'), /\s200 \(100\.\.300\)$/);
});

test('long rows are in seconds, what is missing is a dash, and quiet rows are left out', () => {
  const nothing = createRun({ sent: 5, failed: 5 });
  const lines = renderRunTable(
    [
      { policy: 'a', runs: [createRun({ ttftMs: 25_000 })] },
      { policy: 'b', runs: [nothing] },
    ],
    [],
  );
  assert.match(lineOf(lines, 'TTFT p50 (s)'), /\s25\.0\s+-$/);
  assert.match(lineOf(lines, 'failed'), /\s0\*\s+5$/);
  assert.equal(lineOf(lines, 'adapter loads'), '');
});

test('policies that do not fit come below, each block with its labels', () => {
  const policies = Array.from({ length: 14 }, (_, index) => {
    return { policy: `policy-number-${index}`, runs: [createRun()] };
  });
  const lines = renderRunTable(policies, []);
  assert.ok(lines.every((line) => line.length <= 112));
  assert.equal(lines.filter((line) => line.startsWith('TTFT p50')).length, 3);
  for (const { policy } of policies)
    assert.equal(lines.join('\n').split(`${policy} `).length >= 1, true);
});

test('a sweep marks its knee in the table and says it in words', () => {
  const steady = createRun({ running: Array.from({ length: 8 }, () => 2) });
  const result = { ...steady, status: 'saturated' } as const;
  const points = [
    { load: 0.5, requestsPerSecond: 5, result: steady },
    { load: 1, requestsPerSecond: 10, result },
  ];
  const setting = { workload: 'w', policy: 'p', durationMs: 8000 };
  const lines = renderSweep(createSweepResult(setting, points), 8000);
  assert.match(lines.join('\n'), /0\.5 .*<- knee\n.* {2}1 .*saturated\nkeeps up to load 0\.5/);
  const always = renderSweep(createSweepResult(setting, points.slice(1)), 8000);
  assert.match(always.at(-1) ?? '', /smaller --from/);
  const never = renderSweep(createSweepResult(setting, points.slice(0, 1)), 8000);
  assert.match(never.at(-1) ?? '', /larger --to/);
});

const TERM: ObjectiveTerm = { kind: 'latency', measure: 'ttft', statistic: 'p99', limitMs: 1000 };

function sizeOf(profile: string, changes: Partial<SizingResult>): SizingResult {
  const verdict = judgeRuns([TERM], [createRun({ ttftMs: 640 })]);
  return {
    profile,
    objective: [TERM],
    replicas: 3,
    accelerators: 6,
    hourlyUsd: 9,
    headroom: 0.36,
    isMonotone: true,
    reason: null,
    probes: [{ replicas: 3, seeds: 3, verdict }],
    runs: [],
    ...changes,
  };
}

test('sizes name the cheapest profile, and none when a price is unknown', () => {
  const dear = sizeOf('dear', { hourlyUsd: 20 });
  const none = sizeOf('none', {
    replicas: null,
    accelerators: null,
    hourlyUsd: null,
    headroom: null,
    reason: 'it misses',
  });
  const lines = renderSizes([dear, sizeOf('cheap', {}), none], [TERM]);
  assert.match(lineOf(lines, 'cheap *'), /\s3\s+6\s+9\.00\s+36 %\s+640 ms$/);
  assert.doesNotMatch(lineOf(lines, 'dear'), /\*/);
  assert.match(lineOf(lines, 'none  '), /none\s+-\s+-\s+-\s+-$/);
  assert.ok(lines.includes('none: it misses'));
  const unknown = renderSizes([dear, sizeOf('unpriced', { hourlyUsd: null })], [TERM]);
  assert.ok(unknown.every((line) => !line.includes('*')));
  assert.match(lineOf(unknown, 'unpriced'), /unknown/);
});

test('a count that more replicas did not keep is told', () => {
  const lines = renderSizes([sizeOf('p', { isMonotone: false })], [TERM]);
  assert.match(lines.at(-1) ?? '', /^p: more replicas did not always do better; 3 is the first/);
});

test('what was tried is told with the worst missed term', () => {
  const missed = judgeRuns([TERM], [createRun({ ttftMs: 2000 })]);
  const saturated = judgeRuns([TERM], [createRun({ status: 'saturated' })]);
  const probes = [
    { replicas: 1, seeds: 1, verdict: saturated },
    { replicas: 2, seeds: 1, verdict: missed },
    ...sizeOf('p', {}).probes,
  ];
  assert.deepEqual(renderProbes([sizeOf('p', { probes })]), [
    'tried p: 1 saturated, 2 misses (ttft-p99 2 s), 3 meets',
  ]);
});

test('times read well at any size', () => {
  assert.deepEqual(
    [0.85, 48.23, 999, 1234, 65_000, 900_000, Number.POSITIVE_INFINITY].map(formatTime),
    ['0.85 ms', '48.2 ms', '999 ms', '1.23 s', '65 s', '15 min', 'unbounded'],
  );
});
