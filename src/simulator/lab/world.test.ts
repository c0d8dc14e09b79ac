import assert from 'node:assert/strict';
import { it } from 'node:test';
import { NO_OBJECTIVE } from '../../scheduler/types.ts';
import type { LabRequest, TrafficSource } from '../workloads/types.ts';
import type { RunResult } from './results.ts';
import {
  createTestEndpoint,
  createTestEngine,
  createTestOptions,
  createTestRequest,
  ListSource,
  PoissonSource,
  presetPolicy,
} from './testing/world-builders.ts';
import type { LabOptions } from './types.ts';
import { driveWorld, LabWorld } from './world.ts';

/** Runs to the end and gives the result. */
function run(options: LabOptions): RunResult {
  const world = new LabWorld(options);
  while (!world.advance(10_000));
  return world.result();
}

function near(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) < 1e-6, `${actual} in place of ${expected}`);
}

const ONE_ENDPOINT = [createTestEndpoint()];

it('measures at the client what gateway, network and engine take together', () => {
  const result = run(
    createTestOptions(new ListSource([createTestRequest(1000)]), {
      endpoints: ONE_ENDPOINT,
      delays: { gatewayMs: 2, networkMs: 3, scrapeMs: 4 },
    }),
  );
  assert.equal(result.status, 'finished');
  assert.deepEqual(result.requests, {
    sent: 1,
    completed: 1,
    refused: 0,
    failed: 0,
    unanswered: 0,
  });
  // 100 tokens at 0.1 ms and 10 ms a step; gateway once, network there and back.
  near(result.ttftMs.p50, 2 + 3 + 20 + 3);
  // Steps of one sequence with 101 to 109 tokens of context.
  const decodeMs = 9 * 10.05 + 0.00002 * ((101 + 109) / 2) * 9;
  near(result.e2eMs.p50, 28 + decodeMs);
  near(result.tpotMs.p50, decodeMs / 9);
  assert.equal(result.itlMs.count, 9);
  near(result.itlMs.mean, decodeMs / 9);
  near(result.simulatedMs, 1028 + decodeMs);
});

it('leaves what was sent in the warm-up out of all figures but those of the fleet', () => {
  const requests = [0, 400, 500, 900].map((atMs) => createTestRequest(atMs));
  const result = run(
    createTestOptions(new ListSource(requests), { endpoints: ONE_ENDPOINT, warmUpMs: 500 }),
  );
  assert.equal(result.requests.sent, 2);
  assert.equal(result.requests.completed, 2);
  for (const shape of [result.ttftMs, result.tpotMs, result.e2eMs]) assert.equal(shape.count, 2);
  assert.equal(result.itlMs.count, 18);
  near(result.countedMs, result.simulatedMs - 500);
  near(result.throughput.requestsPerSecond, 2000 / result.countedMs);
  near(result.throughput.outputTokensPerSecond, 20_000 / result.countedMs);
  near(result.throughput.inputTokensPerSecond, 200_000 / result.countedMs);
  assert.equal(result.fairness.tenants[0]?.requests, 2);
  assert.equal(result.endpoints[0]?.requests, 4);
  assert.equal(result.endpoints[0]?.outputTokens, 40);
});

it('counts as good what was within every part of the objective', () => {
  const requests = [
    createTestRequest(0),
    // 1,000 prompt tokens take 110 ms.
    createTestRequest(1000, { segments: [{ id: 1, tokens: 1000 }] }),
    createTestRequest(2000, { output: { id: 9, tokens: 100 } }),
    createTestRequest(4000, { output: { id: 10, tokens: 1 } }),
  ];
  const objectives = [
    [{ ttftMs: 100, tpotMs: null, e2eMs: null }, 3],
    [{ ttftMs: null, tpotMs: 10, e2eMs: null }, 1],
    [{ ttftMs: null, tpotMs: 11, e2eMs: 500 }, 3],
    [{ ttftMs: null, tpotMs: null, e2eMs: null }, 4],
  ] as const;
  for (const [objective, good] of objectives) {
    const { goodput, acceleratorSecondsPerThousandGood, countedMs } = run(
      createTestOptions(new ListSource(requests), { endpoints: ONE_ENDPOINT, objective }),
    );
    assert.equal(goodput.goodRequests, good, JSON.stringify(objective));
    assert.equal(goodput.goodShare, good / 4);
    near(goodput.requestsPerSecond, (1000 * good) / countedMs);
    near(acceleratorSecondsPerThousandGood!, countedMs / good);
  }
});

it('lets a later turn hit the blocks that an earlier answer left in the cache', () => {
  const first = createTestRequest(0, {
    segments: [{ id: 1, tokens: 320 }],
    output: { id: 2, tokens: 161 },
  });
  const second = createTestRequest(10_000, {
    segments: [
      { id: 1, tokens: 320 },
      { id: 2, tokens: 161 },
      { id: 3, tokens: 63 },
    ],
  });
  const result = run(
    createTestOptions(new ListSource([first, second]), { endpoints: ONE_ENDPOINT }),
  );
  // The KV of an answer's last token is never computed.
  near(result.prefixHitShare, 480 / (320 + 544));
});

