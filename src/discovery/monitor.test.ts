import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';

import type { EndpointSpec } from '../pool/endpoint.ts';
import type { MonitorOptions } from './monitor-options.ts';
import {
  llamaCppAnswers,
  ollamaAnswers,
  openAiList,
  startEngineServer,
  vllmAnswers,
  vllmMetrics,
} from './testing/engine-server.ts';
import type { Answer, EngineServer } from './testing/engine-server.ts';
import { monitorServers, QUICK, specOf } from './testing/monitored-fleet.ts';
import type { MonitoredFleet } from './testing/monitored-fleet.ts';
import { until } from './testing/until.ts';

const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function serve(answers: Record<string, Answer>): Promise<EngineServer> {
  const server = await startEngineServer(answers);
  closers.push(() => server.stop());
  return server;
}

function monitor(
  specs: readonly EndpointSpec[],
  options: Partial<MonitorOptions> = {},
): MonitoredFleet {
  const monitored = monitorServers(specs, options);
  closers.push(() => monitored.monitor.close());
  return monitored;
}

/** Waits until the server's endpoint has facts and is reachable. */
async function whenUp(monitored: MonitoredFleet, server: EngineServer): Promise<void> {
  await until('the endpoint is up', () => {
    const endpoint = monitored.endpoint(server.url);
    return endpoint.facts !== null && endpoint.reachability === 'reachable';
  });
}

/** Waits for `more` further requests to the server, whatever they ask. */
async function whenAskedMore(server: EngineServer, more: number): Promise<void> {
  const before = server.asked.length;
  await until(`${more} more requests`, () => server.asked.length >= before + more);
}

test('learns what a vLLM is, serves and reports', async () => {
  const server = await serve(vllmAnswers());
  const monitored = monitor([specOf(server.url)]);
  await whenUp(monitored, server);
  const endpoint = monitored.endpoint(server.url);
  assert.deepEqual(endpoint.facts, {
    engine: 'vllm',
    version: '0.11.0',
    models: [
      { id: 'llama', baseModel: null, contextTokens: 32_768 },
      { id: 'sql', baseModel: 'llama', contextTokens: null },
    ],
    blockSizeTokens: 16,
    blockCount: 2048,
    maxRunning: null,
  });
  assert.equal(endpoint.lastReport?.promptTokensTotal, 1000);
  assert.equal(endpoint.isAvailable, true);
  assert.equal(server.count('/props'), 0, 'a sure engine is not asked what others have');
  assert.equal(server.count('/'), 0);
  const [up] = monitored.lines;
  assert.equal(up?.['msg'], 'endpoint is up');
  assert.equal(up?.['engine'], 'vllm');
});

test('an Ollama is used by its ledger alone and not asked for metrics again', async () => {
  const server = await serve(ollamaAnswers());
  const monitored = monitor([specOf(server.url)]);
  await whenUp(monitored, server);
  const { facts } = monitored.endpoint(server.url);
  assert.equal(facts?.engine, 'ollama');
  assert.equal(facts?.version, '0.11.4');
  assert.deepEqual(
    facts?.models.map((model) => model.id),
    ['qwen3:8b', 'gemma3:4b'],
  );
  await whenAskedMore(server, 5);
  assert.equal(server.count('/metrics'), 1);
  assert.equal(monitored.endpoint(server.url).lastReport, null);
  assert.equal(monitored.endpoint(server.url).reachability, 'reachable');
});

test('an idle llama-server is not kept awake by scrapes, and is scraped under traffic', async () => {
  const server = await serve(llamaCppAnswers());
  const monitored = monitor([specOf(server.url)]);
  await whenUp(monitored, server);
  const endpoint = monitored.endpoint(server.url);
  assert.equal(endpoint.facts?.engine, 'llama-cpp');
  assert.equal(endpoint.facts?.maxRunning, 4);
  assert.equal(endpoint.facts?.models[0]?.contextTokens, 4096);
  const whileProbed = server.count('/metrics');
  const health = server.count('/health');
  await until('health is asked', () => server.count('/health') >= health + 4);
  assert.equal(server.count('/metrics'), whileProbed);
  const booking = monitored.fleet.book(endpoint.slot, 10, 10);
  await until('metrics are asked', () => server.count('/metrics') >= whileProbed + 3);
  booking.release();
});

