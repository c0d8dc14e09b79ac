import assert from 'node:assert/strict';
import { rename, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { connect as connectTcp, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { connect, createServer, type TlsOptions, type TLSSocket } from 'node:tls';
import type { EngineServer } from '../../src/simulator/server/server.ts';
import type { TestCertificate } from './support/certificates.ts';
import { createAuthority } from './support/certificates.ts';
import { startEngine } from './support/engines.ts';
import { startGateway, waitUntil } from './support/gateway.ts';
import { createFolder, startGatewayProcess } from './support/processes.ts';
import { decision, errorCode, resultsOf } from './support/scripted-fleet.ts';

/** Writes PEM texts into a folder and says where. */
async function writePair(
  folder: string,
  name: string,
  { certPem, keyPem }: TestCertificate,
): Promise<{ readonly certFile: string; readonly keyFile: string }> {
  const files = { certFile: join(folder, `${name}.pem`), keyFile: join(folder, `${name}.key`) };
  for (const [file, text] of [
    [files.certFile, certPem],
    [files.keyFile, keyPem],
  ] as const) {
    await writeFile(`${file}.new`, text);
    await rename(`${file}.new`, file);
  }
  return files;
}

interface Answer {
  readonly status: number;
  /** Common name in the certificate that the server showed. */
  readonly serverName: string;
  readonly response: IncomingMessage;
  readonly text: Promise<string>;
}

/** Sends a chat request over HTTPS on a new connection. */
async function askSecurely(
  t: TestContext,
  url: string,
  options: { readonly ca: string; readonly maxTokens: number; readonly stream: boolean },
): Promise<Answer> {
  const agent = new Agent({ ca: options.ca, keepAlive: true, maxCachedSessions: 0 });
  t.after(() => agent.destroy());
  const sent = request(`${url}/v1/chat/completions`, { method: 'POST', agent });
  sent.end(
    JSON.stringify({
      model: 'demo-model',
      stream: options.stream,
      max_tokens: options.maxTokens,
      ignore_eos: true,
      messages: [{ role: 'user', content: 'Hello' }],
    }),
  );
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    sent.on('response', resolve).on('error', reject);
  });
  const name = (response.socket as TLSSocket).getPeerCertificate().subject.CN;
  const text = new Promise<string>((resolve, reject) => {
    let all = '';
    response.setEncoding('utf8').on('data', (piece: string) => (all += piece));
    response.on('end', () => resolve(all)).on('error', reject);
  });
  text.catch(() => undefined);
  return { status: response.statusCode ?? 0, serverName: String(name), response, text };
}

test('a listener serves HTTPS; a renewed certificate is for new connections', async (t) => {
  const engine = await startEngine(t);
  const folder = await createFolder(t);
  const authority = createAuthority('Test authority');
  const ca = authority.certPem;
  const { certFile, keyFile } = await writePair(folder, 'server', authority.issueServer('first'));
  const file = join(folder, 'penstock.yaml');
  await writeFile(
    file,
    `
servers: ['${engine.url}']
listeners:
  - address: 127.0.0.1:0
    tls: { certFile: ${certFile}, keyFile: ${keyFile} }
`,
  );
  const gateway = await startGatewayProcess(t, ['--config', file], { listensByFile: true });
  assert.match(gateway.url, /^https:/);
  const old = await askSecurely(t, gateway.url, { ca, maxTokens: 240, stream: true });
  assert.equal(old.status, 200);
  assert.equal(old.serverName, 'first');

  await writePair(folder, 'server', authority.issueServer('second'));
  await waitUntil('the new certificate', async () => {
    const { serverName, text } = await askSecurely(t, gateway.url, {
      ca,
      maxTokens: 1,
      stream: false,
    });
    await text;
    return serverName === 'second';
  });
  assert.ok(!old.response.complete, 'the stream was over before the certificate changed');
  assert.ok((await old.text).endsWith('data: [DONE]\n\n'));

  // Nobody speaks plain HTTP or an old TLS here.
  await assert.rejects(fetch(gateway.url.replace('https', 'http')));
  const { port } = new URL(gateway.url);
  const outdated = connect({ port: Number(port), host: '127.0.0.1', ca, maxVersion: 'TLSv1.1' });
  await new Promise((resolve) => outdated.on('error', resolve));

  const last = await askSecurely(t, gateway.url, { ca, maxTokens: 60, stream: true });
  gateway.process.signal('SIGTERM');
  assert.ok((await last.text).endsWith('data: [DONE]\n\n'));
  assert.deepEqual(await gateway.process.ended, { code: 0, signal: null });
});

