import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseArrivals } from './arrival-spec.ts';
import { WorkloadError } from './errors.ts';
import { playTraffic, type PlayedTraffic } from './testing/play-traffic.ts';
import type { LabRequest, Workload } from './types.ts';
import { findWorkload, WORKLOADS } from './workloads.ts';

function find(name: string, arrivals: string): Workload {
  const workload = findWorkload(name);
  const spec = parseArrivals(arrivals);
  assert.ok(workload !== null && spec.ok);
  return workload.withArrivals(spec.value);
}

function play(
  workload: Workload,
  fields: { seed?: number; load?: number; durationMs?: number } = {},
  answerMs?: (request: LabRequest) => number,
): PlayedTraffic {
  const options = { seed: 1, load: 1, durationMs: workload.defaults.durationMs, ...fields };
  return playTraffic(workload.createTraffic(options), answerMs);
}

function gapsOf(requests: readonly LabRequest[]): {
  readonly perSecond: number;
  readonly cv: number;
} {
  const gaps = requests.slice(1).map(({ atMs }, index) => atMs - requests[index]!.atMs);
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
  return { perSecond: 1000 / mean, cv: Math.sqrt(variance) / mean };
}

const OPEN = WORKLOADS.filter(({ name }) =>
  ['reasoning', 'shared-prefix', 'adapter-zoo', 'mixed-sizes'].includes(name),
);

for (const { name } of OPEN) {
  test(`${name}: gaps are as asked, at its own rate or another, whatever the load`, () => {
    const durationMs = 2_000_000;
    for (const [text, cv] of [
      ['constant:rate=5', 0],
      ['poisson:rate=5', 1],
      ['gamma:cv=2.5,rate=5', 2.5],
    ] as const) {
      const { requests } = play(find(name, text), { load: 2, durationMs });
      const gaps = gapsOf(requests);
      assert.ok(Math.abs(gaps.cv - cv) < 0.15, `${text}: cv ${gaps.cv}`);
      assert.ok(Math.abs(gaps.perSecond / 10 - 1) < 0.05, `${text}: ${gaps.perSecond}/s`);
    }
    const own = play(find(name, 'constant')).requests.length;
    const usual = play(findWorkload(name)!).requests.length;
    assert.ok(Math.abs(own / usual - 1) < 0.1, `${own} for ${usual}`);
  });

  test(`${name}: the same requests are sent, at other times`, () => {
    const contentOf = (workload: Workload): unknown =>
      play(workload)
        .requests.slice(0, 200)
        .map(({ segments, output, tenant }) => [segments, output, tenant]);
    const usual = contentOf(findWorkload(name)!);
    assert.deepEqual(contentOf(find(name, 'gamma:cv=3')), usual);
    assert.deepEqual(contentOf(find(name, 'closed:users=30,think=1s')), usual);
  });

  test(`${name}: users of a closed loop wait for their answers`, () => {
    const workload = find(name, 'closed:users=20,think=2s');
    const { requests, mostOpen } = play(workload, { durationMs: 400_000 }, () => 3000);
    assert.ok(mostOpen <= 20);
    // A cycle is an answer of 3 s and a pause of 2 s in the mean.
    assert.ok(Math.abs(requests.length / 1600 - 1) < 0.06, `${requests.length}`);
    assert.ok(requests.every(({ atMs }) => atMs <= 400_000));
    assert.equal(play(workload, { load: 0.5 }, () => 1e9).mostOpen, 10, 'the load is of users');
    const eager = play(find(name, 'closed:users=3'), { durationMs: 10_000 }, () => 500);
    assert.equal(eager.mostOpen, 3);
    assert.equal(eager.requests.length, 3 * 21);
  });

  test(`${name}: a closed loop needs a number of users`, () => {
    assert.throws(
      () => find(name, 'closed'),
      (error: unknown) => error instanceof WorkloadError && /closed:users=50/.test(error.message),
    );
  });
}

test('the slower the answers, the fewer the requests of a closed loop; an open one goes on', () => {
  const countOf = (arrivals: string, answerMs: number): number =>
    play(find('shared-prefix', arrivals), {}, () => answerMs).requests.length;
  assert.ok(countOf('closed:users=20', 4000) < countOf('closed:users=20', 2000) * 0.6);
  assert.equal(countOf('poisson', 4000), countOf('poisson', 2000));
});

for (const name of ['noisy-neighbour', 'diurnal']) {
  test(`${name}: other gaps follow the same waves; a closed loop would lose them`, () => {
    const perMinute = (arrivals: string | null): readonly number[] => {
      const workload = arrivals === null ? findWorkload(name)! : find(name, arrivals);
      const counts: number[] = Array.from({ length: 20 }, () => 0);
      for (const { atMs } of play(workload).requests) {
        const slot = Math.min(19, Math.floor((20 * atMs) / workload.defaults.durationMs));
        counts[slot] = counts[slot]! + 1;
      }
      return counts;
    };
    const usual = perMinute(null);
    assert.deepEqual(perMinute('poisson'), usual, 'as it is anyway');
    for (const [slot, count] of perMinute('constant').entries()) {
      const bound = 5 * Math.sqrt(usual[slot]!) + 5;
      assert.ok(Math.abs(count - usual[slot]!) < bound, `${count} for ${usual[slot]}`);
    }
    const expectedOf = (workload: Workload): number => {
      const { durationMs } = workload.defaults;
      return workload.createTraffic({ seed: 1, load: 1, durationMs }).expectedCount ?? 0;
    };
    const share = expectedOf(find(name, 'constant:rate=8')) / expectedOf(findWorkload(name)!);
    assert.ok(share > 0.4 && share < 0.55, `${share}`);
    assert.throws(
      () => find(name, 'closed:users=5'),
      (error: unknown) => error instanceof WorkloadError && error.code === 'arrivals_invalid',
    );
  });
}

test('conversations begin in an open loop as often as keeps as many under way', () => {
  const closed = findWorkload('code-generation')!;
  const open = find('code-generation', 'poisson');
  assert.match(open.loadUnit, /^0\.13\d new conversations\/s, Poisson$/);
  const answerMs = (): number => 4000;
  const share =
    play(open, {}, answerMs).requests.length / play(closed, {}, answerMs).requests.length;
  assert.ok(Math.abs(share - 1) < 0.25, `${share}`);
});

test('users hold conversations with the pauses that are asked for', () => {
  const { requests, mostOpen } = play(
    find('interactive-chat', 'closed:users=40,think=5s'),
    { durationMs: 600_000 },
    () => 5000,
  );
  assert.ok(mostOpen <= 40);
  // Forty users with a cycle of ten seconds.
  assert.ok(Math.abs(requests.length / 2400 - 1) < 0.1, `${requests.length}`);
  const own = find('interactive-chat', 'closed');
  assert.match(own.loadUnit, /^13\d\d users, 45 s to think, in conversations$/);
  const batch = find('batch-synthetic-data', 'closed:users=10,think=10s');
  const { requests: paced } = play(batch, {}, () => 10_000);
  assert.ok(Math.abs(paced.length / 300 - 1) < 0.15, `${paced.length}`);
});

test('more users than memory is for are refused with the largest load', () => {
  const workload = find('reasoning', 'closed:users=1000');
  assert.throws(
    () => workload.createTraffic({ seed: 1, load: 500, durationMs: 1000 }),
    /a load of 500 is 500000 users, .* about 250$/,
  );
});
