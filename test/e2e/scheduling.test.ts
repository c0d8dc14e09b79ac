import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { EngineServer } from '../../src/simulator/server/server.ts';
import { serversLine, startReplicas } from './support/engines.ts';
import type { TestGateway } from './support/gateway.ts';
import { startGateway } from './support/gateway.ts';

interface World {
  readonly gateway: TestGateway;
  readonly engines: readonly EngineServer[];
}

async function startWorld(t: TestContext, scheduling: string, count = 3): Promise<World> {
  const engines = await startReplicas(t, count);
  return { gateway: await startGateway(t, serversLine(engines) + scheduling), engines };
}

async function ask(
  gateway: TestGateway,
  headers: Readonly<Record<string, string>> = {},
): Promise<Headers> {
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers,
    body: '{"model":"chat-model","max_tokens":2,"messages":[{"role":"user","content":"hi"}]}',
  });
  assert.equal(response.status, 200);
  await response.text();
  return response.headers;
}

async function endpointsOf(gateway: TestGateway, requests: number): Promise<readonly string[]> {
  const endpoints: string[] = [];
  for (let request = 0; request < requests; request += 1) {
    endpoints.push((await ask(gateway)).get('x-penstock-endpoint')!);
  }
  return endpoints;
}

test('a preset decides, and a reload puts another in its place', async (t) => {
  const { gateway, engines } = await startWorld(t, 'scheduling: { preset: round-robin }\n');
  const turns = await endpointsOf(gateway, 6);
  assert.equal(new Set(turns.slice(0, 3)).size, 3);
  assert.deepEqual(turns.slice(3), turns.slice(0, 3));
  assert.ok(
    await gateway.reload(`${serversLine(engines)}scheduling: { preset: consistent-hash }\n`),
  );
  const keyed = new Set<string | null>();
  for (let request = 0; request < 5; request += 1) {
    keyed.add((await ask(gateway, { 'x-session-id': 'mine' })).get('x-penstock-endpoint'));
  }
  assert.equal(keyed.size, 1);
});

test('without scheduling the default policy decides, and names itself in decisions', async (t) => {
  const { gateway } = await startWorld(t, '');
  await ask(gateway);
  const [decision] = await gateway.decisions();
  assert.deepEqual(Object.keys(decision!.ordered[0]!.reasons), ['soonest']);
});

test('a session stays on its endpoint by the token of its first answer', async (t) => {
  const { gateway } = await startWorld(t, 'scheduling: { preset: session }\n');
  const first = await ask(gateway);
  const token = first.get('x-session-token')!;
  const endpoint = first.get('x-penstock-endpoint')!;
  assert.equal(Buffer.from(token, 'base64').toString(), endpoint);
  for (let request = 0; request < 6; request += 1) {
    const next = await ask(gateway, { 'x-session-token': token });
    assert.equal(next.get('x-penstock-endpoint'), endpoint);
  }
  const strange = await ask(gateway, { 'x-session-token': 'bm93aGVyZTo4MA==' });
  assert.notEqual(strange.get('x-penstock-endpoint'), null);
});

test('a session stays by a cookie, too', async (t) => {
  const scorer = '{ type: session-affinity-scorer, options: { cookie: llm } }';
  const { gateway } = await startWorld(t, `scheduling: { profile: { scorers: [${scorer}] } }\n`);
  const first = await ask(gateway);
  const cookie = first.getSetCookie()[0]!;
  assert.match(cookie, /^llm=[A-Za-z0-9+/=]+; Path=\/; HttpOnly; SameSite=Lax$/);
  for (let request = 0; request < 4; request += 1) {
    const next = await ask(gateway, { cookie: cookie.split(';')[0]! });
    assert.equal(next.get('x-penstock-endpoint'), first.get('x-penstock-endpoint'));
    assert.deepEqual(next.getSetCookie(), []);
  }
});

test('filters leave out endpoints, and decisions say which', async (t) => {
  const selector =
    '{ type: label-selector-filter, name: gold, options: { matchLabels: { tier: gold } } }';
  const policy = `scheduling: { profile: { filters: [${selector}] } }\n`;
  const { gateway, engines } = await startWorld(t, policy);
  const refused = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    body: '{"model":"chat-model","messages":[]}',
  });
  assert.equal(refused.status, 503);
  const urls = engines.map(({ url }) => url);
  const endpoints = urls.map((url, index) => {
    return `{ url: "${url}", labels: { tier: ${index === 1 ? 'gold' : 'iron'} } }`;
  });
  assert.ok(
    await gateway.reload(`pools: [{ name: all, endpoints: [${endpoints.join(', ')}] }]\n${policy}`),
  );
  const served = new Set(await endpointsOf(gateway, 5));
  assert.deepEqual([...served], [urls[1]!.replace('http://', '')]);
  const [decision] = await gateway.decisions();
  assert.equal(decision!.availableCount, 3);
  const [removed] = decision!.removed;
  assert.equal(removed?.filter, 'gold');
  assert.equal(removed.count, 2);
});

test('a shadow is recorded and routes nothing', async (t) => {
  const { gateway } = await startWorld(t, 'scheduling: { preset: round-robin, shadow: random }\n');
  const turns = await endpointsOf(gateway, 6);
  assert.deepEqual(turns.slice(3), turns.slice(0, 3));
  const decisions = await gateway.decisions();
  assert.ok(decisions.every(({ shadow }) => shadow !== null));
});
