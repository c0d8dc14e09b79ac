import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as sendRequest } from 'node:http';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';

import { createSystemClock } from '../../cli/system-clock.ts';
import { parsePrometheus } from '../../protocol/prometheus/parser.ts';
import { completeRecord, createDecisionRecord } from '../../telemetry/testing/decision-records.ts';
import type { ReloadResult } from './ports.ts';
import { createAdminServer } from './server.ts';
import { SAMPLE_STATE, startAdmin } from './testing/admin-fixture.ts';
import type { AdminFixture } from './testing/admin-fixture.ts';

const clock = createSystemClock();
let admin: AdminFixture;

before(async () => {
  admin = await startAdmin(clock);
});

after(async () => {
  await admin.server.close();
});

test('GET / lists the routes as text', async () => {
  const { status, headers, text } = await admin.call('GET', '/');
  assert.equal(status, 200);
  assert.equal(headers['content-type'], 'text/plain; charset=utf-8');
  assert.match(text, /POST +\/api\/endpoints\/\{id\}\/drain/);
});

test('/livez answers whatever the readiness', async () => {
  admin.sources.readinessNow = { isReady: false, reasons: ['draining'] };
  const { status, text } = await admin.call('GET', '/livez');
  assert.equal(status, 200);
  assert.equal(text, '{"status":"live"}\n');
});

test('/readyz is 503 with its reasons until ready', async () => {
  admin.sources.readinessNow = { isReady: false, reasons: ['no endpoint has answered yet'] };
  const before = await admin.call('GET', '/readyz');
  assert.equal(before.status, 503);
  assert.deepEqual(before.json(), {
    status: 'not_ready',
    reasons: ['no endpoint has answered yet'],
  });
  admin.sources.readinessNow = { isReady: true, reasons: [] };
  const later = await admin.call('GET', '/readyz');
  assert.equal(later.status, 200);
  assert.deepEqual(later.json(), { status: 'ready', reasons: [] });
});

test('/metrics is Prometheus text that a parser reads', async () => {
  admin.sources.metrics.counter('penstock_errors_total', ['no_endpoint']).add(3);
  const { status, headers, text } = await admin.call('GET', '/metrics');
  assert.equal(status, 200);
  assert.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  const samples = parsePrometheus(text);
  assert.equal(samples.brokenLines, 0);
  assert.equal(samples.of('penstock_errors_total')[0]?.value, 3);
});

test('/api/state is the state as JSON', async () => {
  const { status, headers, json } = await admin.call('GET', '/api/state');
  assert.equal(status, 200);
  assert.equal(headers['content-type'], 'application/json');
  assert.deepEqual(json(), SAMPLE_STATE);
});

test('/api/decisions gives the newest first, as many as asked for', async () => {
  for (let index = 0; index < 5; index += 1) {
    admin.sources.decisions.add(createDecisionRecord({ requestId: `list-${index}` }));
  }
  const { json } = await admin.call('GET', '/api/decisions?limit=2');
  const { capacity, decisions } = json();
  assert.equal(capacity, 100);
  assert.deepEqual(
    (decisions as { requestId: string }[]).map(({ requestId }) => requestId),
    ['list-4', 'list-3'],
  );
  for (const limit of ['0', '-1', '1001', 'x', '', '1e2', '99999']) {
    const refused = await admin.call('GET', `/api/decisions?limit=${limit}`);
    assert.equal(refused.status, 400, limit);
    assert.equal((refused.json()['error'] as { code: string }).code, 'invalid_query');
  }
});

test('/api/decisions/{id} finds one by its request id, percent-encoded', async () => {
  const record = createDecisionRecord({ requestId: 'a/b c?ü' });
  admin.sources.decisions.add(record);
  completeRecord(record);
  const found = await admin.call('GET', `/api/decisions/${encodeURIComponent('a/b c?ü')}`);
  assert.equal(found.status, 200);
  assert.deepEqual(found.json(), record);
  const missing = await admin.call('GET', '/api/decisions/never-seen');
  assert.equal(missing.status, 404);
  assert.equal((missing.json()['error'] as { code: string }).code, 'decision_not_found');
  const broken = await admin.call('GET', '/api/decisions/%E0%A4%A');
  assert.equal(broken.status, 400);
});

test('an endpoint is drained and taken back by its encoded id', async () => {
  const { sources } = admin;
  for (const id of ['10.0.0.1:8000', 'models.internal:80/base']) {
    const path = `/api/endpoints/${encodeURIComponent(id)}/drain`;
    const drained = await admin.call('POST', path);
    assert.equal(drained.status, 200);
    assert.deepEqual(drained.json(), { endpoint: id, isDraining: true });
    const back = await admin.call('DELETE', path);
    assert.deepEqual(back.json(), { endpoint: id, isDraining: false });
    assert.deepEqual(sources.drains.splice(0), [`${id} drain`, `${id} undrain`]);
  }
  const unknown = await admin.call('POST', '/api/endpoints/nowhere%3A1/drain');
  assert.equal(unknown.status, 404);
  assert.equal((unknown.json()['error'] as { code: string }).code, 'endpoint_not_found');
});

