import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { after, test } from 'node:test';

import { createSystemClock } from '../cli/system-clock.ts';
import type { EndpointTls } from '../pool/endpoint.ts';
import { HttpProbe } from './http-probe.ts';
import { startEngineServer } from './testing/engine-server.ts';
import type { Answer, EngineServer } from './testing/engine-server.ts';
import { until } from './testing/until.ts';

const closers: (() => Promise<unknown>)[] = [];

after(async () => {
  for (const close of closers.reverse()) await close();
});

function probeOf(
  origin: string,
  options: { timeoutMs?: number; basePath?: string } = {},
): HttpProbe {
  const probe = new HttpProbe(
    { origin, basePath: options.basePath ?? '', tls: null },
    { clock: createSystemClock(), timeoutMs: options.timeoutMs ?? 5000, maxBodyBytes: 1000 },
  );
  closers.push(() => probe.close());
  return probe;
}

async function serve(answers: Record<string, Answer>): Promise<EngineServer> {
  const server = await startEngineServer(answers);
  closers.push(() => server.stop());
  return server;
}

async function serveRaw(onSocket: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    onSocket(socket);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  closers.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function failureOf(probe: HttpProbe, path = '/'): Promise<string> {
  const result = await probe.get(path);
  assert.ok(!result.ok, 'expected a failure');
  return result.error.kind;
}

test('an answer has status, server header, text and JSON', async () => {
  const server = await serve({
    '/a': { status: 503, body: { error: 'loading' }, headers: { server: 'uvicorn' } },
    '/text': { body: 'plain { not json' },
    '/mislabelled': { body: '{"models":[]}' },
  });
  const probe = probeOf(server.url);
  assert.deepEqual(await probe.get('/a'), {
    ok: true,
    value: {
      status: 503,
      server: 'uvicorn',
      text: '{"error":"loading"}',
      json: { error: 'loading' },
    },
  });
  const text = await probe.get('/text');
  assert.ok(text.ok && text.value.json === undefined);
  const mislabelled = await probe.get('/mislabelled');
  assert.ok(mislabelled.ok);
  assert.deepEqual(mislabelled.value.json, { models: [] });
});

test('paths are below the base path', async () => {
  const server = await serve({ '/llm/health': { body: 'ok' } });
  const result = await probeOf(server.url, { basePath: '/llm' }).get('/health');
  assert.ok(result.ok && result.value.status === 200);
});

test('a redirect is an answer and is not followed', async () => {
  const target = await serve({ '/metrics': { body: 'secret 1' } });
  const server = await serve({
    '/metrics': { status: 307, body: '', headers: { location: `${target.url}/metrics` } },
  });
  const result = await probeOf(server.url).get('/metrics');
  assert.ok(result.ok);
  assert.equal(result.value.status, 307);
  assert.deepEqual(target.asked, []);
});

test('a body over the limit is a failure and the rest of it is not read', async () => {
  const server = await serve({
    '/big': { body: 'x'.repeat(100_000) },
    '/fits': { body: 'x'.repeat(1000) },
  });
  const probe = probeOf(server.url);
  assert.equal(await failureOf(probe, '/big'), 'too-large');
  const fits = await probe.get('/fits');
  assert.ok(fits.ok && fits.value.text.length === 1000);
});

test('failures are told apart', async () => {
  const gone = await serve({});
  await gone.stop();
  assert.equal(await failureOf(probeOf(gone.url)), 'refused');
  assert.equal(await failureOf(probeOf('http://no-such-host.invalid:8000')), 'unresolved');
  const garbage = await serveRaw((socket) => {
    socket.end('SSH-2.0-OpenSSH_9.2\r\n');
  });
  assert.equal(await failureOf(probeOf(garbage)), 'invalid');
  const plain = await serve({});
  assert.equal(await failureOf(probeOf(plain.url.replace('http:', 'https:'))), 'tls');
});

test('a server that never answers, or never ends, is a time-out', async () => {
  const silent = await serveRaw(() => undefined);
  assert.equal(await failureOf(probeOf(silent, { timeoutMs: 50 })), 'timeout');
  const timers: NodeJS.Timeout[] = [];
  const dripping = await serveRaw((socket) => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n');
      timers.push(setInterval(() => socket.write('x'), 10));
    });
  });
  assert.equal(await failureOf(probeOf(dripping, { timeoutMs: 60 })), 'timeout');
  for (const timer of timers) clearInterval(timer);
});

test('a connection that breaks before the answer is tried once more, and only once', async () => {
  let connections = 0;
  const flaky = await serveRaw((socket) => {
    connections += 1;
    const isFirst = connections === 1;
    socket.once('data', () => {
      if (isFirst) socket.destroy();
      else socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
    });
  });
  const result = await probeOf(flaky).get('/');
  assert.ok(result.ok && result.value.text === 'ok');
  assert.equal(connections, 2);

  let tries = 0;
  const broken = await serveRaw((socket) => {
    tries += 1;
    socket.once('data', () => socket.destroy());
  });
  assert.equal(await failureOf(probeOf(broken)), 'reset');
  assert.equal(tries, 2);
});

function golden(file: string): string {
  return readFileSync(new URL(`../../test/golden/config/tls/${file}`, import.meta.url), 'utf8');
}

test('certificates are verified against the endpoint’s own authority, or not at all if so set', async () => {
  const cert = golden('cert.pem');
  const secure = createTlsServer({ cert, key: golden('key.pem') }, (_request, response) => {
    response.end('ok');
  });
  await new Promise<void>((resolve) => {
    secure.listen(0, '127.0.0.1', resolve);
  });
  closers.push(() => {
    secure.closeAllConnections();
    return new Promise((resolve) => secure.close(resolve));
  });
  const origin = `https://127.0.0.1:${(secure.address() as AddressInfo).port}`;
  const kindWith = async (tls: Partial<EndpointTls>): Promise<string> => {
    const none = { caPem: null, certPem: null, keyPem: null, serverName: null, skipVerify: false };
    const probe = new HttpProbe(
      { origin, basePath: '', tls: { ...none, ...tls } },
      { clock: createSystemClock(), timeoutMs: 5000, maxBodyBytes: 1000 },
    );
    closers.push(() => probe.close());
    const result = await probe.get('/');
    return result.ok ? result.value.text : result.error.kind;
  };
  assert.equal(await kindWith({}), 'tls');
  assert.equal(await kindWith({ caPem: cert }), 'ok');
  assert.equal(await kindWith({ caPem: cert, serverName: 'other.example' }), 'tls');
  assert.equal(await kindWith({ skipVerify: true }), 'ok');
});

test('closing ends what is under way and every connection', async () => {
  const server = await serve({ '/slow': () => undefined, '/ok': { body: 'ok' } });
  const probe = probeOf(server.url);
  await probe.get('/ok');
  const pending = probe.get('/slow');
  await until('the request arrives', () => server.count('/slow') === 1);
  await Promise.all([probe.close(), probe.close()]);
  const result = await pending;
  assert.ok(!result.ok);
  assert.equal(result.error.kind, 'closed');
  assert.equal(await failureOf(probe, '/ok'), 'closed');
  await until('connections end', () => server.connections() === 0);
});