test('a llama-server without metrics stays reachable', async () => {
  const server = await serve({
    ...llamaCppAnswers(),
    '/metrics': { status: 501, body: { error: { code: 501, message: 'not supported' } } },
    '/v1/models': openAiList('llamacpp', { 'qwen.gguf': null }),
  });
  const monitored = monitor([specOf(server.url)]);
  await whenUp(monitored, server);
  monitored.fleet.book(monitored.endpoint(server.url).slot, 1, 1);
  await whenAskedMore(server, 8);
  assert.equal(monitored.endpoint(server.url).reachability, 'reachable');
  assert.equal(monitored.endpoint(server.url).lastReport, null);
});

test('a server that is down at start joins when it comes up', async () => {
  const server = await serve(vllmAnswers());
  await server.stop();
  const monitored = monitor([specOf(server.url)]);
  await until('it is found down', () => {
    return monitored.endpoint(server.url).reachability === 'unreachable';
  });
  assert.equal(monitored.endpoint(server.url).unreachableReason, 'connection refused');
  await server.listen();
  await whenUp(monitored, server);
  assert.deepEqual(
    monitored.lines.map((line) => line['msg']),
    ['endpoint is down', 'endpoint is up'],
    'a row of failures is logged once',
  );
});

test('a server that still loads is asked again until it is ready', async () => {
  const loading = { status: 503, body: { error: { message: 'Loading model', code: 503 } } };
  const server = await serve({ ...llamaCppAnswers(), '/health': loading, '/v1/models': loading });
  const monitored = monitor([specOf(server.url)]);
  await until('it is not ready', () => {
    return monitored.endpoint(server.url).reachability === 'unreachable';
  });
  assert.match(String(monitored.endpoint(server.url).unreachableReason), /still starting/);
  for (const [path, answer] of Object.entries(llamaCppAnswers())) server.answers.set(path, answer);
  await whenUp(monitored, server);
});

test('a server that dies is taken out and comes back with new facts', async () => {
  const server = await serve(vllmAnswers());
  const monitored = monitor([specOf(server.url)]);
  await whenUp(monitored, server);
  await server.stop();
  const endpoint = monitored.endpoint(server.url);
  await until('it is unreachable', () => endpoint.reachability === 'unreachable');
  assert.equal(endpoint.isAvailable, false);
  assert.notEqual(endpoint.facts, null, 'facts stay');
  server.answers.set('/version', { body: { version: '0.12.0' } });
  await server.listen();
  await until('it is back', () => endpoint.reachability === 'reachable');
  assert.equal(endpoint.facts?.version, '0.12.0');
});

test('health 503 takes a server out although its metrics answer', async () => {
  const server = await serve(vllmAnswers());
  const monitored = monitor([specOf(server.url)]);
  await whenUp(monitored, server);
  server.answers.set('/health', { status: 503, body: '' });
  const endpoint = monitored.endpoint(server.url);
  const before = server.count('/health');
  await until('it is unreachable', () => endpoint.reachability === 'unreachable');
  assert.ok(server.count('/health') >= before + 2, 'one 503 is not enough');
  server.answers.set('/health', { body: '' });
  await until('it is back', () => endpoint.reachability === 'reachable');
});

test('one health 503 alone does not take a server out', async () => {
  const server = await serve(vllmAnswers());
  let isFirst = true;
  const monitored = monitor([specOf(server.url)]);
  await whenUp(monitored, server);
  server.answers.set('/health', (_request, response) => {
    response.writeHead(isFirst ? 503 : 200).end();
    isFirst = false;
  });
  await until('health was asked twice', () => server.count('/health') >= 4);
  await whenAskedMore(server, 4);
  assert.equal(monitored.endpoint(server.url).reachability, 'reachable');
  assert.equal(
    monitored.lines.some((line) => line['msg'] === 'endpoint is down'),
    false,
  );
});

