import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endpointId } from '../core/ids.ts';
import { createTestInput } from '../scheduler/testing/pick-world.ts';
import type { AdmissionPort, LimitPort, TokenEstimate } from './ports.ts';
import { begin, createHead, createRouteSpec, createTestWorld, takeOff } from './testing/world.ts';
import type { TestWorld } from './testing/world.ts';
import type { FlightResult, Refusal } from './types.ts';

const DONE: FlightResult = {
  outcome: 'completed',
  status: 200,
  errorCode: null,
  failure: null,
  usage: { promptTokens: 120, completionTokens: 40, cachedTokens: 16 },
};

function inFlight(world: TestWorld): number {
  const { load } = world.fleet;
  const sum = (column: Float64Array): number => column.reduce((total, value) => total + value, 0);
  return sum(load.requestsInFlight) + sum(load.tokensInFlight) + sum(load.prefillTokensInFlight);
}

test('an unknown model is refused with the nearest known name and never becomes a label', () => {
  const world = createTestWorld({ pools: { chat: [['qwen-7b']] } });
  const refusal = begin(world, createHead('qwen-7c'));
  assert.ok('code' in refusal);
  assert.equal(refusal.code, 'model_not_found');
  assert.match(refusal.message, /Did you mean "qwen-7b"\?/);
  assert.equal(world.decisions.size, 0);
  for (const family of world.metrics.collect()) {
    for (const key of family.series.keys()) assert.ok(!key.includes('qwen-7c'));
  }
});

test('an unknown model may be one of a server that was never probed: come back later', () => {
  const world = createTestWorld({ pools: { chat: [['m']] } });
  const late = { url: 'http://late:8000', labels: {}, engine: null, models: null, tls: null };
  world.fleet.setPool(null, [late]);
  const refusal = begin(world, createHead('unheard-of'));
  assert.ok('code' in refusal);
  assert.equal(refusal.code, 'no_endpoint');
  assert.match(refusal.message, /have not answered yet: 1/);
  assert.ok(refusal.retryAfterMs !== null && refusal.retryAfterMs > 0);

  const [, server] = world.fleet.endpoints();
  world.fleet.setUnreachable(server!, 'connection refused');
  assert.equal((begin(world, createHead('unheard-of')) as Refusal).code, 'no_endpoint');
  world.fleet.setPool(null, [{ ...late, models: ['other'] }]);
  assert.equal((begin(world, createHead('unheard-of')) as Refusal).code, 'model_not_found');
});

test('one of sixteen picks is measured', () => {
  const world = createTestWorld({ pools: { chat: [['m']] } });
  for (let i = 0; i < 40; i += 1) takeOff(world, createHead('m'));
  const { counts } = world.metrics.histogram('penstock_pick_duration_seconds');
  assert.equal(
    counts.reduce((sum, count) => sum + count, 0),
    2,
  );
});

test('the pick books before the next one: 20 requests over 4 idle endpoints are 5 each', () => {
  const world = createTestWorld({ pools: { chat: [['m'], ['m'], ['m'], ['m']] } });
  for (let i = 0; i < 20; i += 1) takeOff(world, createHead('m'));
  const counts = world.fleet.endpoints().map(({ slot }) => world.fleet.load.requestsInFlight[slot]);
  assert.deepEqual(counts, [5, 5, 5, 5]);
});

test('a finished flight leaves nothing booked and completes its record', () => {
  const world = createTestWorld({ pools: { chat: [['m']] } });
  const flight = takeOff(world, createHead('m'));
  world.clock.advance(80);
  flight.noteFirstByte(200);
  world.clock.advance(390);
  flight.finish(DONE);
  flight.finish({ ...DONE, outcome: 'interrupted' });
  assert.equal(inFlight(world), 0);
  const [record] = world.decisions.latest(1);
  assert.equal(record!.outcome, 'completed');
  assert.equal(record!.ttftMs, 80);
  assert.equal(record!.durationMs, 470);
  assert.equal(record!.cachedTokens, 16);
  assert.deepEqual(record!.attempts, [{ endpoint: 'chat-0:8000', result: 'answered', ms: 470 }]);
});

test('a prompt is under way on the endpoint that has it, and nowhere once its flight has ended', () => {
  const world = createTestWorld({ pools: { chat: [['m'], ['m'], ['m']] } });
  const hashes = new Uint32Array(100).map((_, index) => index + 1);
  const whole = { blockBytes: 256, count: 50, hashes };
  // The first half is all that is here when the pick is made.
  let known = { ...whole, count: 25 };
  const head = createHead('m', { promptBlocks: () => known });
  const failed: FlightResult = { ...DONE, outcome: 'upstream_error', status: 502, usage: null };
  for (const end of [DONE, failed, { ...failed, outcome: 'client_closed' as const }]) {
    known = { ...whole, count: 25 };
    const flight = takeOff(world, head);
    flight.failAttempt('reset', { mayRetry: true });
    known = whole;
    flight.noteFirstByte(200);
    flight.finish(end);
    flight.finish(end);
  }
  const { load } = world.fleet;
  // Places are given out again: were one still taken, the next would be another than the first.
  const input = createTestInput(load, { members: Int32Array.of(0), blocks: whole });
  assert.equal(world.scheduler.noteBooked(0, input), 1);
});

