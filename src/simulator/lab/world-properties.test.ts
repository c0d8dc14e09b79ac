import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { PRESET_NAMES } from '../../scheduler/presets.ts';
import {
  createTestEndpoint,
  createTestEngine,
  createTestOptions,
  createTestRequest,
  ListSource,
  presetPolicy,
} from './testing/world-builders.ts';
import type { EndpointEvent, LabOptions } from './types.ts';
import { LabWorld } from './world.ts';

const ADAPTERS = ['x', 'y'];

const events: fc.Arbitrary<EndpointEvent> = fc.oneof(
  fc.record({
    kind: fc.constant('restart' as const),
    atMs: fc.nat(3000),
    downMs: fc.integer({ min: 1, max: 2000 }),
  }),
  fc.record({
    kind: fc.constant('slow' as const),
    atMs: fc.nat(3000),
    factor: fc.constantFrom(0.5, 4),
  }),
  fc.record({ kind: fc.constant('drain' as const), atMs: fc.nat(3000) }),
);

const scenarios = fc.record({
  policy: fc.constantFrom(...PRESET_NAMES),
  seed: fc.nat(1000),
  requests: fc.array(
    fc.record({
      atMs: fc.nat(3000),
      family: fc.nat(3),
      prompt: fc.integer({ min: 1, max: 900 }),
      output: fc.integer({ min: 1, max: 60 }),
      // The third adapter is unknown everywhere.
      adapter: fc.constantFrom(null, null, null, 'x', 'y', 'z'),
    }),
    { minLength: 1, maxLength: 60 },
  ),
  endpoints: fc.array(fc.array(events, { maxLength: 2 }), { minLength: 1, maxLength: 4 }),
  delayMs: fc.constantFrom(0, 1, 50),
});

type Scenario = typeof scenarios extends fc.Arbitrary<infer Value> ? Value : never;

function optionsOf(scenario: Scenario): LabOptions & { readonly traffic: ListSource } {
  const { policy, seed, requests, endpoints, delayMs } = scenario;
  // Small enough for full queues, prompts that are too long, and preemptions.
  const engine = createTestEngine({
    kvBlocks: 60,
    maxModelLenTokens: 900,
    maxNumSeqs: 4,
    maxQueue: 6,
    adapters: { slots: 1, cpuSlots: 1, loadMs: 300, activateMs: 30 },
  });
  const sent = requests
    .toSorted((a, b) => a.atMs - b.atMs)
    .map(({ atMs, family, prompt, output, adapter }, index) =>
      createTestRequest(atMs, {
        segments: [{ id: family, tokens: prompt }],
        output: { id: 1000 + index, tokens: output },
        adapter,
        tenant: `tenant-${family}`,
      }),
    );
  const traffic = new ListSource(sent);
  const options = createTestOptions(traffic, {
    policy: presetPolicy(policy),
    seed,
    adapters: ADAPTERS,
    endpoints: endpoints.map((list, index) =>
      createTestEndpoint({ engine, events: list, readyAtMs: index === 2 ? 500 : 0 }),
    ),
    delays: { gatewayMs: delayMs, networkMs: delayMs, scrapeMs: delayMs },
  });
  return { ...options, traffic };
}

it('ends every request exactly once and leaves nothing booked or held', () => {
  fc.assert(
    fc.property(scenarios, (scenario) => {
      const options = optionsOf(scenario);
      const world = new LabWorld(options);
      while (!world.advance(10_000));
      const { status, requests, ttftMs, endpoints } = world.result();
      assert.equal(status, 'finished');
      assert.equal(requests.sent, scenario.requests.length);
      assert.equal(requests.unanswered, 0);
      assert.equal(requests.completed + requests.refused + requests.failed, requests.sent);
      assert.equal(ttftMs.count, requests.completed);
      const ended = options.traffic.ended.map(([request]) => request);
      assert.equal(ended.length, requests.sent);
      assert.equal(new Set(ended).size, requests.sent);
      for (const [request, atMs] of options.traffic.ended) assert.ok(atMs >= request.atMs);
      checkNothingHeld(world);
      const tokens = endpoints.reduce((sum, { outputTokens }) => sum + outputTokens, 0);
      assert.equal(tokens, world.outputTokens);
    }),
    { numRuns: 120 },
  );
});

function checkNothingHeld(world: LabWorld): void {
  const { load } = world.brain.fleet;
  assert.equal(world.openRequests, 0);
  for (const { slot } of world.brain.fleet.endpoints()) {
    assert.equal(load.requestsInFlight[slot], 0);
    assert.equal(load.tokensInFlight[slot], 0);
    assert.equal(load.prefillTokensInFlight[slot], 0);
  }
  for (const { model, openRequests } of world.replicas) {
    assert.equal(openRequests, 0);
    if (model === null) continue;
    assert.equal(model.freeBlocks, model.options.kvBlocks);
    assert.equal(model.running + model.waiting, 0);
  }
}

it('gives equal results for equal options, down to the trace', () => {
  fc.assert(
    fc.property(scenarios, (scenario) => {
      const play = (slice: number): readonly unknown[] => {
        const lines: string[] = [];
        const world = new LabWorld({
          ...optionsOf(scenario),
          trace: (line) => lines.push(line),
        });
        while (!world.advance(slice));
        return [lines, world.result()];
      };
      assert.deepEqual(play(7), play(10_000));
    }),
    { numRuns: 30 },
  );
});

it('makes throughput of what the counted requests brought, and nothing else', () => {
  fc.assert(
    fc.property(scenarios, fc.nat(3000), (scenario, warmUpMs) => {
      const options = { ...optionsOf(scenario), warmUpMs };
      const world = new LabWorld(options);
      while (!world.advance(10_000));
      const result = world.result();
      const counted = scenario.requests.filter(({ atMs }) => atMs >= warmUpMs);
      assert.equal(result.requests.sent, counted.length);
      const { tenants } = result.fairness;
      assert.equal(
        tenants.reduce((sum, { requests }) => sum + requests, 0),
        counted.length,
      );
      const tokens = tenants.reduce((sum, { outputTokens }) => sum + outputTokens, 0);
      const perSecond = result.countedMs > 0 ? (1000 * tokens) / result.countedMs : 0;
      assert.ok(Math.abs(result.throughput.outputTokensPerSecond - perSecond) < 1e-6);
      assert.ok(result.goodput.goodRequests <= result.requests.completed);
    }),
    { numRuns: 40 },
  );
});
