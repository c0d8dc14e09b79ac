import assert from 'node:assert/strict';
import { test } from 'node:test';
import { must } from '../../core/assert.ts';
import { sketchRun } from '../report/testing/report-inputs.ts';
import { FailureGroups } from './failure-groups.ts';
import { errorMessageOf, failureLabel } from './load-failure.ts';
import { PERCENTILE_NAMES } from './measured-report.ts';
import { parseMeasuredReport } from './parse-measured-report.ts';
import { renderMeasuredReport } from './report-text.ts';
import { SampleList } from './sample-list.ts';
import { toMeasuredReport } from './simulated-report.ts';
import { summarize } from './summarize.ts';

const SUMMARY = {
  benchmark_time_seconds: 470.6,
  load_summary: { count: 483, schedule_delay: { mean: -0.001, min: -0.002, max: 0.1, median: 0 } },
  successes: {
    count: 480,
    latency: {
      request_latency: { mean: 3.31, min: 0.5, max: 9, median: 2.11, p90: 5.94 },
      normalized_time_per_output_token: null,
      time_per_output_token: null,
      time_to_first_token: { mean: 0.8, min: 0.1, max: 3, median: 0.2, p90: 2.26 },
      inter_token_latency: null,
    },
    throughput: {
      input_tokens_per_sec: 600,
      output_tokens_per_sec: 76.12,
      total_tokens_per_sec: 676.12,
      requests_per_sec: 1.02,
      images_per_sec: 0,
    },
    request_size_bytes: null,
    image: { count: null },
    prompt_tokens: { total: 1000, cached: 10, uncached: 990, mean: 2, min: 1, max: 3, median: 2 },
    output_len: null,
    output_tokens: { total: 500 },
    token_count_mismatches: 3,
  },
  failures: {
    count: 3,
    request_latency: null,
    prompt_tokens: { total: 0, cached: 0, uncached: 0 },
    by_label: {
      '504 - Gateway Timeout': {
        count: 3,
        messages: [{ message: 'slow', session_ids: ['a'] }],
      },
    },
  },
};

test('a report of inference-perf is read, with what is ours absent', () => {
  const report = parseMeasuredReport(SUMMARY);
  assert.ok(report.ok, report.ok ? '' : report.error);
  assert.equal(report.value.penstock, undefined);
  assert.equal(report.value.successes.latency.time_to_first_token?.p90, 2.26);
  assert.equal(report.value.successes.latency.time_to_first_token.p99, undefined);
  assert.deepEqual(report.value.failures.by_label['504 - Gateway Timeout'], {
    count: 3,
    messages: [{ message: 'slow' }],
  });
  const text = renderMeasuredReport(report.value);
  assert.match(text, /^TTFT +800\.0 +200\.0 +2260\.0 +- +- +3000\.0$/m);
  assert.match(text, /failed: 3 × 504 - Gateway Timeout: slow/);
});

test('what is wrong with a report is named by its path', () => {
  const change = (path: readonly string[], value: unknown): unknown => {
    const copy: unknown = structuredClone(SUMMARY);
    let place = copy as Record<string, unknown>;
    for (const name of path.slice(0, -1)) place = place[name] as Record<string, unknown>;
    place[path.at(-1) ?? ''] = value;
    return copy;
  };
  const ttft = ['successes', 'latency', 'time_to_first_token'];
  const tries: readonly (readonly [unknown, RegExp])[] = [
    [[], /not a JSON object/],
    [{}, /^load_summary: expected an object, got nothing/],
    [change(['successes', 'count'], -1), /^successes.count: .* at least 0, got -1/],
    [change(['successes', 'latency'], null), /^successes.latency: expected an object, got null/],
    [change([...ttft, 'mean'], 'NaN'), /time_to_first_token.mean: expected a number, got "NaN"/],
    [change([...ttft, 'median'], 2.5), /time_to_first_token.p90: is below a lower percentile/],
    [change([...ttft, 'max'], 1), /time_to_first_token.max: is below a percentile/],
    [change(['penstock'], {}), /^penstock.config: expected an object/],
    [change(['failures', 'by_label'], { x: 3 }), /by_label.x: expected an object/],
  ];
  for (const [json, message] of tries) {
    const report = parseMeasuredReport(json);
    assert.match(report.ok ? 'read without complaint' : report.error, message);
  }
});

test('a simulated run has the form of a measured one and is read back equal', () => {
  const run = sketchRun({ policy: 'soonest' });
  const report = toMeasuredReport(run, {
    workload: 'interactive-chat',
    trace: null,
    arrivals: null,
    load: 1,
    durationMs: 60_000,
    warmUpMs: 6000,
    model: 'm',
  });
  const read = parseMeasuredReport(JSON.parse(JSON.stringify(report)));
  assert.ok(read.ok, read.ok ? '' : read.error);
  assert.deepEqual(read.value, report);
  assert.equal(report.successes.latency.time_to_first_token?.median, run.ttftMs.p50 / 1000);
  assert.equal(report.penstock?.config.kind, 'lab');
});

test('percentiles are linear between neighbours', () => {
  const summary = must(summarize([4, 1, 3, 2]), 'a summary');
  assert.equal(summary.mean, 2.5);
  assert.equal(summary.median, 2.5);
  assert.equal(summary.p25, 1.75);
  assert.ok(Math.abs((summary['p99.9'] ?? 0) - 3.997) < 1e-12);
  assert.deepEqual(Object.keys(summary), ['mean', 'min', 'max', ...PERCENTILE_NAMES]);
  assert.equal(summarize([]), null);
});

test('samples beyond the limit are an even choice of all', () => {
  const list = new SampleList(2000);
  for (let index = 0; index < 100_000; index += 1) list.add(index);
  assert.equal(list.count, 100_000);
  assert.equal(list.sum, (99_999 * 100_000) / 2);
  assert.equal(list.values.length, 2000);
  const median = summarize(list.values)?.median ?? 0;
  assert.ok(Math.abs(median - 50_000) < 5000, `median ${median}`);
});

test('failures are labelled as inference-perf labels them', () => {
  const status = (code: number, message: string): string =>
    failureLabel({ kind: 'status', status: code, message });
  assert.equal(status(503, 'timeout'), '503 - Service Unavailable');
  assert.equal(status(400, 'maximum context length is 10'), '400 - Context Window');
  assert.equal(status(404, 'The model `x` does not exist.'), '404 - Model Not Found');
  assert.equal(status(408, 'request timed out'), '408 - Timeout');
  assert.equal(status(418, ''), '418 - other');
  assert.equal(errorMessageOf('{"error":{"message":"a"}}'), 'a');
  assert.equal(errorMessageOf('{"detail":"b"}'), 'b');
  assert.equal(errorMessageOf('{"error":"c"}'), 'c');
  assert.equal(errorMessageOf('<html>'), '<html>');
  assert.ok(errorMessageOf('x'.repeat(5000)).length < 400);
});

test('failure groups keep all counts and few messages, the most frequent first', () => {
  const groups = new FailureGroups();
  groups.note({ kind: 'timeout', message: 'late' });
  for (let index = 0; index < 50; index += 1) {
    groups.note({ kind: 'connection', message: `reset ${index}` });
  }
  const json = groups.toJson();
  assert.deepEqual(Object.keys(json), ['Connection Error', 'Timeout']);
  assert.equal(json['Connection Error']?.count, 50);
  assert.equal(json['Connection Error'].messages.length, 10);
});
