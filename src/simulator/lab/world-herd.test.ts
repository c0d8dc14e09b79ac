import assert from 'node:assert/strict';
import { it } from 'node:test';
import { DEFAULT_RANKED_COUNT } from '../../scheduler/presets.ts';
import {
  createTestEndpoint,
  createTestOptions,
  PoissonSource,
  presetPolicy,
  scrapeEvery,
} from './testing/world-builders.ts';
import type { RunResult } from './results.ts';
import type { LabPolicy } from './types.ts';
import { LabWorld } from './world.ts';

/** A policy that sees nothing but what engines reported last. */
const REPORTS_ONLY: LabPolicy = {
  name: 'reports only',
  profile: {
    name: 'reports only',
    plugins: [
      { type: 'queue-scorer', name: 'queue-scorer', options: {}, weight: 1 },
      { type: 'kv-cache-utilization-scorer', name: 'kv', options: {}, weight: 1 },
    ],
    rankedCount: DEFAULT_RANKED_COUNT,
  },
  plugins: [],
};

function run(policy: LabPolicy, intervalMs: number): RunResult {
  const traffic = new PoissonSource({
    seed: 5,
    requestsPerSecond: 24,
    durationMs: 60_000,
    prefixes: 1,
    prefixTokens: 0,
    promptTokens: 1500,
    outputTokens: 60,
  });
  const world = new LabWorld(
    createTestOptions(traffic, {
      policy,
      endpoints: Array.from({ length: 8 }, () => createTestEndpoint()),
      durationMs: 60_000,
      scrape: scrapeEvery(intervalMs),
      delays: { gatewayMs: 0, networkMs: 0, scrapeMs: 0 },
    }),
  );
  while (!world.advance(10_000));
  return world.result();
}

it('herds between scrapes under a policy that only knows reports', () => {
  const stale = run(REPORTS_ONLY, 2000);
  const fresh = run(REPORTS_ONLY, 1);
  const booked = run(presetPolicy('least-request'), 2000);
  assert.equal(stale.requests.completed, fresh.requests.completed);
  assert.ok(
    stale.ttftMs.p90 > 2 * fresh.ttftMs.p90,
    `p90 TTFT ${stale.ttftMs.p90} ms stale, ${fresh.ttftMs.p90} ms fresh`,
  );
  assert.ok(stale.queue.meanWaiting > 2 * fresh.queue.meanWaiting);
  // What the gateway has booked itself is never stale.
  assert.ok(booked.ttftMs.p90 < 1.5 * fresh.ttftMs.p90);
  assert.ok(booked.queue.meanWaiting < stale.queue.meanWaiting / 2);
});
