import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endpointId, poolId } from '../core/ids.ts';
import type { EndpointSpec } from './endpoint.ts';
import { REVIVAL_MS, SLOT_REST_MS } from './roster.ts';
import {
  adapter,
  addPool,
  baseModel,
  createFleetWorld,
  endpointByUrl,
  factsOf,
  failTimes,
  specOf,
  specsOf,
} from './testing/builders.ts';

const P = poolId('p');
const Q = poolId('q');
const URL_A = 'http://a1:8000';

test('an endpoint that was never probed is not available, unless its models are given', () => {
  const { fleet } = createFleetWorld();
  fleet.setPool(P, [specOf('http://a:1'), specOf('http://b:2', { models: ['m'] })]);
  const [silent, told] = fleet.endpoints();
  assert.equal(fleet.load.isAvailable[silent!.slot], 0);
  assert.equal(fleet.statusOf(silent!.slot).state, 'probing');
  assert.equal(fleet.load.isAvailable[told!.slot], 1);
  assert.deepEqual([...fleet.served(P, 'm')!.members], [told!.slot]);
  fleet.setUnreachable(told!, 'connect ECONNREFUSED');
  assert.equal(fleet.load.isAvailable[told!.slot], 0);
  assert.equal(fleet.statusOf(told!.slot).reason, 'connect ECONNREFUSED');
  fleet.setFacts(silent!, factsOf(baseModel('m')));
  assert.equal(fleet.load.isAvailable[silent!.slot], 1);
  assert.equal(fleet.served(P, 'm')!.members.length, 2);
});

test('an unreachable endpoint still lets its model be known', () => {
  const { fleet } = createFleetWorld();
  const [endpoint] = addPool(fleet, 1);
  fleet.setUnreachable(endpoint!, 'timeout');
  assert.equal(fleet.served(P, 'm')!.members.length, 1);
  assert.equal(fleet.retryAfterMs(fleet.served(P, 'm')!.members) > 0, true);
  fleet.setReachable(endpoint!);
  assert.equal(fleet.load.isAvailable[endpoint!.slot], 1);
});

test('ids always show the port, and the base path when there is one', () => {
  const { fleet } = createFleetWorld();
  const urls = ['http://a:80', 'https://b', 'http://[::1]:8000/x/y'];
  fleet.setPool(
    P,
    urls.map((url) => specOf(url)),
  );
  const seen = fleet.endpoints().map(({ id, origin, basePath }) => [id, origin, basePath]);
  assert.deepEqual(seen, [
    ['a:80', 'http://a', ''],
    ['b:443', 'https://b', ''],
    ['[::1]:8000/x/y', 'http://[::1]:8000', '/x/y'],
  ]);
  assert.equal(fleet.endpointById(endpointId('b:443'))!.origin, 'https://b');
  assert.equal(fleet.endpointById(endpointId('b:80')), null);
});

test('draining stops picks, survives a reload, and can be undone', () => {
  const { fleet } = createFleetWorld();
  const endpoint = addPool(fleet, 2)[0]!;
  const booking = fleet.book(endpoint.slot, 10, 10);
  assert.equal(fleet.drain(endpoint.id, true), true);
  fleet.setPool(P, specsOf(3));
  assert.equal(fleet.load.isAvailable[endpoint.slot], 0);
  assert.equal(fleet.statusOf(endpoint.slot).state, 'draining');
  assert.equal(fleet.load.requestsInFlight[endpoint.slot], 1);
  booking.release();
  fleet.drain(endpoint.id, false);
  assert.equal(fleet.load.isAvailable[endpoint.slot], 1);
  assert.equal(fleet.drain(endpointId('nobody:1'), true), false);
});

test('a reload keeps the object of an equal spec, with ledger, health and facts', () => {
  const { fleet } = createFleetWorld();
  const [first, second] = addPool(fleet, 2);
  const booking = fleet.book(first!.slot, 100, 50);
  failTimes(fleet, second!.slot, 2);
  const { version } = fleet;
  fleet.setPool(P, specsOf(2));
  assert.equal(fleet.version, version);
  fleet.setPool(P, specsOf(3).toReversed());
  assert.ok(fleet.version > version);
  assert.equal(endpointByUrl(fleet, first!.spec.url), first);
  assert.equal(endpointByUrl(fleet, second!.spec.url).health.consecutiveFailures, 2);
  assert.equal(fleet.load.tokensInFlight[first!.slot], 150);
  assert.notEqual(first!.facts, null);
  booking.release();
});

test('a reload keeps the object when the server moves between pools, in either order', () => {
  for (const isAddedFirst of [true, false]) {
    const { fleet } = createFleetWorld();
    const endpoint = addPool(fleet, 1)[0]!;
    const booking = fleet.book(endpoint.slot, 7, 7);
    const steps = [(): void => fleet.setPool(Q, specsOf(1)), (): void => fleet.removePool(P)];
    for (const step of isAddedFirst ? steps : steps.toReversed()) step();
    assert.deepEqual(fleet.endpoints(), [endpoint]);
    assert.equal(endpoint.pool, Q);
    assert.equal(endpoint.isRemoved, false);
    assert.equal(fleet.load.isAvailable[endpoint.slot], 1);
    assert.equal(fleet.load.requestsInFlight[endpoint.slot], 1);
    assert.equal(fleet.served(P, 'm'), null);
    assert.equal(fleet.served(Q, 'm')!.members[0], endpoint.slot);
    booking.release();
  }
});

