import assert from 'node:assert/strict';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import OpenAI from 'openai';
import { startDnsServer, type DnsRecord } from '../../src/discovery/testing/dns-server.ts';
import { ollamaAnswers, startEngineServer } from '../../src/discovery/testing/engine-server.ts';
import { startEngine } from './support/engines.ts';
import type { TestGateway } from './support/gateway.ts';
import { startGateway, waitUntil } from './support/gateway.ts';
import { createFolder, findFreePort } from './support/processes.ts';
import { errorCode } from './support/scripted-fleet.ts';

function idOf({ url }: { readonly url: string }): string {
  return new URL(url).host;
}

async function ask(gateway: TestGateway, model: string): Promise<Response> {
  return fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({
      model,
      max_tokens: 2,
      messages: [{ role: 'user', content: 'Hello' }],
    }),
  });
}

/** The endpoints that answer 12 requests. */
async function whoAnswers(gateway: TestGateway, model: string): Promise<ReadonlySet<string>> {
  const answers = await Promise.all(Array.from({ length: 12 }, async () => ask(gateway, model)));
  const ids = new Set<string>();
  for (const answer of answers) {
    assert.equal(answer.status, 200, await answer.text());
    ids.add(answer.headers.get('x-penstock-endpoint')!);
  }
  return ids;
}

/** Waits until exactly these endpoints are there, all ready. */
async function untilReady(gateway: TestGateway, ids: readonly string[]): Promise<void> {
  await waitUntil(`${ids.join(' and ')} to be ready`, async () => {
    const { endpoints } = await gateway.state();
    const ready = endpoints.filter(({ state }) => state === 'ready').map(({ id }) => id);
    return endpoints.length === ids.length && ids.every((id) => ready.includes(id));
  });
}

test('the servers of a pool follow its file; a broken file changes nothing', async (t) => {
  const [a, b] = [await startEngine(t), await startEngine(t)];
  const file = join(await createFolder(t), 'servers.yaml');
  await writeFile(file, `- ${a.url}\n`);
  const gateway = await startGateway(t, `pools: [{ name: main, file: ${file} }]`);
  await untilReady(gateway, [idOf(a)]);
  assert.deepEqual(await whoAnswers(gateway, 'demo-model'), new Set([idOf(a)]));

  const replace = async (text: string): Promise<void> => {
    await writeFile(`${file}.new`, text);
    await rename(`${file}.new`, file);
  };
  await replace(`- ${a.url}\n- url: ${b.url}\n  labels: { rack: r2 }\n`);
  await untilReady(gateway, [idOf(a), idOf(b)]);
  assert.deepEqual(await whoAnswers(gateway, 'demo-model'), new Set([idOf(a), idOf(b)]));
  const { endpoints } = await gateway.state();
  assert.deepEqual(endpoints.find(({ id }) => id === idOf(b))!.labels, { rack: 'r2' });

  await replace(`- url: [not a list of servers\n`);
  await waitUntil('the complaint', () => {
    return gateway.logLines().some(({ level, pool }) => level === 'warn' && pool === 'main');
  });
  await untilReady(gateway, [idOf(a), idOf(b)]);

  await replace(`- ${b.url}\n`);
  await untilReady(gateway, [idOf(b)]);
  assert.deepEqual(await whoAnswers(gateway, 'demo-model'), new Set([idOf(b)]));
});

test('the servers of a pool follow address records as they expire', async (t) => {
  const first = await startEngine(t, { host: '127.0.0.1' });
  const second = await startEngine(t, { host: '127.0.0.2', port: first.port });
  const record = (address: string): DnsRecord => ({
    type: 'A',
    name: 'engines.test',
    ttl: 0,
    address,
  });
  const dns = await startDnsServer([record('127.0.0.1')]);
  t.after(() => dns.close());
  const gateway = await startGateway(
    t,
    `
pools:
  - name: main
    dns:
      name: engines.test
      port: ${first.port}
      resolver: 127.0.0.1:${dns.port}
      minTtlMs: 100
      maxTtlMs: 100
`,
  );
  await untilReady(gateway, [idOf(first)]);
  dns.records = [record('127.0.0.1'), record('127.0.0.2')];
  await untilReady(gateway, [idOf(first), idOf(second)]);
  assert.equal((await whoAnswers(gateway, 'demo-model')).size, 2);
  // A name server that fails takes no servers away.
  dns.code = 2;
  const asked = dns.asked.length;
  await waitUntil('questions in vain', () => dns.asked.length > asked + 2);
  await untilReady(gateway, [idOf(first), idOf(second)]);
  dns.code = 0;
  dns.records = [record('127.0.0.2')];
  await untilReady(gateway, [idOf(second)]);
  assert.deepEqual(await whoAnswers(gateway, 'demo-model'), new Set([idOf(second)]));
});

test('service records carry the ports of the servers', async (t) => {
  const [a, b] = [await startEngine(t), await startEngine(t)];
  const services = [a, b].map(({ port }): DnsRecord => ({
    type: 'SRV',
    name: '_http._tcp.engines.test',
    ttl: 1,
    port,
    // Targets are names; the system looks them up when it connects.
    target: 'localhost',
  }));
  const dns = await startDnsServer(services);
  t.after(() => dns.close());
  const gateway = await startGateway(
    t,
    `
pools:
  - name: main
    dns: { name: _http._tcp.engines.test, type: SRV, resolver: '127.0.0.1:${dns.port}' }
`,
  );
  await waitUntil('both servers', async () => {
    const { endpoints } = await gateway.state();
    return endpoints.filter(({ state }) => state === 'ready').length === 2;
  });
  assert.equal((await whoAnswers(gateway, 'demo-model')).size, 2);
});

