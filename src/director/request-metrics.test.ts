import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MetricsRegistry } from '../telemetry/registry.ts';
import { RequestMetrics } from './request-metrics.ts';

test('series stay the same through any number of models that come and go', () => {
  const registry = new MetricsRegistry({ maxSeriesPerMetric: 50_000 });
  const metrics = new RequestMetrics(registry);
  const key = { api: 'chat-completions', model: 'stays', pool: 'p' };
  metrics.find(key).promptTokens.add(1);
  assert.equal(metrics.find(key), metrics.find(key));
  for (let i = 0; i < 2500; i += 1) metrics.find({ ...key, model: `passing-${i}` });
  metrics.find(key).promptTokens.add(1);
  assert.equal(registry.counter('penstock_prompt_tokens_total', ['stays', 'p']).value, 2);
});
