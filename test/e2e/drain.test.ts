import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { test, type TestContext } from 'node:test';
import OpenAI, { APIError } from 'openai';
import { startGateway, waitUntil } from './support/gateway.ts';
import { startEngineProcess, startGatewayProcess } from './support/processes.ts';
import { openRawClient, requestBytes } from './support/raw-client.ts';
import { ask, startScriptedFleet, visitCount } from './support/scripted-fleet.ts';
import {
  chatAnswer,
  chatFrame,
  configFor,
  startScriptedServer,
} from './support/scripted-server.ts';

interface OpenStream {
  /** What came so far. */
  text(): string;
  /** Resolves to everything, once the answer has ended as its framing says. */
  readonly whole: Promise<string>;
  abort(): void;
}

/**
 * Starts a stream on a connection that its client would like to keep; resolves at its first byte.
 */
async function openStream(
  t: TestContext,
  url: string,
  options: { readonly model: string; readonly maxTokens: number },
): Promise<OpenStream> {
  const agent = new Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  const sent = request(`${url}/v1/chat/completions`, { method: 'POST', agent });
  sent.end(
    JSON.stringify({
      model: options.model,
      stream: true,
      max_tokens: options.maxTokens,
      ignore_eos: true,
      messages: [{ role: 'user', content: 'Hello' }],
    }),
  );
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    sent.on('response', resolve).on('error', reject);
  });
  let text = '';
  const whole = new Promise<string>((resolve, reject) => {
    response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    response.on('end', () => resolve(text)).on('error', reject);
  });
  whole.catch(() => undefined);
  await waitUntil('the first byte', () => text !== '');
  return { text: () => text, whole, abort: () => sent.destroy() };
}

test('SIGTERM: not ready at once, refused connections, streams finish, exit 0', async (t) => {
  const engine = await startEngineProcess(t);
  const gateway = await startGatewayProcess(t, ['--server', engine.url]);
  const idle = await openRawClient(t, gateway.url);
  // 120 tokens are two seconds of the demo profile.
  const stream = await openStream(t, gateway.url, { model: 'demo-model', maxTokens: 120 });
  gateway.process.signal('SIGTERM');
  await waitUntil('not ready', async () => {
    return (await fetch(`${gateway.adminUrl}/readyz`)).status === 503;
  });
  await assert.rejects(fetch(`${gateway.url}/health`), /fetch failed/);
  await idle.waitForClose();
  assert.ok(!stream.text().includes('[DONE]'), 'the stream was over before the test began');
  assert.equal((await fetch(`${gateway.adminUrl}/livez`)).status, 200);

  const text = await stream.whole;
  assert.match(text, /"finish_reason":"length"/);
  assert.ok(text.endsWith('data: [DONE]\n\n'));
  const endedAtMs = performance.now();
  assert.deepEqual(await gateway.process.ended, { code: 0, signal: null });
  // Its client keeps the connection: that must not hold the gateway until the drain time is over.
  assert.ok(performance.now() - endedAtMs < 10_000, 'waited for an idle connection');
  const stopped = gateway.logLines().find(({ msg }) => msg === 'stopped');
  assert.equal(stopped?.['brokenRequests'], 0);
});

test('at the end of the drain time streams are broken off with an error: exit 4', async (t) => {
  const engine = await startEngineProcess(t);
  const args = ['--server', engine.url, '--drain-timeout-ms', '400'];
  const gateway = await startGatewayProcess(t, args);
  const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'unused', maxRetries: 0 });
  const long = {
    model: 'demo-model',
    max_tokens: 3000,
    ignore_eos: true,
    messages: [{ role: 'user' as const, content: 'Hello' }],
  };
  const chunks = await client.chat.completions.create({ ...long, stream: true });
  const waiting = client.chat.completions.create(long);
  waiting.catch(() => undefined);
  let count = 0;
  const reading = (async () => {
    for await (const chunk of chunks) count += chunk.choices.length;
  })();
  reading.catch(() => undefined);
  await waitUntil('both to be under way', async () => {
    const { endpoints } = await gateway.state();
    return count >= 5 && endpoints[0]?.inFlight.requests === 2;
  });
  gateway.process.signal('SIGTERM');
  await assert.rejects(reading, (error) => {
    assert.ok(error instanceof APIError);
    assert.equal(error.code, 'draining');
    return true;
  });
  await assert.rejects(waiting, (error) => {
    assert.ok(error instanceof APIError);
    assert.equal(error.status, 503);
    assert.equal(error.code, 'draining');
    return true;
  });
  assert.deepEqual(await gateway.process.ended, { code: 4, signal: null });
  const stopped = gateway.logLines().find(({ msg }) => msg === 'stopped');
  assert.equal(stopped?.['brokenRequests'], 2);
});