test('quick refusals by an endpoint do not make it look quick', () => {
  const world = createTestWorld({ pools: { chat: [['m']] } });
  const answer = (status: number): void => {
    const flight = takeOff(world, createHead('m'));
    world.clock.advance(1);
    flight.noteFirstByte(status);
    flight.finish({ ...DONE, status, usage: null });
  };
  const predicted = (): number | null => {
    takeOff(world, createHead('m')).finish({ ...DONE, usage: null });
    return world.decisions.latest(1)[0]!.ordered[0]!.predictedTtftMs;
  };
  const before = predicted();
  for (let i = 0; i < 20; i += 1) answer(400);
  assert.equal(predicted(), before);
  for (let i = 0; i < 20; i += 1) answer(200);
  assert.notEqual(predicted(), before);
});

test('a failed attempt moves to another endpoint, never the same, and to at most three', () => {
  const world = createTestWorld({ pools: { chat: [['m'], ['m'], ['m'], ['m']] } });
  const flight = takeOff(world, createHead('m'));
  const tried = [flight.endpoint.id];
  assert.equal(flight.failAttempt('connect', { mayRetry: true }), 'retry');
  tried.push(flight.endpoint.id);
  assert.equal(flight.failAttempt('reset', { mayRetry: true }), 'retry');
  tried.push(flight.endpoint.id);
  assert.equal(flight.failAttempt('status', { mayRetry: true }), 'give-up');
  assert.equal(new Set(tried).size, 3);
  flight.finish({
    outcome: 'upstream_error',
    status: 502,
    errorCode: 'upstream_reset',
    failure: null,
    usage: null,
  });
  assert.equal(inFlight(world), 0);
  assert.deepEqual(
    world.decisions.latest(1)[0]!.attempts.map(({ result }) => result),
    ['connect', 'reset', 'status'],
  );
});

test('only what the endpoint did itself counts against it', () => {
  const world = createTestWorld({ pools: { chat: [['m'], ['m'], ['m']] } });
  const [endpoint] = world.fleet.endpoints();
  const breakOff = (result: Partial<FlightResult>): string => {
    const pinnedEndpoint = endpoint!.id;
    const flight = takeOff(world, { ...createHead('m'), pinnedEndpoint });
    flight.finish({ ...DONE, outcome: 'interrupted', usage: null, ...result });
    return world.decisions
      .latest(1)[0]!
      .attempts.map(({ result: how }) => how)
      .join();
  };
  for (let i = 0; i < 5; i += 1) {
    assert.equal(breakOff({ errorCode: 'upstream_timeout' }), 'cancelled');
    assert.equal(breakOff({ errorCode: 'draining' }), 'cancelled');
    assert.equal(breakOff({ outcome: 'client_closed' }), 'cancelled');
    assert.equal(breakOff({ outcome: 'upstream_error' }), 'cancelled');
  }
  assert.equal(endpoint!.health.consecutiveFailures, 0);
  for (let i = 0; i < 3; i += 1) assert.equal(breakOff({ failure: 'timeout' }), 'timeout');
  assert.equal(endpoint!.health.state, 'ejected');
});

test('a request that cannot be sent again is not retried', () => {
  const world = createTestWorld({ pools: { chat: [['m'], ['m']] } });
  const flight = takeOff(world, createHead('m'));
  assert.equal(flight.failAttempt('reset', { mayRetry: false }), 'give-up');
});

test('retries stop when the budget is used up', () => {
  const world = createTestWorld({ pools: { chat: [['m'], ['m'], ['m'], ['m'], ['m']] } });
  let retries = 0;
  for (let i = 0; i < 100; i += 1) {
    const flight = takeOff(world, createHead('m'));
    // Connect failures would eject the endpoints; a success in between keeps them in.
    for (const { slot } of world.fleet.endpoints()) world.fleet.recordSuccess(slot);
    if (flight.failAttempt('reset', { mayRetry: true }) === 'retry') retries += 1;
    flight.finish({ ...DONE, usage: null });
  }
  assert.equal(retries, 30);
});

test('no available endpoint is a refusal that says when to come back', () => {
  const world = createTestWorld({ pools: { chat: [['m']] } });
  world.fleet.drain(endpointId('chat-0:8000'), true);
  const refusal = begin(world, createHead('m'));
  assert.ok('code' in refusal);
  assert.equal(refusal.code, 'no_endpoint');
  assert.ok(refusal.retryAfterMs !== null && refusal.retryAfterMs > 0);
});

