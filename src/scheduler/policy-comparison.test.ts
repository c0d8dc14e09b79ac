import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EngineModelOptions } from '../simulator/engine/engine-model.ts';
import type { ProfileSpec } from './framework/plugin.ts';
import { PolicyWorld, type WorldRequest } from './testing/policy-world.ts';
import {
  createTestScheduler,
  LEAST_REQUEST_PROFILE,
  PREFIX_AND_LOAD_PROFILE,
  SOONEST_PROFILE,
} from './testing/world-policies.ts';
import { reportOf, type WorldReport } from './testing/world-report.ts';
import {
  createEngineOptions,
  createStream,
  createZipf,
  drawLogUniform,
} from './testing/workloads.ts';

interface Workload {
  readonly name: string;
  readonly engines: readonly EngineModelOptions[];
  readonly good: { readonly ttftMs: number; readonly tpotMs: number };
  /** Requests that arrive earlier warm the caches and are not counted. */
  readonly countFromMs: number;
  requests(seed: number): readonly WorldRequest[];
}

const SEEDS = [1, 2, 3];
const drawPrefix = createZipf(40, 1);

function engines(profile: string, speeds: readonly number[]): EngineModelOptions[] {
  return speeds.map((speed) =>
    createEngineOptions(profile, { speed, ...(profile === 'demo' ? { kvBlocks: 8192 } : {}) }),
  );
}

function sharedPrefixes(perSecond: number, seconds: number) {
  return (seed: number): WorldRequest[] =>
    createStream({ perSecond, seconds, seed }, (rng) => ({
      shared: [{ id: 1 + drawPrefix(rng), tokens: 6000 }],
      ownTokens: drawLogUniform(rng, 50, 600),
      outputTokens: drawLogUniform(rng, 30, 400),
    }));
}

function mixedSizes(perSecond: number, seconds: number) {
  return (seed: number): WorldRequest[] =>
    createStream({ perSecond, seconds, seed }, (rng) => ({
      ownTokens: drawLogUniform(rng, 50, 8000),
      outputTokens: drawLogUniform(rng, 20, 600),
    }));
}

const EQUAL = [1, 1, 1, 1, 1, 1, 1, 1];
const UNEQUAL = [1, 2, 1, 2, 1, 2, 1, 2];

const WORKLOADS: readonly Workload[] = [
  {
    name: 'shared prefixes',
    engines: engines('demo', EQUAL),
    good: { ttftMs: 1000, tpotMs: 40 },
    countFromMs: 0,
    requests: sharedPrefixes(40, 30),
  },
  {
    name: 'shared prefixes, slow prefill, small cache',
    engines: engines('a10g-7b', EQUAL),
    good: { ttftMs: 1500, tpotMs: 80 },
    countFromMs: 25_000,
    requests: sharedPrefixes(14, 75),
  },
  {
    name: 'mixed sizes',
    engines: engines('demo', EQUAL),
    good: { ttftMs: 500, tpotMs: 40 },
    countFromMs: 0,
    requests: mixedSizes(50, 30),
  },
  {
    name: 'mixed sizes, quick machines',
    engines: engines('h100-8b', EQUAL),
    good: { ttftMs: 500, tpotMs: 40 },
    countFromMs: 0,
    requests: mixedSizes(85, 25),
  },
  {
    name: 'unequal servers',
    engines: engines('demo', UNEQUAL),
    good: { ttftMs: 500, tpotMs: 40 },
    countFromMs: 0,
    requests: mixedSizes(75, 30),
  },
];

function run(workload: Workload, profile: ProfileSpec): WorldReport[] {
  return SEEDS.map((seed) => {
    const world = new PolicyWorld({
      engines: workload.engines,
      scheduler: createTestScheduler(profile),
      scrapeIntervalMs: 250,
    });
    world.arrive(workload.requests(seed));
    world.run();
    const counted = world.outcomes.filter(({ request }) => request.atMs >= workload.countFromMs);
    return reportOf(counted, workload.good);
  });
}

function meanOf(reports: readonly WorldReport[], name: keyof WorldReport): number {
  return reports.reduce((sum, report) => sum + report[name], 0) / reports.length;
}

test('soonest loses nowhere against least-request and prefix+load, and wins clearly', (t) => {
  let clearWins = 0;
  for (const workload of WORKLOADS) {
    const soonest = run(workload, SOONEST_PROFILE);
    for (const profile of [LEAST_REQUEST_PROFILE, PREFIX_AND_LOAD_PROFILE]) {
      const other = run(workload, profile);
      const ttft = meanOf(soonest, 'ttftP90Ms') / meanOf(other, 'ttftP90Ms');
      const good = meanOf(soonest, 'goodShare') - meanOf(other, 'goodShare');
      const total = meanOf(soonest, 'totalMeanMs') / meanOf(other, 'totalMeanMs');
      const what =
        `${workload.name} against ${profile.name}: TTFT p90 x ${ttft.toFixed(2)}, ` +
        `good ${good >= 0 ? '+' : ''}${(100 * good).toFixed(1)} points, total x ${total.toFixed(2)}`;
      t.diagnostic(what);
      assert.ok(ttft <= 1.03, what);
      assert.ok(good >= -0.03, what);
      if (ttft < 0.9 && good >= 0 && total < 1) clearWins += 1;
    }
  }
  assert.ok(clearWins >= 7, `${clearWins} clear wins of 10`);
});