test('new labels or models change the object in place; new TLS settings make another', () => {
  const { fleet } = createFleetWorld();
  const endpoint = addPool(fleet, 1)[0]!;
  const tls = { caPem: 'x', certPem: null, keyPem: null, serverName: null, skipVerify: false };
  const change = (spec: Partial<EndpointSpec>): void => fleet.setPool(P, [specOf(URL_A, spec)]);
  change({ labels: { zone: 'b' } });
  assert.deepEqual(fleet.endpoints(), [endpoint]);
  assert.deepEqual(endpoint.spec.labels, { zone: 'b' });
  change({ models: ['n'] });
  assert.deepEqual(fleet.endpoints(), [endpoint]);
  assert.equal(fleet.served(P, 'm'), null);
  assert.notEqual(fleet.served(P, 'n'), null);
  change({ tls });
  const [other] = fleet.endpoints();
  assert.notEqual(other, endpoint);
  assert.equal(endpoint.isRemoved, true);
  // The server is the same, so the pool does not stand empty until the next probe.
  assert.equal(fleet.load.isAvailable[other!.slot], 1);
  change({ tls: { ...tls } });
  assert.equal(fleet.endpoints()[0], other);
});

test('one server listed in two pools is one endpoint with one ledger', () => {
  const { fleet } = createFleetWorld();
  const endpoint = addPool(fleet, 1)[0]!;
  fleet.setPool(Q, specsOf(1));
  assert.deepEqual(fleet.endpoints(), [endpoint]);
  assert.deepEqual(fleet.statusOf(endpoint.slot).pools, [P, Q]);
  assert.equal(fleet.servedAnywhere('m').length, 2);
  fleet.setPool(Q, [specOf(URL_A, { models: ['n'] })]);
  assert.equal(fleet.endpoints().length, 2);
  assert.equal(endpoint.spec.models, null);
  assert.equal(fleet.served(P, 'n'), null);
  fleet.removePool(P);
  assert.equal(endpoint.isRemoved, true);
  assert.equal(fleet.servedAnywhere('m').length, 0);
});

test('a server listed twice in one pool counts once', () => {
  const { fleet } = createFleetWorld();
  fleet.setPool(P, [specOf(URL_A), specOf(URL_A)]);
  assert.equal(fleet.pools()[0]!.members.length, 1);
});

test('a slot is reused only after its rest and when nothing is in flight on it', () => {
  const { clock, fleet } = createFleetWorld();
  const old = addPool(fleet, 1)[0]!;
  const booking = fleet.book(old.slot, 10, 10);
  fleet.setPool(P, specsOf(1, 'b'));
  clock.advance(SLOT_REST_MS + 1);
  fleet.setPool(P, specsOf(2, 'b'));
  assert.ok(fleet.endpoints().every((endpoint) => endpoint.slot !== old.slot));
  assert.equal(fleet.endpointAt(old.slot), old);
  booking.release();
  fleet.setPool(P, specsOf(3, 'b'));
  const next = fleet.endpointAt(old.slot);
  assert.notEqual(next, old);
  assert.equal(next.spec.url, 'http://b3:8000');
  booking.release();
  booking.releasePrompt();
  assert.equal(fleet.load.requestsInFlight[next.slot], 0);
  assert.equal(fleet.load.tokensInFlight[next.slot], 0);
});

test('a slot is not reused while it rests, although nothing is in flight', () => {
  const { clock, fleet } = createFleetWorld();
  const old = addPool(fleet, 1)[0]!;
  fleet.setPool(P, []);
  clock.advance(SLOT_REST_MS - 1);
  fleet.setPool(P, specsOf(1, 'b'));
  assert.equal(fleet.endpointAt(old.slot), old);
  clock.advance(2);
  fleet.setPool(P, specsOf(2, 'b'));
  assert.equal(fleet.endpointAt(old.slot).spec.url, 'http://b2:8000');
});

test('a server that comes back within a minute gets its object back, later a new one', () => {
  const { clock, fleet } = createFleetWorld();
  const old = addPool(fleet, 1)[0]!;
  for (const [absentMs, isSame] of [
    [REVIVAL_MS, true],
    [REVIVAL_MS + 1, false],
  ] as const) {
    fleet.setPool(P, []);
    assert.equal(fleet.statusOf(old.slot).state, 'removed');
    clock.advance(absentMs);
    fleet.setPool(P, specsOf(1));
    assert.equal(fleet.endpoints()[0] === old, isSame);
  }
  assert.equal(fleet.load.isAvailable[fleet.endpoints()[0]!.slot], 0);
});

test('turnover of servers does not grow the table without bound', () => {
  const { clock, fleet } = createFleetWorld();
  for (let round = 0; round < 200; round += 1) {
    fleet.setPool(P, specsOf(10, `h${round}-`));
    clock.advance(SLOT_REST_MS / 2);
  }
  assert.ok(fleet.load.isAvailable.length <= 64);
});