test('weights share traffic between targets, and an unavailable target is stood in for', () => {
  const world = createTestWorld({
    pools: { small: [['qwen']], large: [['llama']] },
    routes: [
      createRouteSpec('auto', [
        { pool: 'small', model: 'qwen', weight: 3 },
        { pool: 'large', model: 'llama', weight: 1 },
      ]),
    ],
  });
  const draw = (): number => {
    let small = 0;
    for (let i = 0; i < 1000; i += 1) {
      const flight = takeOff(world, createHead('auto'));
      if (flight.upstreamModel === 'qwen') small += 1;
      flight.finish({ ...DONE, usage: null });
    }
    return small;
  };
  const small = draw();
  assert.ok(small > 690 && small < 810, `${small} of 1000`);
  world.fleet.drain(endpointId('small-0:8000'), true);
  assert.equal(draw(), 0);
});

test('an alias leads to the model it stands for', () => {
  const world = createTestWorld({
    pools: { chat: [['qwen']] },
    routes: [createRouteSpec('qwen', [{ pool: 'chat' }], ['gpt-4o'])],
  });
  assert.equal(takeOff(world, createHead('gpt-4o')).upstreamModel, 'qwen');
});

test('a pinned request goes nowhere else', () => {
  const world = createTestWorld({ pools: { chat: [['m'], ['m'], ['m']] } });
  const pinned = endpointId('chat-1:8000');
  for (let i = 0; i < 10; i += 1) {
    assert.equal(takeOff(world, createHead('m', { pinnedEndpoint: pinned })).endpoint.id, pinned);
  }
  const refusal = begin(world, createHead('m', { pinnedEndpoint: endpointId('nowhere:1') }));
  assert.ok('code' in refusal && refusal.code === 'no_endpoint');
});

test('limits come before admission, and what was reserved is settled once whatever happens', () => {
  const settled: TokenEstimate[] = [];
  const limits: LimitPort = {
    reserve: () => ({ settle: (used) => settled.push(used) }),
  };
  let decide: ((refusal: null) => void) | null = null;
  const admission: AdmissionPort = {
    admit: (head, answer) => {
      if (head.model === 'm') decide = answer;
      else answer({ code: 'no_endpoint', message: 'full', retryAfterMs: 10 });
    },
  };
  const world = createTestWorld({
    pools: { chat: [['m', 'n']] },
    director: { limits, admission },
  });
  assert.ok('code' in begin(world, createHead('n')));
  assert.deepEqual(settled, [{ promptTokens: 0, outputTokens: 0 }]);

  assert.equal(begin(world, createHead('m')), null);
  assert.equal(inFlight(world), 0);
  decide!(null);
  assert.ok(inFlight(world) > 0);
});

test('token estimates follow the usage that engines report', () => {
  const world = createTestWorld({ pools: { chat: [['m']] } });
  const estimate = (): number => (
    takeOff(world, createHead('m', { promptBytes: 900 })),
    world.decisions.latest(1)[0]!.promptTokensEstimate
  );
  assert.equal(estimate(), 225);
  for (let i = 0; i < 200; i += 1) {
    world.clock.advance(100);
    const flight = takeOff(world, createHead('m', { promptBytes: 900 }));
    flight.finish({
      ...DONE,
      usage: { promptTokens: 300, completionTokens: 10, cachedTokens: null },
    });
  }
  assert.equal(estimate(), 300);
});

test('an observer hears once of every end, of flights with their complete record', () => {
  const world = createTestWorld({ pools: { chat: [['m'], ['m']] } });
  const heard: string[] = [];
  world.director.observe({
    onEnded: ({ head, record, startedAtMs }) => {
      const tries = record.attempts.map(({ result }) => result).join();
      heard.push(`${head.model} ${record.outcome} ${tries} ${startedAtMs} ${record.durationMs}`);
    },
    onRefused: ({ refusal, model, pool, promptTokens }) => {
      heard.push(`${refusal.code} ${model} ${pool} ${promptTokens}`);
    },
  });
  const startedAtMs = world.clock.now();
  const flight = takeOff(world, createHead('m'));
  world.clock.advance(5);
  flight.failAttempt('reset', { mayRetry: true });
  assert.deepEqual(heard, []);
  world.clock.advance(20);
  flight.finish(DONE);
  flight.finish(DONE);
  begin(world, createHead('unheard-of'));
  for (const { id } of world.fleet.endpoints()) world.fleet.drain(id, true);
  begin(world, { ...createHead('m'), promptBytes: 400 });
  const tokens = Math.ceil((400 * 120) / createHead('m').promptBytes);
  assert.deepEqual(heard, [
    `m completed reset,answered ${startedAtMs} 25`,
    'model_not_found null null null',
    `no_endpoint m chat ${tokens}`,
  ]);

  world.director.observe(null);
  begin(world, createHead('unheard-of'));
  assert.equal(heard.length, 3);
});