for (const [how, answer] of [
  ['answer 404', { status: 404, body: 'gone' }],
  ['answer 500', { status: 500, body: 'broken' }],
  ['are a web page', { body: '<html>vllm:num_requests_running 3</html>' }],
  ['are JSON', { body: [{ gpuMemUsage: 1 }] }],
] as const) {
  test(`metrics that ${how} cost the report and never the endpoint`, async () => {
    const server = await serve(vllmAnswers());
    const monitored = monitor([specOf(server.url)]);
    await whenUp(monitored, server);
    const endpoint = monitored.endpoint(server.url);
    server.answers.set('/metrics', answer);
    const before = server.count('/metrics');
    await until('metrics are asked on', () => server.count('/metrics') >= before + 4);
    const reportAtMs = endpoint.lastReportAtMs;
    await until('metrics are asked on', () => server.count('/metrics') >= before + 8);
    assert.equal(endpoint.reachability, 'reachable');
    assert.equal(endpoint.lastReportAtMs, reportAtMs, 'no report was made up');
    server.answers.set('/metrics', { body: vllmMetrics({ running: 9 }) });
    await until('reports are back', () => endpoint.lastReport?.running === 9);
  });
}

/** Answers like `prometheus_client`, which leaves out what `name[]` does not ask for. */
function filtering(text: () => string, seen: string[]): Answer {
  return (request, response) => {
    const url = new URL(request.url ?? '', 'http://engine');
    const names = url.searchParams.getAll('name[]');
    seen.push(url.search === '' ? 'whole' : 'filtered');
    const lines = text().split('\n');
    const kept = lines.filter(
      (line) => names.length === 0 || names.some((name) => line.startsWith(name)),
    );
    response.end(`${kept.join('\n')}\n`);
  };
}

test('an idle endpoint is scraped no more often than planned', async () => {
  const server = await serve(vllmAnswers());
  const monitored = monitor([specOf(server.url)]);
  await whenUp(monitored, server);
  await until('several refreshes', () => server.count('/v1/models') >= 12);
  const perRefresh = QUICK.refreshMs / QUICK.scrape.slowestMs;
  const planned = 10 + 2 * perRefresh * server.count('/v1/models');
  assert.ok(server.count('/metrics') <= planned, `${server.count('/metrics')} scrapes`);
});

test('a scrape asks only for the metrics that are read', async () => {
  const seen: string[] = [];
  const text = (): string => `${vllmMetrics({ running: 4 })}python_gc_objects_total 1`;
  const server = await serve({ ...vllmAnswers(), '/metrics': filtering(text, seen) });
  const monitored = monitor([specOf(server.url)], { refreshMs: 3_600_000 });
  await whenUp(monitored, server);
  await until('scrapes', () => seen.length >= 6);
  assert.deepEqual([...new Set(seen.slice(1))], ['filtered']);
  assert.equal(monitored.endpoint(server.url).lastReport?.running, 4);
});

test('a server whose filter loses the numbers is asked for the whole text', async () => {
  const seen: string[] = [];
  const server = await serve({
    ...vllmAnswers(),
    '/metrics': (request, response) => {
      const isWhole = request.url === '/metrics';
      seen.push(isWhole ? 'whole' : 'filtered');
      response.end(isWhole ? vllmMetrics({ running: seen.length }) : '');
    },
  });
  const monitored = monitor([specOf(server.url)], { refreshMs: 3_600_000 });
  await whenUp(monitored, server);
  await until('scrapes', () => seen.length >= 8);
  assert.deepEqual(seen.slice(0, 4), ['whole', 'filtered', 'whole', 'whole']);
  assert.equal(seen.filter((what) => what === 'filtered').length, 1, 'tried once');
  assert.ok(Number(monitored.endpoint(server.url).lastReport?.running) > 1);
});

test('an adapter that is loaded later is found by the next reading of the list', async () => {
  const server = await serve(vllmAnswers());
  const monitored = monitor([specOf(server.url)]);
  await whenUp(monitored, server);
  server.answers.set('/v1/models', openAiList('vllm', { llama: null, sql: 'llama', de: 'llama' }));
  await until('the adapter is served', () => monitored.fleet.servedAnywhere('de').length === 1);
  server.answers.set('/v1/models', openAiList('vllm', { llama: null }));
  await until('it is gone again', () => monitored.fleet.servedAnywhere('de').length === 0);
});

