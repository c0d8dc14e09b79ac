import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';

import fc from 'fast-check';

import { parsePrometheus } from '../protocol/prometheus/parser.ts';
import { renderPrometheus } from './exposition.ts';
import { METRICS } from './metric-table.ts';
import type { CounterName, GaugeName, HistogramName } from './metric-table.ts';
import { MetricsRegistry } from './registry.ts';

const GOLDEN = new URL('../../test/golden/telemetry/exposition.txt', import.meta.url);

/** Every metric with one series whose labels are hard to print, and a value. */
function fillRegistry(): MetricsRegistry {
  const registry = new MetricsRegistry();
  for (const [index, { name, kind, labels }] of METRICS.entries()) {
    const values = labels.map((label) => `${label} "q" \\ line\nbreak`);
    if (kind === 'counter') registry.counter(name as CounterName, values).add(index + 0.5);
    else if (kind === 'gauge') registry.gauge(name as GaugeName, values).set(-index / 3);
    else {
      const series = registry.histogram(name as HistogramName, values);
      for (const value of [0.000003, 0.02, 0.021, 4, 5000]) series.observe(value);
    }
  }
  return registry;
}

test('the exposition of every metric is the golden text', () => {
  const text = renderPrometheus(fillRegistry());
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(GOLDEN, text);
  assert.equal(text, readFileSync(GOLDEN, 'utf8'));
});

test('a parser reads back every sample', () => {
  const samples = parsePrometheus(renderPrometheus(fillRegistry()));
  assert.equal(samples.brokenLines, 0);
  for (const { name, kind, labels, buckets } of METRICS) {
    const shown = samples.of(kind === 'histogram' ? `${name}_bucket` : name);
    assert.ok(shown.length > 0, name);
    for (const label of labels) {
      const values = shown.map((sample) => sample.labels.get(label));
      assert.ok(values.includes(`${label} "q" \\ line\nbreak`), `${name} ${label}`);
    }
    if (buckets === null) continue;
    const own = shown.slice(-(buckets.bounds.length + 1));
    assert.deepEqual(
      own.map((sample) => sample.labels.get('le')),
      [...buckets.bounds.map(String), '+Inf'],
    );
    assert.ok(own.every(({ value }, index) => index === 0 || value >= own[index - 1]!.value));
    assert.equal(own.at(-1)!.value, 5);
    assert.equal(samples.of(`${name}_count`).at(-1)!.value, 5);
  }
});

test('any label value and number survive printing and parsing', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 40 }).filter((text) => !text.includes('\0')),
      fc.double({ noNaN: true }),
      (label, value) => {
        const registry = new MetricsRegistry();
        registry.gauge('penstock_endpoint_waiting', ['pool', label]).set(value);
        const [sample] = parsePrometheus(renderPrometheus(registry)).of(
          'penstock_endpoint_waiting',
        );
        assert.equal(sample!.labels.get('endpoint'), label);
        assert.equal(sample!.value + 0, value + 0);
      },
    ),
  );
});

test('metrics without a series and unknown gauges are left out, heads included', () => {
  const registry = new MetricsRegistry();
  registry.gauge('penstock_event_loop_delay_seconds').set(Number.NaN);
  const text = renderPrometheus(registry);
  assert.doesNotMatch(text, /penstock_event_loop_delay_seconds/);
  assert.doesNotMatch(text, /penstock_requests_total/);
  // Counters and histograms without labels are there from the start, so that rates have a zero.
  assert.match(text, /^penstock_pick_duration_seconds_count 0$/m);
});
