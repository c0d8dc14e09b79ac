import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { createSystemClock } from '../../cli/system-clock.ts';
import { startEngine } from '../server/testing/engine-fixture.ts';
import type { TrafficSource } from '../workloads/types.ts';
import { HttpTransport, parseTarget } from './http-transport.ts';
import type { EndedRequest } from './load-collector.ts';
import { failureLabel } from './load-failure.ts';
import { LoadRun, type LoadStatus } from './load-run.ts';
import { RequestWriter, type LoadApi } from './request-writer.ts';
import { ChainTraffic, createTestRequest, ListTraffic } from './testing/traffic-builders.ts';

interface Settings {
  readonly api?: LoadApi;
  readonly apiKey?: string;
  readonly timeoutMs?: number;
}

async function runLoad(
  context: TestContext,
  url: string,
  traffic: TrafficSource,
  settings: Settings = {},
): Promise<{ readonly status: LoadStatus; readonly ended: readonly EndedRequest[] }> {
  const target = parseTarget(url);
  assert.ok(target !== null);
  const transport = new HttpTransport(target, {
    maxConnections: 16,
    apiKey: settings.apiKey ?? null,
  });
  context.after(() => transport.close());
  const ended: EndedRequest[] = [];
  const run = new LoadRun({
    traffic,
    transport,
    writer: new RequestWriter({
      api: settings.api ?? 'chat',
      model: 'base-model',
      salt: 1,
      ignoresEnd: true,
      headers: {},
    }),
    clock: createSystemClock(),
    durationMs: 10_000,
    timeoutMs: settings.timeoutMs ?? 20_000,
    maxOpenRequests: 16,
    onEnded: (request) => ended.push(request),
  });
  return { status: await run.run(), ended };
}

async function serve(context: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const batch = (count: number): ListTraffic =>
  new ListTraffic(
    Array.from({ length: count }, (_, index) => createTestRequest(index, { atMs: index * 2 })),
  );

const labels = (ended: readonly EndedRequest[]): readonly (string | null)[] =>
  ended.map(({ failure }) => (failure === null ? null : failureLabel(failure)));

test('answers have the planned length, and tokens are counted alike on both sides', async (t) => {
  const engine = await startEngine(t);
  for (const api of ['chat', 'completions'] as const) {
    const { status, ended } = await runLoad(t, `${engine.url}/v1/`, batch(10), { api });
    assert.equal(status, 'finished');
    assert.equal(ended.length, 10);
    // The simulated engine's chat template: two marks around the message, one before the answer.
    const template = api === 'chat' ? 3 : 0;
    for (const { request, answer, failure, sentAtMs, scheduledAtMs } of ended) {
      assert.equal(failure, null);
      assert.equal(answer.usage.completionTokens, request.output.tokens);
      assert.equal(answer.chunks, request.output.tokens);
      assert.equal(answer.usage.promptTokens, request.promptTokens + template);
      assert.equal(answer.gapsMs.length, request.output.tokens - 1);
      assert.ok(sentAtMs >= scheduledAtMs);
    }
  }
});

test('a next turn contains the answer that came, so that its blocks are found', async (t) => {
  const engine = await startEngine(t);
  const first = createTestRequest(0, {
    segments: [{ id: 100, tokens: 64 }],
    output: { id: 101, tokens: 64 },
  });
  const second = createTestRequest(1, {
    segments: [...first.segments, first.output, { id: 102, tokens: 16 }],
    output: { id: 103, tokens: 4 },
  });
  const chain = new ChainTraffic([first, second], { thinkMs: 0 });
  const { ended } = await runLoad(t, engine.url, chain);
  const cached = ended.map(({ answer }) => answer.usage.cachedTokens);
  // 1 + 64 + 2 + 64 tokens are known; whole blocks of 16, and the last token was never computed.
  assert.deepEqual(cached, [0, 128]);
  assert.equal(ended[1]?.answer.usage.promptTokens, 64 + 64 + 16 + 5 + 2);
});

test('equal segments are equal text, other ids are not', async (t) => {
  const engine = await startEngine(t);
  const shared = { id: 7, tokens: 160 };
  const requests = [0, 1, 2].map((index) =>
    createTestRequest(index, { segments: [shared, { id: 50 + index, tokens: 64 }] }),
  );
  const { ended } = await runLoad(t, engine.url, new ChainTraffic(requests, { thinkMs: 0 }));
  assert.deepEqual(
    ended.map(({ answer }) => answer.usage.cachedTokens),
    [0, 160, 160],
  );
});

test('failures are told apart by their status and message', async (t) => {
  const engine = await startEngine(t, { maxModelLenTokens: 2048 });
  engine.injectFaults({ errorCount: 2, errorStatus: 503 });
  const { ended } = await runLoad(t, engine.url, batch(5));
  const failed = labels(ended).filter((label) => label !== null);
  assert.deepEqual(failed, ['503 - Service Unavailable', '503 - Service Unavailable']);
  assert.equal(ended[0]?.failure?.message, 'injected failure');
  const long = createTestRequest(9, { segments: [{ id: 9, tokens: 4000 }] });
  const { ended: refused } = await runLoad(t, engine.url, new ListTraffic([long]));
  assert.deepEqual(labels(refused), ['400 - Context Window']);
});

test('a stream that breaks off is a failure', async (t) => {
  const engine = await startEngine(t);
  engine.injectFaults({ cutAfterChunks: 3 });
  const { ended } = await runLoad(t, engine.url, batch(2));
  assert.deepEqual(labels(ended), ['Connection Error', 'Connection Error']);
});

test('a stalled answer is given up after the time limit', async (t) => {
  const engine = await startEngine(t);
  engine.injectFaults({ stallAfterChunks: 2 });
  const { ended } = await runLoad(t, engine.url, batch(2), { timeoutMs: 150 });
  assert.deepEqual(labels(ended), ['Timeout', 'Timeout']);
});

test('nobody listening is a connection error for every request', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const { status, ended } = await runLoad(t, `http://127.0.0.1:${port}`, batch(3));
  assert.equal(status, 'finished');
  assert.deepEqual(
    labels(ended),
    Array.from({ length: 3 }, () => 'Connection Error'),
  );
  assert.match(ended[0]?.failure?.message ?? '', /ECONNREFUSED/);
});

