import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { VirtualClock } from '../../core/virtual-clock.ts';
import { createProcessStats } from './process-stats.ts';

test('process facts have the right units', async () => {
  const clock = new VirtualClock(1_700_000_000_000);
  const stats = createProcessStats(clock);
  const uptimeSeconds = process.uptime();
  assert.ok(Math.abs(1_700_000_000 - uptimeSeconds - stats.startTimeSeconds()) < 60);
  assert.ok(stats.cpuSeconds() > 0.001 && stats.cpuSeconds() < 3600);
  assert.ok(stats.residentBytes() > 1e7 && stats.residentBytes() < 1e11);
  for (let turn = 0; turn < 10; turn += 1) await nextTurn();
  const delay = stats.eventLoopDelaySeconds();
  assert.ok(delay > 0 && delay < 60, String(delay));
  clock.advance(10_000);
  stats.eventLoopDelaySeconds();
  // Right after a reset there may be no sample yet; the last value stands in.
  assert.ok(stats.eventLoopDelaySeconds() > 0);
  stats.close();
  stats.close();
});