it('stops an answer at the bound that its client states', () => {
  const request = createTestRequest(0, { output: { id: 1, tokens: 100 }, maxTokens: 7 });
  const result = run(createTestOptions(new ListSource([request])));
  near(result.throughput.outputTokensPerSecond, 7000 / result.countedMs);
});

it('passes an error answer of the engine on without trying another', () => {
  const request = createTestRequest(0, { segments: [{ id: 1, tokens: 40_000 }] });
  const lines: string[] = [];
  const result = run(
    createTestOptions(new ListSource([request]), { trace: (line) => lines.push(line) }),
  );
  assert.equal(result.requests.failed, 1);
  assert.equal(result.ttftMs.count, 0);
  assert.equal(lines.filter((line) => line.includes('picked')).length, 1);
  assert.ok(lines.some((line) => line.includes('answered 400 context_too_long')));
});

it('tries another endpoint when the queue of the first is full, and fails after the last', () => {
  const engine = createTestEngine({ maxNumSeqs: 1, maxQueue: 0 });
  const lines: string[] = [];
  const result = run(
    createTestOptions(new ListSource([0, 1, 2].map((atMs) => createTestRequest(atMs))), {
      endpoints: [createTestEndpoint({ engine }), createTestEndpoint({ engine })],
      policy: presetPolicy('round-robin'),
      trace: (line) => lines.push(line),
    }),
  );
  assert.equal(result.requests.completed, 2);
  assert.equal(result.requests.failed, 1);
  assert.equal(lines.filter((line) => line.includes('2 lost status')).length, 2);
});

it('routes adapters by name, and refuses one that nobody serves', () => {
  const requests = ['sql', 'sql', 'missing'].map((adapter, index) =>
    createTestRequest(index * 1000, { adapter }),
  );
  const result = run(createTestOptions(new ListSource(requests), { adapters: ['sql'] }));
  assert.equal(result.requests.completed, 2);
  assert.equal(result.requests.refused, 1);
  assert.equal(result.adapterLoads, 1);
  assert.equal(result.requests.failed, 0);
});

it('sends what a source only knows of when an answer has come', () => {
  const loop = new LoopSource(5, 100);
  const result = run(createTestOptions(loop, { endpoints: ONE_ENDPOINT }));
  assert.equal(result.requests.completed, 5);
  assert.equal(loop.taken, 5);
  assert.ok(result.simulatedMs > 5 * 110 + 4 * 100);
});

/** One client that thinks for a while after every answer. */
class LoopSource implements TrafficSource {
  readonly expectedCount: number;
  taken = 0;
  #nextAtMs = 0;
  readonly #thinkMs: number;

  constructor(count: number, thinkMs: number) {
    this.expectedCount = count;
    this.#thinkMs = thinkMs;
  }

  nextAtMs(): number {
    return this.#nextAtMs;
  }

