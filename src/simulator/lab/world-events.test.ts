import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DEFAULT_MONITOR_OPTIONS } from '../../discovery/monitor-options.ts';
import { SLEEP_CHECK_MS } from './monitor.ts';
import {
  createTestEndpoint,
  createTestOptions,
  createTestRequest,
  ListSource,
  PoissonSource,
  presetPolicy,
} from './testing/world-builders.ts';
import type { EndpointEvent, LabEndpoint, LabOptions } from './types.ts';
import { LabWorld } from './world.ts';

const STEADY = {
  seed: 3,
  requestsPerSecond: 10,
  durationMs: 60_000,
  prefixes: 5,
  prefixTokens: 320,
  promptTokens: 100,
  outputTokens: 50,
};

function endpoints(...events: readonly EndpointEvent[][]): readonly LabEndpoint[] {
  return events.map((list) => createTestEndpoint({ events: list }));
}

interface Played {
  readonly world: LabWorld;
  readonly lines: readonly string[];
}

function play(options: LabOptions): Played {
  const lines: string[] = [];
  const world = new LabWorld({ ...options, trace: (line) => lines.push(line) });
  while (!world.advance(10_000));
  return { world, lines };
}

/** Times in milliseconds of the lines that contain `text`. */
function timesOf(lines: readonly string[], text: string): readonly number[] {
  return lines.filter((line) => line.includes(text)).map((line) => Number.parseFloat(line));
}

it('sends a request again that a restart caught before its first token', () => {
  // The first streams from engine 0 when it ends, the last is in its prefill there.
  const source = new ListSource([
    createTestRequest(0, { output: { id: 5, tokens: 1000 } }),
    createTestRequest(50),
    createTestRequest(95, { segments: [{ id: 6, tokens: 2000 }] }),
  ]);
  const { world, lines } = play(
    createTestOptions(source, {
      endpoints: endpoints([{ kind: 'restart', atMs: 120, downMs: 5000 }], []),
      policy: presetPolicy('round-robin'),
      delays: { gatewayMs: 0, networkMs: 1, scrapeMs: 1 },
    }),
  );
  const { requests, ttftMs, itlMs } = world.result();
  // An answer whose start the client has cannot be sent again.
  assert.deepEqual([requests.completed, requests.failed, requests.unanswered], [2, 1, 0]);
  assert.equal(ttftMs.count, 2);
  assert.ok(itlMs.count > 18, 'gaps of the broken answer were seen');
  assert.deepEqual(timesOf(lines, ' lost reset'), [121, 121]);
  assert.deepEqual(
    lines.filter((line) => line.includes(' 2 picked')),
    ['95 2 picked engine-0', '121 2 picked engine-1'],
  );
  assert.equal(source.ended.length, 3);
});

it('loses caches with the process, and the gateway learns of it', () => {
  const hitShare = (events: readonly EndpointEvent[]): number => {
    const { world } = play(
      createTestOptions(new PoissonSource(STEADY), {
        endpoints: endpoints([...events]),
        policy: presetPolicy('soonest'),
      }),
    );
    const [endpoint] = world.brain.fleet.endpoints();
    assert.equal(endpoint!.restarts, events.length);
    assert.equal(world.result().status, 'finished');
    return world.result().prefixHitShare;
  };
  const kept = hitShare([]);
  const lost = hitShare([{ kind: 'restart', atMs: 30_000, downMs: 100 }]);
  assert.ok(lost < kept && lost > kept - 0.05, `${lost} after ${kept}`);
});

it('finds an endpoint down after two refused questions, and up again by a later probe', () => {
  const { world, lines } = play(
    createTestOptions(new PoissonSource(STEADY), {
      endpoints: endpoints([{ kind: 'restart', atMs: 20_000, downMs: 15_000 }], []),
      delays: { gatewayMs: 1, networkMs: 1, scrapeMs: 2 },
    }),
  );
  const downs = timesOf(lines, 'engine-0 down');
  assert.ok(downs[0]! > 20_000 && downs[0]! < 21_500, `down at ${downs[0]}`);
  const probes = downs.length;
  assert.ok(probes >= 5 && probes <= 14, `${probes} probes`);
  const backAtMs = timesOf(lines, 'engine-0 report').find((atMs) => atMs > 20_000)!;
  assert.ok(backAtMs >= 35_000 && backAtMs < 40_500, `up at ${backAtMs}`);
  const picks = timesOf(lines, 'picked engine-0');
  assert.ok(picks.every((atMs) => atMs < downs[0]! || atMs >= backAtMs));
  assert.ok(picks.some((atMs) => atMs >= backAtMs));
  const { requests } = world.result();
  assert.equal(requests.refused, 0);
  assert.ok(requests.failed > 0 && requests.failed < 20, 'only answers under way were lost');
});

it('refuses everything while no endpoint can be picked', () => {
  const { world } = play(
    createTestOptions(new ListSource([100, 4000, 20_000].map((atMs) => createTestRequest(atMs))), {
      endpoints: [createTestEndpoint({ readyAtMs: 10_000 })],
    }),
  );
  const { requests, ttftMs } = world.result();
  assert.deepEqual([requests.refused, requests.completed], [2, 1]);
  assert.equal(ttftMs.count, 1);
});