test('a second SIGINT ends the process at once', async (t) => {
  const engine = await startEngineProcess(t);
  const gateway = await startGatewayProcess(t, ['--server', engine.url]);
  await openStream(t, gateway.url, { model: 'demo-model', maxTokens: 3000 });
  gateway.process.signal('SIGINT');
  await waitUntil('the drain', () => gateway.logLines().some(({ msg }) => msg === 'draining'));
  assert.equal(gateway.process.end, null);
  gateway.process.signal('SIGINT');
  const end = await gateway.process.ended;
  assert.ok(end.signal === 'SIGINT' || end.code === 130, JSON.stringify(end));
  assert.ok(!gateway.logLines().some(({ msg }) => msg === 'stopped'));
});

test('a client that leaves during the drain is not one that was broken off', async (t) => {
  for (let round = 0; round < 10; round += 1) {
    const { gateway, script } = await startScriptedFleet(t, 1);
    script(async (visit) => {
      visit.start();
      await visit.chunk(chatFrame('One'));
    });
    const controller = new AbortController();
    const response = await ask(gateway, { stream: true, signal: controller.signal });
    const text = response.text();
    text.catch(() => undefined);
    const drained = gateway.close();
    setTimeout(() => controller.abort(), round);
    assert.equal(await drained, 0);
    assert.ok(!gateway.logLines().some(({ outcome }) => outcome === 'interrupted'));
    assert.ok(gateway.logLines().some(({ outcome }) => outcome === 'client_closed'));
  }
});

test('an answer that a slow client has not read yet is not cut by the drain', async (t) => {
  // The model list is the one large answer that does not wait for its client.
  const models = Array.from({ length: 5500 }, (_, index) => `${'long-name-'.repeat(60)}${index}`);
  const server = await startScriptedServer(t, { models, handle: () => undefined });
  const gateway = await startGateway(t, configFor(server));
  const client = await openRawClient(t, gateway.url);
  client.pause();
  await client.send(requestBytes({ method: 'GET', path: '/v1/models' }));
  await waitUntil('the gateway to have answered', () => client.socket.readableLength > 0);
  const drained = gateway.close();
  await new Promise((resolve) => setTimeout(resolve, 50));
  client.resume();
  const answer = await client.answer(0);
  assert.ok(answer.isComplete, `${answer.body.length} bytes came`);
  assert.ok(answer.body.length > 5_000_000, `${answer.body.length} bytes`);
  assert.equal(await drained, 0);
});

test('a drained endpoint gets no new requests and finishes what it has', async (t) => {
  const { gateway, servers, script } = await startScriptedFleet(
    t,
    2,
    // By turns, so that the endpoint is picked again for certain once it may be.
    'scheduling: { preset: round-robin }\n',
  );
  const gate = Promise.withResolvers<void>();
  script(
    async (visit) => {
      visit.start();
      await visit.chunk(chatFrame('One'));
      await gate.promise;
      await visit.chunk('data: [DONE]\n\n');
      visit.end();
    },
    (visit) => visit.reply(200, chatAnswer()),
  );
  const running = await ask(gateway, { id: 'running', stream: true });
  const id = running.headers.get('x-penstock-endpoint')!;
  const path = `${gateway.adminUrl}/api/endpoints/${encodeURIComponent(id)}/drain`;
  assert.equal((await fetch(path, { method: 'POST' })).status, 200);

  const stateOf = async () => (await gateway.state()).endpoints.find((each) => each.id === id)!;
  assert.equal((await stateOf()).state, 'draining');
  assert.equal((await stateOf()).inFlight.requests, 1);
  for (let i = 0; i < 8; i += 1) {
    const answer = await ask(gateway, { id: `meanwhile-${i}` });
    assert.equal(answer.status, 200);
    assert.notEqual(answer.headers.get('x-penstock-endpoint'), id);
    await answer.text();
  }
  gate.resolve();
  assert.ok((await running.text()).endsWith('data: [DONE]\n\n'));
  await waitUntil('nothing in flight', async () => (await stateOf()).inFlight.requests === 0);

  const drained = servers.find(({ url }) => url.endsWith(id))!;
  const before = visitCount([drained]);
  assert.equal(before, 1);
  assert.equal((await fetch(path, { method: 'DELETE' })).status, 200);
  assert.equal((await stateOf()).state, 'ready');
  await Promise.all([1, 2, 3, 4].map(async (i) => (await ask(gateway, { id: `b${i}` })).text()));
  assert.ok(visitCount([drained]) > before);

  const unknown = `${gateway.adminUrl}/api/endpoints/nobody%3A1/drain`;
  assert.equal((await fetch(unknown, { method: 'POST' })).status, 404);
});

test('with its only endpoint drained a model answers 503 with Retry-After', async (t) => {
  const { gateway } = await startScriptedFleet(t, 1);
  const [endpoint] = (await gateway.state()).endpoints;
  const id = encodeURIComponent(endpoint!.id);
  await fetch(`${gateway.adminUrl}/api/endpoints/${id}/drain`, { method: 'POST' });
  const refused = await ask(gateway);
  assert.equal(refused.status, 503);
  assert.ok(Number(refused.headers.get('retry-after')) >= 1);
  await refused.text();
});