test('a server that is down at the start is waited for, and joins when it comes up', async (t) => {
  const port = await findFreePort();
  const up = await startEngine(t, { models: ['early'] });
  const gateway = await startGateway(t, `servers: ['${up.url}', 'http://127.0.0.1:${port}']`);
  assert.equal((await fetch(`${gateway.adminUrl}/readyz`)).status, 200);
  assert.deepEqual(await whoAnswers(gateway, 'early'), new Set([idOf(up)]));
  // Nobody knows the model yet, but the silent server may have it: not a 404, which is for ever.
  const soon = await ask(gateway, 'late');
  assert.equal(soon.status, 503);
  assert.ok(Number(soon.headers.get('retry-after')) >= 1);
  assert.equal(await errorCode(soon), 'no_endpoint');

  const late = await startEngine(t, { port, models: ['late'] });
  await untilReady(gateway, [idOf(up), idOf(late)]);
  assert.deepEqual(await whoAnswers(gateway, 'late'), new Set([idOf(late)]));
  // All servers are known now: what none has does not exist.
  const never = await ask(gateway, 'latte');
  assert.equal(never.status, 404);
  const { error } = (await never.json()) as { error: { code: string; message: string } };
  assert.equal(error.code, 'model_not_found');
  assert.match(error.message, /Did you mean "late"/);
});

test('the official client gets through to a server that comes up while it retries', async (t) => {
  const port = await findFreePort();
  const gateway = await startGateway(t, `servers: ['http://127.0.0.1:${port}']`);
  const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'unused', maxRetries: 8 });
  const answer = client.chat.completions.create({
    model: 'late',
    max_tokens: 2,
    messages: [{ role: 'user', content: 'Hello' }],
  });
  await waitUntil('a refusal', async () => {
    const codes = await gateway.metric('penstock_errors_total');
    return (codes.get('{code="no_endpoint"}') ?? 0) > 0;
  });
  await startEngine(t, { port, models: ['late'] });
  assert.equal((await answer).model, 'late');
});

test('servers with different base models become two pools', async (t) => {
  const small = await startEngine(t, { models: ['small'], adapters: ['small-sql'] });
  const large = await startEngine(t, { models: ['large'] });
  const twin = await startEngine(t, { models: ['large'] });
  const gateway = await startGateway(t, `servers: ['${small.url}', '${large.url}', '${twin.url}']`);
  const { pools } = await gateway.state();
  assert.deepEqual(
    new Map(pools.map(({ id, endpoints }) => [id, endpoints.toSorted()])),
    new Map([
      ['small', [idOf(small)]],
      ['large', [idOf(large), idOf(twin)].toSorted()],
    ]),
  );
  const { data } = await new OpenAI({
    baseURL: `${gateway.url}/v1`,
    apiKey: 'unused',
  }).models.list();
  assert.deepEqual(data.map(({ id }) => id).toSorted(), ['large', 'small', 'small-sql']);
  assert.deepEqual(await whoAnswers(gateway, 'small'), new Set([idOf(small)]));
  assert.deepEqual(await whoAnswers(gateway, 'small-sql'), new Set([idOf(small)]));
  assert.deepEqual(await whoAnswers(gateway, 'large'), new Set([idOf(large), idOf(twin)]));
});

test('a server with several models is a member of a pool for each', async (t) => {
  const served: string[] = [];
  const ollama = await startEngineServer({
    ...ollamaAnswers(),
    '/v1/chat/completions': (request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (text: string) => (body += text));
      request.on('end', () => {
        const { model } = JSON.parse(body) as { model: string };
        served.push(model);
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ object: 'chat.completion', model, choices: [] }));
      });
    },
  });
  t.after(() => ollama.stop());
  const vllm = await startEngine(t, { models: ['qwen3:8b'] });
  const gateway = await startGateway(t, `servers: ['${ollama.url}', '${vllm.url}']`);
  const { pools, endpoints } = await gateway.state();
  assert.deepEqual(
    new Map(pools.map(({ id, endpoints: members }) => [id, members.toSorted()])),
    new Map([
      ['qwen3:8b', [idOf(ollama), idOf(vllm)].toSorted()],
      ['gemma3:4b', [idOf(ollama)]],
    ]),
  );
  assert.equal(endpoints.find(({ id }) => id === idOf(ollama))!.engine, 'ollama');
  assert.deepEqual(await whoAnswers(gateway, 'gemma3:4b'), new Set([idOf(ollama)]));
  assert.equal((await whoAnswers(gateway, 'qwen3:8b')).size, 2);
  assert.deepEqual(new Set(served), new Set(['gemma3:4b', 'qwen3:8b']));
});

test('an engine that is put to sleep gets no requests until it is awake', async (t) => {
  const [sleeper, other] = [await startEngine(t), await startEngine(t)];
  const gateway = await startGateway(t, `servers: ['${sleeper.url}', '${other.url}']`);
  const stateOf = async () =>
    (await gateway.state()).endpoints.find(({ id }) => id === idOf(sleeper))!;
  assert.equal((await whoAnswers(gateway, 'demo-model')).size, 2);
  assert.equal((await fetch(`${sleeper.url}/sleep?level=1`, { method: 'POST' })).status, 200);
  await waitUntil(
    'the sleep to be noticed',
    async () => (await stateOf()).state === 'unreachable',
    20_000,
  );
  assert.match((await stateOf()).reason ?? '', /sleep/);
  assert.deepEqual(await whoAnswers(gateway, 'demo-model'), new Set([idOf(other)]));
  assert.equal((await fetch(`${sleeper.url}/wake_up`, { method: 'POST' })).status, 200);
  await waitUntil('its return', async () => (await stateOf()).state === 'ready', 20_000);
  assert.equal((await whoAnswers(gateway, 'demo-model')).size, 2);
});