  take(): LabRequest {
    const request = createTestRequest(this.#nextAtMs);
    this.taken += 1;
    this.#nextAtMs = Number.POSITIVE_INFINITY;
    return request;
  }

  noteEnded(_request: LabRequest, atMs: number): void {
    if (this.taken < this.expectedCount) this.#nextAtMs = atMs + this.#thinkMs;
  }
}

it('takes no request after its duration', () => {
  const source = new ListSource([0, 999, 1000, 1001].map((atMs) => createTestRequest(atMs)));
  const result = run(createTestOptions(source, { durationMs: 1000 }));
  assert.equal(result.status, 'finished');
  assert.equal(result.requests.sent, 3);
});

const FLOOD = {
  seed: 1,
  requestsPerSecond: 200,
  durationMs: 60_000,
  prefixes: 1,
  prefixTokens: 0,
  promptTokens: 1000,
  outputTokens: 100,
};

it('gives an overload up at its bound of open requests', () => {
  const source = new PoissonSource(FLOOD);
  const world = new LabWorld(createTestOptions(source, { maxOpenRequests: 300 }));
  while (!world.advance(1000)) assert.ok(world.openRequests <= 300);
  const result = world.result();
  assert.equal(result.status, 'saturated');
  assert.match(result.reason ?? '', /^301 requests were under way at once \(\d+\.\d s\)/);
  assert.equal(result.requests.unanswered, 301);
  assert.ok(result.simulatedMs < 60_000);
  assert.ok(result.goodput.goodShare < 1);
});

it('counts what is unanswered after the drain as not good', () => {
  const result = run(
    createTestOptions(new PoissonSource({ ...FLOOD, durationMs: 5000 }), {
      durationMs: 5000,
      drainMs: 2000,
    }),
  );
  assert.equal(result.status, 'saturated');
  assert.equal(result.simulatedMs, 7000);
  assert.match(result.reason ?? '', /of \d+ requests were unanswered at its end/);
  const { sent, completed, unanswered } = result.requests;
  assert.ok(unanswered > 0);
  assert.equal(sent, completed + unanswered);
  assert.ok(result.goodput.goodShare <= completed / sent);
});

it('gives each tenant its own figures and tells how equal they are', () => {
  const requests = Array.from({ length: 8 }, (_, index) =>
    createTestRequest(index * 500, { tenant: index % 4 === 3 ? 'small' : 'large' }),
  );
  const { fairness } = run(createTestOptions(new ListSource(requests)));
  const figures = fairness.tenants.map(({ tenant, requests: count, outputTokens, goodShare }) => ({
    tenant,
    count,
    outputTokens,
    goodShare,
  }));
  assert.deepEqual(figures, [
    { tenant: 'large', count: 6, outputTokens: 60, goodShare: 1 },
    { tenant: 'small', count: 2, outputTokens: 20, goodShare: 1 },
  ]);
  near(fairness.jain, 80 ** 2 / (2 * (60 ** 2 + 20 ** 2)));
  const [one, other] = fairness.tenants.map(({ goodShare }) => goodShare);
  near(fairness.jainOfGoodShare, (one! + other!) ** 2 / (2 * (one! ** 2 + other! ** 2)));
});

it('keeps its time series below 600 samples, however long it runs', () => {
  const requests = Array.from({ length: 200 }, (_, index) => createTestRequest(index * 500));
  const { series, simulatedMs } = run(
    createTestOptions(new ListSource(requests), { sampleMs: 50 }),
  );
  assert.equal(series.intervalMs, 200);
  const samples = series.waiting[0]!.length;
  assert.equal(samples, Math.floor(simulatedMs / 200));
  for (const lists of [series.running, series.kvUsage, series.picks]) {
    assert.deepEqual(
      lists.map(({ length }) => length),
      [samples, samples],
    );
  }
  const picks = series.picks.flat().reduce((sum, count) => sum + count, 0);
  assert.equal(picks, 200);
  assert.ok(series.running.flat().some((running) => running > 0));
});

it('measures how busy engines are, and how much waits', () => {
  const requests = [0, 0, 0].map((_, index) => createTestRequest(index));
  const engine = createTestEngine({ maxNumSeqs: 1 });
  const result = run(
    createTestOptions(new ListSource(requests), { endpoints: [createTestEndpoint({ engine })] }),
  );
  near(result.endpoints[0]!.busyShare, 1);
  assert.equal(result.endpoints[0]!.maxWaiting, 2);
  assert.equal(result.queue.maxWaiting, 2);
  // Two wait for the first answer, one of them for the second as well.
  near(result.queue.meanWaiting, 1 - 3 / result.simulatedMs);
  assert.ok(result.endpoints[0]!.meanKvUsage > 0.001);
  assert.ok(result.endpoints[0]!.meanKvUsage < 0.002);
});

it('hands objective and headers of a request to the policy', () => {
  const requests = Array.from({ length: 20 }, (_, index) =>
    createTestRequest(index * 300, {
      headers: { 'x-session-id': index % 2 === 0 ? 'a' : 'b' },
      objective: index % 2 === 0 ? { ttftMs: 200, tpotMs: 30 } : NO_OBJECTIVE,
    }),
  );
  const endpoints = Array.from({ length: 8 }, () => createTestEndpoint());
  const world = new LabWorld(
    createTestOptions(new ListSource(requests), {
      endpoints,
      policy: presetPolicy('consistent-hash'),
    }),
  );
  while (!world.advance(1000));
  const used = world.result().endpoints.filter(({ requests: count }) => count > 0);
  assert.ok(used.length <= 2, 'a session stays where it is');
  const [last, before] = world.brain.decisions.latest(2);
  assert.deepEqual(before!.objective, { ttftMs: 200, tpotMs: 30 });
  assert.deepEqual(last!.objective, NO_OBJECTIVE);
  assert.equal(last!.outcome, 'completed');
});

it('tells progress, gives way, and stops when asked', async () => {
  const source = (): TrafficSource => new PoissonSource({ ...FLOOD, requestsPerSecond: 5 });
  const seen: number[] = [];
  const stopped = await driveWorld(new LabWorld(createTestOptions(source())), {
    shouldStop: () => (seen.length >= 3 ? 'out_of_time' : null),
    onProgress: (progress) => seen.push(progress),
  });
  assert.equal(stopped.status, 'out_of_time');
  assert.match(stopped.reason ?? '', /out of its time at \d+\.\d s of 600 s/);
  assert.equal(seen.length, 3);
  assert.ok(stopped.requests.sent > 0);

  const all: number[] = [];
  const finished = await driveWorld(new LabWorld(createTestOptions(source())), {
    shouldStop: () => null,
    onProgress: (progress) => all.push(progress),
  });
  assert.equal(finished.status, 'finished');
  assert.deepEqual(
    all,
    all.toSorted((a, b) => a - b),
  );
  assert.equal(all.at(-1), 1);
});