it('sends nothing to an endpoint that drains, which still answers what it has', () => {
  const { world, lines } = play(
    createTestOptions(new PoissonSource(STEADY), {
      endpoints: endpoints([{ kind: 'drain', atMs: 10_000 }], []),
    }),
  );
  const picks = timesOf(lines, 'picked engine-0');
  assert.ok(picks.length > 10);
  assert.ok(picks.every((atMs) => atMs < 10_000));
  const { requests } = world.result();
  assert.equal(requests.completed, requests.sent);
});

it('slows an engine down from one moment on', () => {
  const times = (factor: number): number => {
    const source = new ListSource([createTestRequest(0), createTestRequest(5000)]);
    const { world } = play(
      createTestOptions(source, { endpoints: endpoints([{ kind: 'slow', atMs: 1000, factor }]) }),
    );
    return world.result().e2eMs.max / world.result().e2eMs.min;
  };
  assert.ok(Math.abs(times(1) - 1) < 1e-6);
  assert.ok(Math.abs(times(3) - 3) < 1e-6);
});

const NO_DELAYS = { gatewayMs: 0, networkMs: 0, scrapeMs: 0 };

function sleepOf(level: 1 | 2, atMs: number, untilMs: number): EndpointEvent[] {
  return [
    { kind: 'sleep', atMs, level },
    { kind: 'wake', atMs: untilMs },
  ];
}

describe('an engine that sleeps', () => {
  it('gets nothing once the gateway has seen it, and is asked again after waking', () => {
    assert.equal(SLEEP_CHECK_MS, DEFAULT_MONITOR_OPTIONS.sleepCheckMs);
    const { world, lines } = play(
      createTestOptions(new PoissonSource(STEADY), {
        endpoints: endpoints(sleepOf(1, 20_000, 40_000), []),
        delays: { gatewayMs: 1, networkMs: 1, scrapeMs: 2 },
      }),
    );
    const [seenAtMs = Number.NaN] = timesOf(lines, 'engine-0 asleep');
    assert.ok(seenAtMs > 20_000 && seenAtMs < 23_500, `seen at ${seenAtMs}`);
    assert.equal(timesOf(lines, 'engine-0 down').length, 0, 'it answers all the time');
    const refused = timesOf(lines, 'lost status');
    assert.ok(refused.every((atMs) => atMs > 20_000 && atMs < seenAtMs + 10));
    const backAtMs = timesOf(lines, 'engine-0 report').find((atMs) => atMs > seenAtMs)!;
    assert.ok(backAtMs >= 40_000 && backAtMs < 45_500, `up at ${backAtMs}`);
    const picks = timesOf(lines, 'picked engine-0');
    assert.ok(picks.every((atMs) => atMs <= seenAtMs || atMs >= backAtMs));
    assert.ok(picks.some((atMs) => atMs >= backAtMs));
    const {
      requests,
      endpoints: [slept, other],
    } = world.result();
    assert.deepEqual([requests.completed, requests.failed], [requests.sent, 0]);
    assert.ok(Math.abs(slept!.asleepShare - 20_000 / world.nowMs) < 1e-9);
    assert.equal(other!.asleepShare, 0);
    assert.equal(world.brain.fleet.endpoints()[0]!.restarts, 0, 'the process is the same');
  });

  it('keeps its requests and goes on with them a wake time later, by its level', () => {
    const longestGapMs = (level: 1 | 2): number => {
      const source = new ListSource([createTestRequest(0, { output: { id: 5, tokens: 1000 } })]);
      const { world } = play(
        createTestOptions(source, {
          endpoints: endpoints(sleepOf(level, 2000, 5000)),
          delays: NO_DELAYS,
        }),
      );
      const { requests, itlMs, throughput } = world.result();
      assert.equal(requests.completed, 1);
      assert.equal(Math.round((throughput.outputTokensPerSecond * world.nowMs) / 1000), 1000);
      return itlMs.max;
    };
    // It starts over: 3 s asleep, the wake time, and the prompt with all that was generated.
    assert.ok(longestGapMs(1) > 3200 && longestGapMs(1) < 3300, `${longestGapMs(1)}`);
    assert.ok(longestGapMs(2) > 3900 && longestGapMs(2) < 4000, `${longestGapMs(2)}`);
  });

  it('has an empty KV cache when it is awake again', () => {
    const cachedOf = (events: EndpointEvent[]): readonly string[] => {
      const segments = [{ id: 9, tokens: 320 }];
      const source = new ListSource([
        createTestRequest(0, { segments }),
        createTestRequest(20_000, { segments }),
      ]);
      const { lines } = play(createTestOptions(source, { endpoints: endpoints(events) }));
      return lines.filter((line) => line.includes(' end ')).map((line) => line.split(', ')[1]!);
    };
    assert.deepEqual(cachedOf([]), ['0 cached', '304 cached']);
    assert.deepEqual(cachedOf(sleepOf(1, 5000, 10_000)), ['0 cached', '0 cached']);
  });

  it('is not touched by a wake without a sleep, nor asleep after a restart', () => {
    const { world } = play(
      createTestOptions(new PoissonSource(STEADY), {
        endpoints: endpoints(
          [{ kind: 'wake', atMs: 5000 }],
          [
            { kind: 'sleep', atMs: 10_000, level: 2 },
            { kind: 'restart', atMs: 15_000, downMs: 1000 },
            { kind: 'wake', atMs: 30_000 },
          ],
        ),
      }),
    );
    const {
      endpoints: [woken, restarted],
      status,
    } = world.result();
    assert.equal(status, 'finished');
    assert.equal(woken!.asleepShare, 0);
    assert.ok(Math.abs(restarted!.asleepShare - 5000 / world.nowMs) < 1e-9);
  });
});