test('a restart has the server probed anew at once', async () => {
  const server = await serve(vllmAnswers());
  const monitored = monitor([specOf(server.url)], { refreshMs: 3_600_000 });
  await whenUp(monitored, server);
  const endpoint = monitored.endpoint(server.url);
  server.answers.set('/version', { body: { version: '0.12.0' } });
  server.answers.set('/v1/models', openAiList('vllm', { llama: null, fresh: 'llama' }));
  await whenAskedMore(server, 5);
  assert.equal(endpoint.facts?.version, '0.11.0', 'not asked without need');
  server.answers.set('/metrics', {
    body: vllmMetrics({ promptTokens: 3, startSeconds: 1_756_000_900 }),
  });
  await until('new facts', () => endpoint.facts?.version === '0.12.0');
  assert.equal(monitored.fleet.servedAnywhere('fresh').length, 1);
  assert.equal(endpoint.restarts, 1);
});

test('a sleeping vLLM gets no requests until it wakes', async () => {
  const answers = { ...vllmAnswers(), '/is_sleeping': { body: { is_sleeping: true } } };
  const server = await serve(answers);
  const monitored = monitor([specOf(server.url)]);
  const endpoint = monitored.endpoint(server.url);
  await until('it is found asleep', () => endpoint.reachability === 'unreachable');
  assert.equal(endpoint.unreachableReason, 'the engine sleeps');
  assert.equal(endpoint.isAvailable, false);
  server.answers.set('/is_sleeping', { body: { is_sleeping: false } });
  await whenUp(monitored, server);
  assert.equal(endpoint.isAvailable, true);
  server.answers.set('/is_sleeping', { body: { is_sleeping: true } });
  await until('it is found asleep again', () => endpoint.reachability === 'unreachable');
});

test('traffic brings an idle endpoint back to fast scrapes', async () => {
  const busy = await serve(vllmAnswers());
  const idle = await serve(vllmAnswers());
  const scrape = { ...QUICK.scrape, slowestMs: 3_600_000 };
  const monitored = monitor([specOf(busy.url), specOf(idle.url)], { scrape, refreshMs: 3_600_000 });
  await whenUp(monitored, busy);
  await whenUp(monitored, idle);
  await until(
    'both are asked less',
    () => busy.count('/metrics') >= 6 && idle.count('/metrics') >= 6,
  );
  const booking = monitored.fleet.book(monitored.endpoint(busy.url).slot, 100, 100);
  let running = 0;
  busy.answers.set('/metrics', (_request, response) => {
    running += 1;
    response.end(vllmMetrics({ running }));
  });
  const before = { busy: busy.count('/metrics'), idle: idle.count('/metrics') };
  await until('it is scraped fast', () => busy.count('/metrics') >= before.busy + 30);
  assert.ok(idle.count('/metrics') <= before.idle + 10, 'the other one is left alone');
  assert.ok(Number(monitored.endpoint(busy.url).lastReport?.running) > 10);
  booking.release();
});

test('endpoints that leave are asked no more and their connections end', async () => {
  const leaves = await serve(vllmAnswers());
  const stays = await serve(vllmAnswers());
  const monitored = monitor([specOf(leaves.url), specOf(stays.url)]);
  await whenUp(monitored, leaves);
  await whenUp(monitored, stays);
  monitored.declare([specOf(stays.url)]);
  await until('connections end', () => leaves.connections() === 0);
  const asked = leaves.asked.length;
  await whenAskedMore(stays, 6);
  assert.equal(leaves.asked.length, asked);
  const joins = await serve(vllmAnswers());
  monitored.declare([specOf(stays.url), specOf(joins.url)]);
  await whenUp(monitored, joins);
});

test('a server that hides its list is served by configured models, and else says the way out', async () => {
  const answers = { '/v1/models': { status: 401, body: { error: 'no key' } } };
  const named = await serve(answers);
  const unnamed = await serve(answers);
  const monitored = monitor([
    specOf(named.url, { models: ['gpt-oss'], engine: 'generic' }),
    specOf(unnamed.url),
  ]);
  await whenUp(monitored, named);
  const served = monitored.fleet.servedAnywhere('gpt-oss');
  assert.equal(served.length, 1);
  const other = monitored.endpoint(unnamed.url);
  await until('it is out', () => other.reachability === 'unreachable');
  assert.match(String(other.unreachableReason), /answers 401.*name the models of this server/);
});