test('auto servers are grouped by base model, with their adapters', () => {
  const { fleet } = createFleetWorld();
  fleet.setPool(null, specsOf(3));
  assert.deepEqual(fleet.pools(), []);
  const [a, b, c] = fleet.endpoints();
  fleet.setFacts(a!, factsOf(baseModel('llama', 8_192), adapter('sql', 'llama')));
  fleet.setFacts(b!, factsOf(baseModel('llama', 4_096)));
  fleet.setFacts(c!, factsOf(baseModel('qwen')));
  assert.deepEqual(
    fleet
      .pools()
      .map(({ id, baseModel, isGrouped, members }) => [id, baseModel, isGrouped, [...members]]),
    [
      ['llama', 'llama', true, [a!.slot, b!.slot]],
      ['qwen', 'qwen', true, [c!.slot]],
    ],
  );
  const base = fleet.served(poolId('llama'), 'llama')!;
  assert.deepEqual([...base.members], [a!.slot, b!.slot]);
  assert.deepEqual([base.residency, base.baseModel, base.contextTokens], [null, null, 4_096]);
  const sql = fleet.served(poolId('llama'), 'sql')!;
  assert.deepEqual([...sql.members], [a!.slot]);
  assert.equal(sql.baseModel, 'llama');
  assert.deepEqual([...sql.residency!], [0]);
  assert.equal(fleet.served(poolId('qwen'), 'sql'), null);
  assert.deepEqual(
    fleet
      .servedNames()
      .map(({ model }) => model)
      .toSorted(),
    ['llama', 'qwen', 'sql'],
  );
});

test('names that the same servers serve share one array of members, others do not', () => {
  const { fleet } = createFleetWorld();
  fleet.setPool(P, specsOf(3));
  const [a, b, c] = fleet.endpoints();
  const everywhere = [baseModel('llama'), adapter('sql', 'llama')];
  fleet.setFacts(a!, factsOf(...everywhere));
  fleet.setFacts(b!, factsOf(...everywhere, adapter('chat', 'llama')));
  fleet.setFacts(c!, factsOf(...everywhere));
  const membersOf = (model: string): Int32Array => fleet.served(P, model)!.members;
  assert.deepEqual([...membersOf('llama')], [a!.slot, b!.slot, c!.slot]);
  assert.equal(membersOf('sql'), membersOf('llama'));
  assert.deepEqual([...membersOf('chat')], [b!.slot]);
});

test('a server of several base models is a member of the pool of each', () => {
  const { fleet } = createFleetWorld();
  fleet.setPool(null, specsOf(2));
  const [ollama, vllm] = fleet.endpoints();
  fleet.setFacts(ollama!, factsOf(baseModel('llama'), baseModel('qwen')));
  fleet.setFacts(vllm!, factsOf(baseModel('qwen')));
  assert.deepEqual([...fleet.served(poolId('qwen'), 'qwen')!.members], [ollama!.slot, vllm!.slot]);
  assert.deepEqual([...fleet.served(poolId('llama'), 'llama')!.members], [ollama!.slot]);
  assert.equal(fleet.served(poolId('llama'), 'qwen'), null);
  fleet.setFacts(ollama!, factsOf(baseModel('qwen')));
  assert.deepEqual(
    fleet.pools().map(({ id }) => id),
    ['qwen'],
  );
});

test('an adapter whose parent is spelled otherwise belongs to the server’s base model', () => {
  const { fleet } = createFleetWorld();
  fleet.setPool(null, specsOf(1));
  const [endpoint] = fleet.endpoints();
  fleet.setFacts(endpoint!, factsOf(adapter('sql', '/models/llama'), baseModel('llama')));
  assert.equal(fleet.servedAnywhere('sql')[0]!.pool, 'llama');
  assert.equal(fleet.servedAnywhere('sql')[0]!.baseModel, 'llama');
});

test('a list of models in the spec decides what is served', () => {
  const { fleet } = createFleetWorld();
  fleet.setPool(P, [specOf(URL_A, { models: ['llama'] })]);
  const [endpoint] = fleet.endpoints();
  fleet.setFacts(
    endpoint!,
    factsOf(
      baseModel('llama', 100),
      baseModel('qwen'),
      adapter('sql', 'llama'),
      adapter('chat', 'qwen'),
    ),
  );
  assert.deepEqual(
    fleet.servedNames().map(({ model }) => model),
    ['llama', 'sql'],
  );
  assert.equal(fleet.served(P, 'llama')!.contextTokens, 100);
});

test('equal facts change no version; other facts do', () => {
  const { fleet } = createFleetWorld();
  const [endpoint] = addPool(fleet, 1);
  const { version } = fleet;
  fleet.setFacts(endpoint!, factsOf(baseModel('m')));
  assert.equal(fleet.version, version);
  fleet.setFacts(endpoint!, factsOf(baseModel('m'), adapter('sql', 'm')));
  assert.ok(fleet.version > version);
});