test('/api/config shows no credentials', async () => {
  admin.sources.configNow = {
    pools: [{ tls: { keyPem: '-----BEGIN PRIVATE KEY-----', caPem: 'ca' }, apiKey: 'k-123' }],
    servers: ['http://user:k-123@10.0.0.1:8000'],
  };
  const { text, json } = await admin.call('GET', '/api/config');
  assert.doesNotMatch(text, /k-123|BEGIN PRIVATE/);
  assert.deepEqual(json(), {
    pools: [{ tls: { keyPem: '[redacted]', caPem: 'ca' }, apiKey: '[redacted]' }],
    servers: ['http://10.0.0.1:8000'],
  });
});

test('a reload answers with its problems, and calls during it share it', async () => {
  const { sources } = admin;
  const problems = [{ path: 'listeners', line: 2, message: 'unknown key' }];
  let finish: (result: ReloadResult) => void = () => {};
  sources.reloadNow = () =>
    new Promise((resolve) => {
      finish = resolve;
    });
  // Two calls in one packet: the server has read both before it can answer either.
  const call = 'POST /api/config/reload HTTP/1.1\r\nHost: localhost\r\n';
  const socket = connect(admin.port, '127.0.0.1');
  socket.setEncoding('latin1');
  let text = '';
  socket.on('data', (chunk: string) => {
    text += chunk;
  });
  socket.write(`${call}\r\n${call}Connection: close\r\n\r\n`);
  while (sources.reloads === 0) await admin.call('GET', '/livez');
  await admin.call('GET', '/livez');
  finish({ ok: false, problems });
  await once(socket, 'close');
  const shown = JSON.stringify({ ok: false, problems });
  assert.equal(text.split('HTTP/1.1 422').length - 1, 2);
  assert.equal(text.split(shown).length - 1, 2);
  assert.equal(sources.reloads, 1);
  sources.reloadNow = () => Promise.resolve({ ok: true, problems: [] });
  const good = await admin.call('POST', '/api/config/reload');
  assert.equal(good.status, 200);
  assert.equal(sources.reloads, 2);
});

test('unknown paths are 404 and wrong methods 405 with Allow, as JSON', async () => {
  for (const path of [
    '/nothing',
    '/api',
    '/api/decisions/',
    '/api/decisions/a/b',
    '//livez',
    '/%',
  ]) {
    const { status, json } = await admin.call('GET', path);
    assert.equal(status, 404, path);
    assert.equal((json()['error'] as { code: string }).code, 'not_found');
  }
  const post = await admin.call('POST', '/livez');
  assert.equal(post.status, 405);
  assert.equal(post.headers.allow, 'GET, HEAD');
  const get = await admin.call('GET', '/api/endpoints/x/drain');
  assert.equal(get.status, 405);
  assert.equal(get.headers.allow, 'POST, DELETE');
  assert.equal((await admin.call('OPTIONS', '/api/state')).status, 405);
});

test('HEAD gives the head of GET without a body', async () => {
  for (const path of ['/', '/livez', '/metrics', '/api/state', '/api/config']) {
    const head = await admin.call('HEAD', path);
    const get = await admin.call('GET', path);
    assert.equal(head.status, 200, path);
    assert.equal(head.text, '');
    assert.equal(head.headers['content-length'], get.headers['content-length']);
  }
  const stream = await admin.call('HEAD', '/api/decisions/stream');
  assert.equal(stream.headers['content-type'], 'text/event-stream');
  assert.equal(stream.text, '');
});

test('every answer forbids caching, framing, sniffing and foreign readers', async () => {
  for (const path of ['/', '/livez', '/metrics', '/nothing']) {
    const { headers } = await admin.call('GET', path);
    assert.equal(headers['cache-control'], 'no-store');
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['x-frame-options'], 'DENY');
    assert.equal(headers['cross-origin-resource-policy'], 'same-origin');
    assert.match(String(headers['content-security-policy']), /default-src 'none'/);
    assert.equal(headers['access-control-allow-origin'], undefined);
  }
});

test('changes asked for by foreign pages or foreign names are refused and not done', async () => {
  const { sources, port } = admin;
  sources.drains.length = 0;
  const path = '/api/endpoints/10.0.0.1%3A8000/drain';
  const refused: Record<string, string>[] = [
    { host: 'rebound.example' },
    { host: `rebound.example:${port}` },
    { host: '10.9.9.9' },
    { origin: 'http://evil.example' },
    { origin: 'null' },
    { origin: `https://127.0.0.1:${port + 1}` },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ];
  for (const headers of refused) {
    const answer = await admin.call('POST', path, { headers });
    assert.equal(answer.status, 403, JSON.stringify(headers));
  }
  assert.deepEqual(sources.drains, []);
  const accepted: Record<string, string>[] = [
    { host: `localhost:${port}`, origin: `http://localhost:${port}` },
    { host: `[::1]:${port}` },
    { 'sec-fetch-site': 'same-origin', origin: `http://127.0.0.1:${port}` },
  ];
  for (const headers of accepted) {
    const answer = await admin.call('POST', path, { headers });
    assert.equal(answer.status, 200, JSON.stringify(headers));
  }
  assert.equal(sources.drains.length, 3);
});