test('a key that does not fit its certificate keeps the one before', async (t) => {
  const engine = await startEngine(t);
  const folder = await createFolder(t);
  const authority = createAuthority('Test authority');
  const pair = authority.issueServer('first');
  const { certFile, keyFile } = await writePair(folder, 'server', pair);
  const file = join(folder, 'penstock.yaml');
  const yaml = `
servers: ['${engine.url}']
listeners: [{ address: 127.0.0.1:0, tls: { certFile: ${certFile}, keyFile: ${keyFile} } }]
`;
  await writeFile(file, yaml);
  const gateway = await startGatewayProcess(t, ['--config', file], { listensByFile: true });
  await writeFile(keyFile, authority.issueServer('other').keyPem);
  await waitUntil('the failed reload', async () => {
    return (await gateway.state()).config.lastReloadError !== null;
  });
  const { lastReloadError } = (await gateway.state()).config;
  assert.match(lastReloadError!.problems[0]!.path, /^listeners\[0\]\.tls/);
  const ca = authority.certPem;
  const answer = await askSecurely(t, gateway.url, { ca, maxTokens: 1, stream: false });
  assert.equal(answer.serverName, 'first');
  assert.equal(answer.status, 200);
});

/** Puts TLS in front of an engine, as a sidecar would. */
async function startTlsFront(
  t: TestContext,
  engine: EngineServer,
  options: TlsOptions,
): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer(options, (client) => {
    const inner = connectTcp(engine.port, '127.0.0.1');
    for (const socket of [client, inner]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    }
    client.on('close', () => inner.destroy());
    inner.on('close', () => client.destroy());
    client.pipe(inner).pipe(client);
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('servers behind HTTPS with an own authority get the client certificate they want', async (t) => {
  const engine = await startEngine(t);
  const folder = await createFolder(t);
  const servers = createAuthority('Servers');
  const clients = createAuthority('Clients');
  const shown = servers.issueServer('engine.test');
  const client = await writePair(folder, 'client', clients.issueClient('gateway'));
  const other = await writePair(folder, 'other', servers.issueClient('gateway'));
  const caFile = join(folder, 'servers.pem');
  await writeFile(caFile, servers.certPem);
  const wrongCaFile = join(folder, 'clients.pem');
  await writeFile(wrongCaFile, clients.certPem);

  const pair = ({ certFile, keyFile }: typeof client): string =>
    `certFile: ${certFile}, keyFile: ${keyFile}`;
  const settings: Readonly<Record<string, string>> = {
    good: `caFile: ${caFile}, ${pair(client)}`,
    named: `caFile: ${caFile}, ${pair(client)}, serverName: engine.test`,
    unchecked: `${pair(client)}, skipVerify: true`,
    'wrong-ca': `caFile: ${wrongCaFile}, ${pair(client)}`,
    'wrong-name': `caFile: ${caFile}, ${pair(client)}, serverName: other.test`,
    'no-client': `caFile: ${caFile}`,
    'wrong-client': `caFile: ${caFile}, ${pair(other)}`,
  };
  const pools: string[] = [];
  for (const [name, tls] of Object.entries(settings)) {
    const url = await startTlsFront(t, engine, {
      cert: shown.certPem,
      key: shown.keyPem,
      ca: clients.certPem,
      requestCert: true,
      rejectUnauthorized: true,
    });
    pools.push(
      `  - { name: ${name}, models: [demo-model], endpoints: ['${url}'], tls: { ${tls} } }`,
    );
  }
  const models = Object.keys(settings).map(
    (name) => `  - { name: m-${name}, targets: [{ pool: ${name}, model: demo-model }] }`,
  );
  const gateway = await startGateway(t, ['pools:', ...pools, 'models:', ...models, ''].join('\n'));
  const ask = async (name: string, stream = false): Promise<Response> =>
    fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'x-request-id': `${name}-${stream}` },
      body: JSON.stringify({
        model: `m-${name}`,
        stream,
        max_tokens: 3,
        messages: [{ role: 'user', content: 'Hello' }],
      }),
    });
  // Asked at once: after the first probe these servers are known to be down.
  for (const [name, refused] of [
    ['wrong-ca', await ask('wrong-ca')],
    ['wrong-name', await ask('wrong-name')],
  ] as const) {
    const isKnownDown = refused.status === 503;
    const code = await errorCode(refused);
    assert.equal(code, isKnownDown ? 'no_endpoint' : 'upstream_connect_failed', name);
    if (!isKnownDown) {
      assert.equal(refused.status, 502);
      assert.deepEqual(resultsOf(await decision(gateway, `${name}-false`)), ['connect']);
    }
  }
  for (const name of ['good', 'named', 'unchecked']) {
    const streamed = await ask(name, true);
    assert.equal(streamed.status, 200, name);
    assert.ok((await streamed.text()).endsWith('data: [DONE]\n\n'));
    const answer = await ask(name);
    assert.equal(answer.status, 200, name);
    assert.equal(((await answer.json()) as { model: string }).model, `m-${name}`);
  }
  for (const name of ['no-client', 'wrong-client']) {
    const refused = await ask(name);
    await refused.text();
    assert.ok(refused.status === 502 || refused.status === 503, name);
  }
  // Probing finds the same out, and says it.
  const reasons = new Map<string, string | null>();
  await waitUntil('the probes', async () => {
    for (const { pool: name, state, reason } of (await gateway.state()).endpoints) {
      if (state === 'unreachable') reasons.set(name ?? '', reason);
    }
    return reasons.size === 4;
  });
  assert.match(reasons.get('wrong-ca') ?? '', /certificate/);
  assert.match(reasons.get('wrong-name') ?? '', /certificate|altnames/);
});
