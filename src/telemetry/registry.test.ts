import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { METRICS } from './metric-table.ts';
import { MetricsRegistry, OVERFLOW_VALUE } from './registry.ts';
import { HistogramSeries } from './series.ts';

function seriesOf(registry: MetricsRegistry, name: string) {
  const family = [...registry.collect()].find(({ definition }) => definition.name === name);
  return [...family!.series.values()];
}

test('the same labels give the same series and other labels another one', () => {
  const registry = new MetricsRegistry();
  const first = registry.counter('penstock_errors_total', ['internal']);
  first.add(2);
  assert.equal(registry.counter('penstock_errors_total', ['internal']), first);
  assert.notEqual(registry.counter('penstock_errors_total', ['draining']), first);
  assert.equal(first.value, 2);
});

test('label values that only join alike are kept apart', () => {
  const registry = new MetricsRegistry();
  const one = registry.counter('penstock_prompt_tokens_total', ['a\0b', 'c']);
  const two = registry.counter('penstock_prompt_tokens_total', ['a', 'b\0c']);
  assert.notEqual(one, two);
});

test('a counter ignores what would lower or spoil it', () => {
  const counter = new MetricsRegistry().counter('penstock_errors_total', ['internal']);
  counter.add(3);
  for (const bad of [-1, Number.NaN, Number.POSITIVE_INFINITY]) counter.add(bad);
  counter.raiseTo(2);
  assert.equal(counter.value, 3);
  counter.raiseTo(5);
  assert.equal(counter.value, 5);
});

test('a wrong number of labels and a wrong kind are assertions', () => {
  const registry = new MetricsRegistry();
  assert.throws(() => registry.counter('penstock_errors_total', []), /other labels/);
  assert.throws(() => registry.gauge('penstock_errors_total' as never, ['x']), /not a gauge/);
});

test('histograms put every value in the first bucket whose bound is not below it', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 1 }),
      fc.array(fc.double({ noNaN: true, min: -2e6, max: 2e6 })),
      (unsorted, values) => {
        const bounds = unsorted.sort((a, b) => a - b);
        const series = new HistogramSeries([], [], bounds);
        const expected = Array.from({ length: bounds.length + 1 }, () => 0);
        for (const value of [...values, ...bounds]) {
          series.observe(value);
          const index = bounds.findIndex((bound) => value <= bound);
          expected[index < 0 ? bounds.length : index]! += 1;
        }
        assert.deepEqual([...series.counts], expected);
      },
    ),
  );
});

test('a histogram ignores values that would spoil its sum', () => {
  const series = new HistogramSeries([], [], [1]);
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    series.observe(bad);
  }
  assert.equal(series.sum, 0);
  assert.deepEqual([...series.counts], [0, 0]);
});

test('past the bound open labels fold into _other and closed labels stay', () => {
  const registry = new MetricsRegistry({ maxSeriesPerMetric: 10 });
  for (let index = 0; index < 500; index += 1) {
    const outcome = index % 2 === 0 ? 'completed' : 'rejected';
    registry
      .counter('penstock_requests_total', ['other', `model-${index}`, `pool-${index}`, outcome])
      .add(1);
  }
  const series = seriesOf(registry, 'penstock_requests_total');
  assert.equal(series.length, 12);
  const folded = series.filter(({ labels }) => labels[1] === OVERFLOW_VALUE);
  assert.deepEqual(
    folded.map(({ labels }) => labels.join()),
    ['other,_other,_other,completed', 'other,_other,_other,rejected'],
  );
  const overflow = registry.counter('penstock_series_overflow_total', ['penstock_requests_total']);
  assert.equal(overflow.value, 490);
});

test('a label wrongly believed to be closed cannot grow a metric without bound', () => {
  const registry = new MetricsRegistry({ maxSeriesPerMetric: 5 });
  for (let index = 0; index < 500; index += 1) {
    registry.counter('penstock_errors_total', [`code-${index}`]).add(1);
  }
  const series = seriesOf(registry, 'penstock_errors_total');
  assert.equal(series.length, 11);
  const total = series.reduce((sum, one) => sum + ('value' in one ? one.value : 0), 0);
  assert.equal(total, 500);
});

test('a gauge past the bound works but is not shown', () => {
  const registry = new MetricsRegistry({ maxSeriesPerMetric: 1 });
  registry.gauge('penstock_endpoint_waiting', ['p', 'a']).set(1);
  const hidden = registry.gauge('penstock_endpoint_waiting', ['p', 'b']);
  hidden.set(7);
  assert.equal(hidden.value, 7);
  assert.equal(seriesOf(registry, 'penstock_endpoint_waiting').length, 1);
});

test('removal makes room, and only of what matches', () => {
  const registry = new MetricsRegistry({ maxSeriesPerMetric: 2 });
  registry.gauge('penstock_endpoint_waiting', ['p', 'a']);
  registry.gauge('penstock_endpoint_waiting', ['p', 'b']);
  registry.counter('penstock_endpoint_ejections_total', ['p', 'a']).add(1);
  registry.removeMatching('endpoint', 'a');
  assert.deepEqual(
    seriesOf(registry, 'penstock_endpoint_waiting').map(({ labels }) => labels[1]),
    ['b'],
  );
  assert.equal(seriesOf(registry, 'penstock_endpoint_ejections_total').length, 0);
  assert.equal(registry.remove('penstock_endpoint_waiting', ['p', 'b']), true);
  assert.equal(registry.remove('penstock_endpoint_waiting', ['p', 'b']), false);
  registry.gauge('penstock_endpoint_waiting', ['p', 'c']);
  assert.equal(seriesOf(registry, 'penstock_endpoint_waiting').length, 1);
});

test('collectors run before every collection until they leave', () => {
  const registry = new MetricsRegistry();
  let runs = 0;
  const leave = registry.onCollect(() => {
    runs += 1;
  });
  registry.collect();
  registry.collect();
  leave();
  leave();
  registry.collect();
  assert.equal(runs, 2);
});

test('long label values are cut', () => {
  const registry = new MetricsRegistry();
  const series = registry.counter('penstock_prompt_tokens_total', ['m'.repeat(10_000), 'p']);
  assert.equal(series.labels[0]!.length, 256);
});

test('the table names every metric once, with rising bounds for histograms alone', () => {
  assert.equal(new Set(METRICS.map(({ name }) => name)).size, METRICS.length);
  for (const { name, kind, buckets, labels } of METRICS) {
    assert.match(name, /^(penstock|process)_[a-z_]+$/);
    assert.equal(kind === 'counter', name.endsWith('_total'), name);
    assert.equal(kind === 'histogram', buckets !== null, name);
    for (const label of labels) assert.match(label, /^[a-z_]+$/);
    const bounds = buckets?.bounds ?? [];
    assert.ok(
      bounds.every((bound, index) => index === 0 || bound > bounds[index - 1]!),
      name,
    );
  }
});
