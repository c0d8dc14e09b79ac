import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PresetName } from '../../scheduler/presets.ts';
import type { EndpointEvent } from '../lab/types.ts';
import type { LabRequest } from '../workloads/types.ts';
import {
  createFleet,
  createProfileEndpoint,
  mean,
  type PolicyAnswer,
  PolicyRun,
  quantile,
} from './testing/policy-run.ts';
import { createStream, drawLogUniform } from './testing/requests.ts';

interface Setting {
  readonly speeds: readonly number[];
  readonly perSecond: number;
  readonly seconds: number;
  readonly policy?: PresetName;
  /** What happens to the fourth server. */
  readonly events?: readonly EndpointEvent[];
}

function run({ speeds, perSecond, seconds, policy = 'soonest', events = [] }: Setting): PolicyRun {
  const requests = createStream({ perSecond, seconds, seed: 11 }, (rng) => ({
    ownTokens: drawLogUniform(rng, 50, 4000),
    outputTokens: drawLogUniform(rng, 20, 300),
  }));
  const endpoints = speeds.map((speed, index) =>
    createProfileEndpoint('demo', { kvBlocks: 8192, speed, events: index === 3 ? events : [] }),
  );
  const made = new PolicyRun({ policy, endpoints, requests, scrapeIntervalMs: 1000 }).finish();
  assert.equal(made.answers.length, requests.length);
  return made;
}

function arrivedWithin(
  answers: readonly PolicyAnswer[],
  fromMs: number,
  toMs: number,
): readonly PolicyAnswer[] {
  return answers.filter(({ request }) => request.atMs >= fromMs && request.atMs < toMs);
}

test('servers of twice the speed get about twice the tokens and TTFT beats least-request', () => {
  const setting = { speeds: [1, 2, 1, 2, 1, 2, 1, 2], perSecond: 90, seconds: 20 };
  const soonest = run(setting);
  const tokens = [0, 0];
  for (const { endpoint, request } of soonest.answers) {
    if (request.atMs > 10_000)
      tokens[endpoint % 2]! += request.promptTokens + request.output.tokens;
  }
  const ratio = tokens[1]! / tokens[0]!;
  assert.ok(ratio > 1.6 && ratio < 2.6, `${ratio} times the tokens`);

  const other = run({ ...setting, policy: 'least-request' });
  const p90 = ({ answers }: PolicyRun): number =>
    quantile(
      answers.map(({ ttftMs }) => ttftMs),
      0.9,
    );
  assert.ok(p90(soonest) < p90(other), `${p90(soonest)} ms against ${p90(other)} ms`);
});

test('a server that becomes five times slower loses most of its share within seconds', () => {
  const slowed = run({
    speeds: [1, 1, 1, 1, 1, 1, 1, 1],
    perSecond: 50,
    seconds: 130,
    events: [
      { kind: 'slow', atMs: 30_000, factor: 5 },
      { kind: 'slow', atMs: 50_000, factor: 1 },
    ],
  });
  const { answers } = slowed;
  const share = (fromMs: number, toMs: number): number => {
    const some = arrivedWithin(answers, fromMs, toMs);
    return some.filter(({ endpoint }) => endpoint === 3).length / some.length;
  };
  assert.ok(share(15_000, 30_000) > 0.08, `${share(15_000, 30_000)} before`);
  assert.ok(share(35_000, 50_000) < 0.05, `${share(35_000, 50_000)} while slow`);
  assert.ok(share(110_000, 130_000) > 0.06, `${share(110_000, 130_000)} after it has recovered`);
  // The others did not suffer: their prompts are answered as soon as before.
  const ttft = (fromMs: number, toMs: number): number =>
    mean(
      arrivedWithin(answers, fromMs, toMs)
        .filter(({ endpoint }) => endpoint !== 3)
        .map(({ ttftMs }) => ttftMs),
    );
  assert.ok(ttft(35_000, 50_000) < 2 * ttft(15_000, 30_000));
  assert.ok(slowed.confidence(3) > 0.5);
});

/** One prefix of 6,000 tokens on four servers; `events` happen to one of them. */
function runShared(
  requests: readonly LabRequest[],
  home: number,
  events: readonly EndpointEvent[],
): readonly PolicyAnswer[] {
  const endpoints = createFleet(4, 'demo', { kvBlocks: 8192 }).map((endpoint, index) => ({
    ...endpoint,
    events: index === home ? events : [],
  }));
  return new PolicyRun({
    policy: 'soonest',
    endpoints,
    requests,
    scrapeIntervalMs: 1000,
  }).finish().answers;
}

test('a server that restarts loses its prefix credit with the next report', () => {
  const all = createStream({ perSecond: 3, seconds: 60, seed: 2 }, () => ({
    shared: [{ id: 9, tokens: 6000 }],
    ownTokens: 100,
    outputTokens: 50,
  }));
  // The second in which nobody but the report can tell: an answer would correct the credit too.
  const quiet = all.filter(({ atMs }) => atMs < 30_000 || atMs >= 31_000);
  for (const requests of [all, quiet]) {
    // What happens until the restart is the same in every run: the first finds out where.
    const kept = runShared(requests, 0, []);
    const home = kept.findLast(({ request }) => request.atMs < 30_000)!.endpoint;
    const restart = { kind: 'restart', atMs: 30_001, downMs: 0 } as const;
    const answers = runShared(requests, home, [restart]);
    const later = answers.filter(({ request }) => request.atMs >= 31_001);
    const wrong = later.filter(({ believedCachedTokens, cachedTokens }) => {
      return believedCachedTokens > cachedTokens + 200;
    });
    assert.ok(later.length > 50);
    assert.equal(wrong.length, 0, `${wrong.length} of ${later.length} were sent to an empty cache`);
  }
});

test('predicted times to first token are within 20 % for half of the requests', () => {
  for (const profileName of ['demo', 'h100-8b'] as const) {
    const perSecond = profileName === 'demo' ? 30 : 40;
    const requests = createStream({ perSecond, seconds: 30, seed: 8 }, (rng) => ({
      ownTokens: drawLogUniform(rng, 200, 6000),
      outputTokens: drawLogUniform(rng, 20, 300),
    }));
    const { answers } = new PolicyRun({
      policy: 'soonest',
      endpoints: createFleet(6, profileName),
      requests,
      scrapeIntervalMs: 1000,
    }).finish();
    const steady = answers.slice(answers.length >> 1);
    const ttftError = quantile(
      steady.map(({ ttftMs, predictedTtftMs }) => Math.abs(predictedTtftMs - ttftMs) / ttftMs),
      0.5,
    );
    const tpotError = quantile(
      steady.map(({ tpotMs, predictedTpotMs }) => Math.abs(predictedTpotMs - tpotMs) / tpotMs),
      0.5,
    );
    assert.ok(ttftError < 0.2, `TTFT off by ${ttftError} on ${profileName}`);
    assert.ok(tpotError < 0.2, `TPOT off by ${tpotError} on ${profileName}`);
  }
});