test('an answer that is no stream of events is a failure, and secrets are cut out', async (t) => {
  const url = await serve(t, (request, response) => {
    request.resume();
    const isKeyed = request.headers.authorization === 'Bearer secret-key';
    response.writeHead(isKeyed ? 200 : 401, { 'content-type': 'application/json' });
    response.end('{"choices":[{"message":{"content":"all at once"}}]}');
  });
  const { ended } = await runLoad(t, url, batch(1), { apiKey: 'secret-key' });
  assert.deepEqual(labels(ended), ['200 - not an event stream']);
  const echo = await serve(t, (request, response) => {
    request.resume();
    response.writeHead(401, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error: { message: `wrong ${request.headers.authorization}` } }));
  });
  const { ended: refused } = await runLoad(t, echo, batch(1), { apiKey: 'secret-key' });
  assert.equal(refused[0]?.failure?.message, 'wrong Bearer [key]');
  assert.deepEqual(labels(refused), ['401 - other']);
});

test('errors inside a stream and streams without an end mark are failures', async (t) => {
  const event = 'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n';
  const bodies = [`${event}data: {"error":{"message":"out of memory"}}\n\n`, event, 'data: x\n\n'];
  const url = await serve(t, (request, response) => {
    request.resume();
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(bodies.shift());
  });
  const requests = [0, 1, 2].map((index) => createTestRequest(index));
  const { ended } = await runLoad(t, url, new ChainTraffic(requests, { thinkMs: 0 }));
  assert.deepEqual(
    ended.map(({ failure }) => failure?.message),
    ['out of memory', 'the stream ended without its end mark', 'an event is not JSON: x'],
  );
});

test('models are listed', async (t) => {
  const engine = await startEngine(t, { models: ['one', 'two'] });
  const target = parseTarget(engine.url);
  assert.ok(target !== null);
  const transport = new HttpTransport(target, { maxConnections: 1, apiKey: null });
  t.after(() => transport.close());
  assert.deepEqual(await transport.listModels(), ['one', 'two']);
});

test('targets are http or https addresses; the version may be part of them', () => {
  assert.deepEqual(parseTarget('http://a:1/v1'), { origin: 'http://a:1', basePath: '' });
  assert.deepEqual(parseTarget('https://u:p@b/x/v1/?k=1'), {
    origin: 'https://b',
    basePath: '/x',
  });
  assert.equal(parseTarget('ftp://a'), null);
  assert.equal(parseTarget('localhost:8000'), null);
  assert.equal(parseTarget('a b'), null);
});