test('on loopback a foreign name reads nothing but health', async () => {
  const headers = { host: 'rebound.example' };
  for (const path of ['/', '/metrics', '/api/state', '/api/config', '/api/decisions/stream']) {
    assert.equal((await admin.call('GET', path, { headers })).status, 403, path);
  }
  assert.equal((await admin.call('GET', '/livez', { headers })).status, 200);
  assert.equal((await admin.call('GET', '/readyz', { headers })).status, 200);
});

test('a body is ignored up to its bound and refused beyond, and the change is not done', async () => {
  const { sources } = admin;
  sources.drains.length = 0;
  const path = '/api/endpoints/10.0.0.1%3A8000/drain';
  const small = await admin.call('POST', path, { body: '{"any":"thing"}' });
  assert.equal(small.status, 200);
  const declared = await admin.call('POST', path, { headers: { 'content-length': '70000' } });
  assert.equal(declared.status, 413);
  assert.equal(declared.headers.connection, 'close');
  const chunked = await admin.call('POST', path, {
    headers: { 'transfer-encoding': 'chunked' },
    body: 'x'.repeat(65_537),
  });
  assert.equal(chunked.status, 413);
  assert.deepEqual(sources.drains, ['10.0.0.1:8000 drain']);
});

test('a call cut off in its body changes nothing', async () => {
  const { sources, port } = admin;
  sources.drains.length = 0;
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.end(
    'POST /api/endpoints/10.0.0.1%3A8000/drain HTTP/1.1\r\nHost: localhost\r\n' +
      'Content-Length: 10\r\n\r\nabc',
  );
  socket.resume();
  await once(socket, 'close');
  assert.deepEqual(sources.drains, []);
});

test('a connection serves several calls, errors included', async () => {
  const socket = connect(admin.port, '127.0.0.1');
  let text = '';
  socket.setEncoding('latin1');
  socket.on('data', (chunk: string) => {
    text += chunk;
  });
  const head = (method: string, path: string) =>
    `${method} ${path} HTTP/1.1\r\nHost: localhost\r\n`;
  socket.write(
    `${head('GET', '/nothing')}\r\n${head('PUT', '/livez')}\r\n` +
      `${head('GET', '/livez')}Connection: close\r\n\r\n`,
  );
  await once(socket, 'close');
  assert.deepEqual(
    [...text.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => status),
    ['404', '405', '200'],
  );
});

test('a source that throws is a 500 without its cause, and the server goes on', async () => {
  const logged: unknown[] = [];
  const log = {
    isDebug: false,
    debug: () => {},
    info: () => {},
    warn: () => {},
    error: (fields: unknown) => {
      logged.push(fields);
    },
    child: () => log,
    sampleRequest: () => false,
  };
  const own = await startAdmin(clock, { log });
  own.sources.renderMetrics = () => {
    throw new Error('inside detail');
  };
  const { status, text } = await own.call('GET', '/metrics');
  assert.equal(status, 500);
  assert.match(text, /"code":"internal"/);
  assert.doesNotMatch(text, /inside detail/);
  assert.equal(logged.length, 1);
  assert.equal((await own.call('GET', '/livez')).status, 200);
  await own.server.close();
});

test('listening on a taken port rejects with the system error', async () => {
  const { sources, port } = admin;
  await assert.rejects(
    createAdminServer({
      address: { host: '127.0.0.1', port },
      sources,
      clock,
      log: (await import('../../telemetry/logger.ts')).SILENT_LOGGER,
      metrics: sources.metrics,
    }),
    { code: 'EADDRINUSE' },
  );
});

test('close ends live streams and idle connections, and may be called twice', async () => {
  const own = await startAdmin(clock);
  const { port } = own.server.address;
  const idle = connect(port, '127.0.0.1');
  await once(idle, 'connect');
  const idleClosed = once(idle, 'close');
  const follower = sendRequest({ host: '127.0.0.1', port, path: '/api/decisions/stream' });
  follower.end();
  const [response] = (await once(follower, 'response')) as [NodeJS.ReadableStream];
  response.resume();
  const ended = once(response, 'end');
  await Promise.all([own.server.close(), own.server.close()]);
  await Promise.all([ended, idleClosed]);
  await assert.rejects(own.call('GET', '/livez'), { code: 'ECONNREFUSED' });
});
