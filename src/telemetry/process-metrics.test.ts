import assert from 'node:assert/strict';
import { test } from 'node:test';

import { renderPrometheus } from './exposition.ts';
import { registerProcessMetrics } from './process-metrics.ts';
import { MetricsRegistry } from './registry.ts';

test('process metrics are read anew for every exposition', () => {
  const registry = new MetricsRegistry();
  let cpu = 1.5;
  let delay = Number.NaN;
  const leave = registerProcessMetrics(
    registry,
    {
      cpuSeconds: () => cpu,
      residentBytes: () => 1024,
      startTimeSeconds: () => 1_700_000_000,
      eventLoopDelaySeconds: () => delay,
    },
    '1.2.3',
  );
  const first = renderPrometheus(registry);
  assert.match(first, /^process_cpu_seconds_total 1\.5$/m);
  assert.match(first, /^process_resident_memory_bytes 1024$/m);
  assert.match(first, /^process_start_time_seconds 1700000000$/m);
  assert.match(first, /^penstock_build_info\{version="1\.2\.3"\} 1$/m);
  assert.doesNotMatch(first, /^penstock_event_loop_delay_seconds/m);
  cpu = 2;
  delay = 0.004;
  const second = renderPrometheus(registry);
  assert.match(second, /^process_cpu_seconds_total 2$/m);
  assert.match(second, /^penstock_event_loop_delay_seconds 0\.004$/m);
  leave();
  cpu = 3;
  assert.match(renderPrometheus(registry), /^process_cpu_seconds_total 2$/m);
});