test('configured models hide the others but their adapters', async () => {
  const server = await serve({
    ...vllmAnswers(),
    '/v1/models': openAiList('vllm', { llama: null, alias: null, sql: 'llama' }),
  });
  const monitored = monitor([specOf(server.url, { models: ['llama', 'extra'] })]);
  await whenUp(monitored, server);
  const ids = monitored.endpoint(server.url).facts?.models.map((model) => model.id);
  assert.deepEqual(ids, ['llama', 'sql', 'extra']);
});

test('a configured engine is believed and no other is asked for', async () => {
  const server = await serve({ '/v1/models': openAiList('acme', { m: null }) });
  const monitored = monitor([specOf(server.url, { engine: 'lmdeploy' })]);
  await whenUp(monitored, server);
  assert.equal(monitored.endpoint(server.url).facts?.engine, 'lmdeploy');
  assert.equal(server.count('/props'), 0);
  assert.equal(server.count('/api/tags'), 0);
});

test('a base path is kept', async () => {
  const answers = Object.entries(vllmAnswers()).map(([path, answer]) => [`/llm${path}`, answer]);
  const server = await serve(Object.fromEntries(answers) as Record<string, Answer>);
  const monitored = monitor([specOf(`${server.url}/llm`)]);
  await until('it is up', () => {
    return monitored.endpoint(`${server.url}/llm`).facts?.engine === 'vllm';
  });
});

test('a redirect of the metrics is not followed', async () => {
  const target = await serve({ '/metrics': { body: vllmMetrics({ running: 5 }) } });
  const headers = { location: `${target.url}/metrics` };
  const server = await serve({ ...vllmAnswers(), '/metrics': { status: 308, body: '', headers } });
  const monitored = monitor([specOf(server.url)]);
  await whenUp(monitored, server);
  await whenAskedMore(server, 6);
  assert.deepEqual(target.asked, []);
  assert.equal(monitored.endpoint(server.url).lastReport, null);
});

test('a Triton’s metrics are found on its metrics port, whose death costs the report alone', async (t) => {
  const text = [
    'nv_trt_llm_request_metrics{model="m",request_type="waiting",version="1"} 2',
    'nv_trt_llm_request_metrics{model="m",request_type="scheduled",version="1"} 5',
  ].join('\n');
  let metrics: EngineServer;
  try {
    metrics = await startEngineServer({ '/metrics': { body: text } }, 8002);
  } catch {
    t.skip('port 8002 is taken');
    return;
  }
  closers.push(() => metrics.stop());
  const server = await serve({
    '/v1/models': openAiList('Triton Inference Server', { m: null }),
    '/v2/health/ready': { body: '' },
  });
  const monitored = monitor([specOf(server.url)]);
  await whenUp(monitored, server);
  const endpoint = monitored.endpoint(server.url);
  await until('a report', () => endpoint.lastReport?.waiting === 2);
  assert.equal(endpoint.lastReport?.running, 5);
  await metrics.stop();
  await until('refreshes go on', () => server.count('/v1/models') >= 4);
  assert.equal(endpoint.reachability, 'reachable');
});

test('more endpoints than may be asked at once are all asked', async () => {
  const servers = await Promise.all(Array.from({ length: 12 }, () => serve(vllmAnswers())));
  const monitored = monitor(
    servers.map((server) => specOf(server.url)),
    { concurrency: 2 },
  );
  for (const server of servers) await whenUp(monitored, server);
  for (const server of servers) await whenAskedMore(server, 3);
});

test('closing is prompt and idempotent while a server is silent, and nothing is asked after', async () => {
  const silent = await serve({ '/v1/models': () => undefined });
  const server = await serve(vllmAnswers());
  const monitored = monitor([specOf(silent.url), specOf(server.url)], { timeoutMs: 600_000 });
  await whenUp(monitored, server);
  await until('the silent one is asked', () => silent.asked.length === 1);
  await Promise.all([monitored.monitor.close(), monitored.monitor.close()]);
  const asked = server.asked.length;
  await until('connections end', () => server.connections() + silent.connections() === 0);
  monitored.monitor.start();
  assert.equal(server.asked.length, asked);
  assert.equal(monitored.endpoint(silent.url).reachability, 'unknown');
});
