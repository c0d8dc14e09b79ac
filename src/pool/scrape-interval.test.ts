import assert from 'node:assert/strict';
import { test } from 'node:test';

import { VirtualClock } from '../core/virtual-clock.ts';
import type { EngineReport } from '../protocol/engines/dialect.ts';
import {
  DEFAULT_PROBE_POLICY,
  isOtherLoad,
  jitterScrape,
  nextProbeDelay,
  nextScrapeInterval,
} from './scrape-interval.ts';
import type { ScrapePolicy } from './scrape-interval.ts';

const POLICY: ScrapePolicy = {
  fastestMs: 200,
  steadyMs: 1000,
  slowestMs: 5000,
  maxScrapesPerSecond: 100,
};

interface Case {
  readonly name: string;
  readonly traffic: boolean;
  readonly changed: boolean;
  readonly previousMs: number;
  readonly busy?: number;
  readonly expectedMs: number;
}

const CASES: readonly Case[] = [
  {
    name: 'traffic and change: fastest',
    traffic: true,
    changed: true,
    previousMs: 5000,
    expectedMs: 200,
  },
  {
    name: 'traffic without change: slower by half',
    traffic: true,
    changed: false,
    previousMs: 200,
    expectedMs: 300,
  },
  {
    name: 'traffic without change: up to steady',
    traffic: true,
    changed: false,
    previousMs: 900,
    expectedMs: 1000,
  },
  {
    name: 'traffic begins on an idle endpoint that stands still',
    traffic: true,
    changed: false,
    previousMs: 5000,
    expectedMs: 1000,
  },
  {
    name: 'change without traffic of ours: steady',
    traffic: false,
    changed: true,
    previousMs: 200,
    expectedMs: 1000,
  },
  {
    name: 'change seen from idle: steady',
    traffic: false,
    changed: true,
    previousMs: 5000,
    expectedMs: 1000,
  },
  {
    name: 'nothing: twice as slow',
    traffic: false,
    changed: false,
    previousMs: 1000,
    expectedMs: 2000,
  },
  {
    name: 'nothing: up to slowest',
    traffic: false,
    changed: false,
    previousMs: 4000,
    expectedMs: 5000,
  },
  {
    name: 'many busy endpoints share the rate',
    traffic: true,
    changed: true,
    previousMs: 200,
    busy: 50,
    expectedMs: 500,
  },
  {
    name: 'sharing also slows a busy endpoint that stands still',
    traffic: true,
    changed: false,
    previousMs: 200,
    busy: 200,
    expectedMs: 2000,
  },
  {
    name: 'sharing never goes beyond slowest',
    traffic: true,
    changed: true,
    previousMs: 200,
    busy: 10_000,
    expectedMs: 5000,
  },
  {
    name: 'steady is never faster than the share',
    traffic: false,
    changed: true,
    previousMs: 200,
    busy: 300,
    expectedMs: 3000,
  },
];

for (const { name, traffic, changed, previousMs, busy, expectedMs } of CASES) {
  test(name, () => {
    const seen = {
      hasTraffic: traffic,
      hasChanged: changed,
      previousMs,
      busyEndpoints: busy ?? 1,
    };
    assert.equal(nextScrapeInterval(POLICY, seen), expectedMs);
  });
}

/** Scrapes in virtual time under a scenario, returned as the times at which they happened. */
function scrapeTimes(
  durationMs: number,
  at: (nowMs: number) => { readonly hasTraffic: boolean; readonly hasChanged: boolean },
): number[] {
  const clock = new VirtualClock();
  const times: number[] = [];
  let previousMs = POLICY.steadyMs;
  const scrape = (): void => {
    times.push(clock.now());
    previousMs = nextScrapeInterval(POLICY, { ...at(clock.now()), previousMs, busyEndpoints: 1 });
    clock.setTimer(previousMs, scrape);
  };
  clock.setTimer(0, scrape);
  clock.advance(durationMs);
  return times;
}

test('an idle minute costs about one scrape in five seconds', () => {
  const times = scrapeTimes(60_000, () => ({ hasTraffic: false, hasChanged: false }));
  assert.deepEqual(times.slice(0, 5), [0, 2000, 6000, 11_000, 16_000]);
  assert.equal(times.length, 13);
});

test('a burst is watched closely and forgotten within ten seconds', () => {
  const times = scrapeTimes(30_000, (nowMs) => {
    const isBurst = nowMs >= 11_000 && nowMs < 13_000;
    return { hasTraffic: isBurst, hasChanged: isBurst };
  });
  const inBurst = times.filter((time) => time >= 11_000 && time < 13_000);
  assert.equal(inBurst.length, 10);
  const after = times.filter((time) => time >= 13_000);
  assert.deepEqual(after, [13_000, 13_400, 14_200, 15_800, 19_000, 24_000, 29_000]);
});

test('steady traffic with a report that stands still settles at one scrape a second', () => {
  const times = scrapeTimes(60_000, () => ({ hasTraffic: true, hasChanged: false }));
  assert.ok(times.length <= 62, `${times.length} scrapes`);
  assert.ok(times.length >= 58, `${times.length} scrapes`);
});

const REPORT: EngineReport = {
  waiting: 1,
  running: 2,
  kvCacheUsage: 0.5,
  blockSizeTokens: 16,
  blockCount: 100,
  adapters: null,
  adapterSlots: null,
  promptTokensTotal: 10,
  generationTokensTotal: 10,
  prefixCacheQueriesTotal: null,
  prefixCacheHitsTotal: null,
  processStartTimeSeconds: 1,
};

test('only what tells of load is another load', () => {
  assert.equal(isOtherLoad(null, REPORT), true);
  assert.equal(isOtherLoad(REPORT, { ...REPORT, promptTokensTotal: 99 }), false);
  assert.equal(isOtherLoad(REPORT, { ...REPORT, running: 3 }), true);
  assert.equal(isOtherLoad(REPORT, { ...REPORT, waiting: null }), true);
  assert.equal(isOtherLoad(REPORT, { ...REPORT, kvCacheUsage: 0.6 }), true);
  assert.equal(
    isOtherLoad(REPORT, { ...REPORT, adapters: [{ name: 'a', state: 'active' }] }),
    true,
  );
});

test('probes of an endpoint that is down come ever later, up to the longest wait', () => {
  const delays = [0, 1, 2, 3, 4, 5, 1000].map((failed) =>
    nextProbeDelay(DEFAULT_PROBE_POLICY, { failed, random: 1 }),
  );
  assert.deepEqual(delays, [250, 500, 1000, 2000, 4000, 5000, 5000]);
  assert.equal(nextProbeDelay(DEFAULT_PROBE_POLICY, { failed: 3, random: 0 }), 1000);
});

test('scrapes keep within a tenth of their interval', () => {
  assert.equal(jitterScrape(1000, 0), 900);
  assert.equal(jitterScrape(1000, 0.5), 1000);
});
