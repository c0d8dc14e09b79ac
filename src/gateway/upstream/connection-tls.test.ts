import assert from 'node:assert/strict';
import { createServer as createHttpsServer } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { createServer as createTlsServer } from 'node:tls';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { createAuthority } from '../../../test/e2e/support/certificates.ts';
import type { Endpoint, EndpointTls } from '../../pool/endpoint.ts';
import {
  answerOf,
  arrivingBody,
  createWorld,
  endpointAt,
  exchange,
  hashOf,
  listen,
  send,
  settle,
  startRawServer,
  TIMEOUTS,
  until,
  variedBytes,
} from './testing/upstream-world.ts';

const MIB = 1024 * 1024;
const AUTHORITY = createAuthority('Test Authority');
const SERVER = AUTHORITY.issueServer('models.test');

function tlsOf(change: Partial<EndpointTls> = {}): EndpointTls {
  const settings = { caPem: AUTHORITY.certPem, certPem: null, keyPem: null, serverName: null };
  return { ...settings, skipVerify: false, ...change };
}

interface TlsServer {
  readonly endpointWith: (tls: EndpointTls | null) => Endpoint;
  readonly sockets: readonly TLSSocket[];
}

/** A server that writes to whoever has sent something. */
async function startTlsServer(
  t: TestContext,
  handle: (socket: TLSSocket, received: Buffer) => void,
  options: Parameters<typeof createTlsServer>[0] = {},
): Promise<TlsServer> {
  const sockets: TLSSocket[] = [];
  const keys = { cert: SERVER.certPem, key: SERVER.keyPem };
  const server = createTlsServer({ ...keys, ...options }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (received: Buffer) => handle(socket, received));
  });
  server.on('tlsClientError', () => undefined);
  const port = await listen(t, server, sockets);
  return { endpointWith: (tls) => endpointAt(`https://127.0.0.1:${port}`, tls), sockets };
}

test('requests go over TLS, one after another on one connection', async (t) => {
  const world = createWorld(t);
  const server = await startTlsServer(t, (socket) => socket.write(answerOf('secret')));
  const endpoint = server.endpointWith(tlsOf());
  for (let i = 0; i < 5; i += 1) assert.equal((await exchange(world, endpoint)).text, 'secret');
  assert.equal(server.sockets.length, 1);
  assert.equal(server.sockets[0]!.encrypted, true);
  await exchange(world, endpoint, { isFresh: true });
  assert.equal(server.sockets.length, 2);
});

const REFUSED: readonly (readonly [string, EndpointTls | null, RegExp])[] = [
  ['an authority that is not known', null, /self-signed|unable to verify|issuer/],
  [
    'another authority',
    tlsOf({ caPem: createAuthority('Another').certPem }),
    /self-signed|unable to verify|issuer|signature/,
  ],
  ['another name', tlsOf({ serverName: 'other.test' }), /does not match|altnames/],
  ['an authority that cannot be read', tlsOf({ caPem: 'not PEM' }), /./],
  ['a key that cannot be read', tlsOf({ certPem: SERVER.certPem, keyPem: 'not PEM' }), /./],
];

for (const [what, tls, reason] of REFUSED) {
  test(`${what} is a connect failure, and the request is never sent`, async (t) => {
    const world = createWorld(t);
    let receivedBytes = 0;
    const server = await startTlsServer(t, (_socket, received) => {
      receivedBytes += received.length;
    });
    const call = await exchange(world, server.endpointWith(tls), { body: Buffer.from('prompt') });
    assert.deepEqual(call.events, ['connect']);
    assert.match(call.failure!.message, reason);
    await settle();
    assert.equal(receivedBytes, 0);
  });
}

test('a server name is sent and checked, and a check can be left out', async (t) => {
  const world = createWorld(t);
  const server = await startTlsServer(t, (socket) => {
    socket.write(answerOf(String(socket.servername)));
  });
  const named = server.endpointWith(tlsOf({ serverName: 'models.test' }));
  assert.equal((await exchange(world, named)).text, 'models.test');
  const careless = server.endpointWith(tlsOf({ caPem: null, skipVerify: true }));
  assert.equal((await exchange(world, careless)).text, 'false');
});

test('a client certificate is shown', async (t) => {
  const world = createWorld(t);
  const client = AUTHORITY.issueClient('penstock');
  const server = await startTlsServer(
    t,
    (socket) => socket.write(answerOf(String(socket.getPeerCertificate().subject.CN))),
    { requestCert: true, rejectUnauthorized: true, ca: AUTHORITY.certPem },
  );
  const shown = tlsOf({ certPem: client.certPem, keyPem: client.keyPem });
  assert.equal((await exchange(world, server.endpointWith(shown))).text, 'penstock');
  const hidden = await exchange(world, server.endpointWith(tlsOf()));
  // TLS 1.3 refuses a client only after its handshake, when the request is on its way.
  assert.match(hidden.events.join(), /^(connect|reset)$/);
});

for (const isChunked of [false, true]) {
  const how = isChunked ? 'in chunks' : 'with a length';

  test(`large bodies ${how} pass both ways, with pauses`, async (t) => {
    const world = createWorld(t);
    const bytes = variedBytes(8 * MIB);
    const wanted = hashOf(bytes);
    let uploaded = '';
    const server = createHttpsServer(
      { cert: SERVER.certPem, key: SERVER.keyPem },
      (request, response) => {
        const pieces: Buffer[] = [];
        request.on('data', (piece: Buffer) => pieces.push(piece));
        request.on('end', () => {
          uploaded = hashOf(...pieces);
          if (!isChunked) response.setHeader('content-length', bytes.length);
          for (let at = 0; at < bytes.length; at += 90_000) {
            response.write(bytes.subarray(at, at + 90_000));
          }
          response.end();
        });
      },
    );
    const endpoint = endpointAt(`https://127.0.0.1:${await listen(t, server)}`, tlsOf());
    const body = arrivingBody();
    const sending = { body, contentLength: isChunked ? null : bytes.length };
    const { call, connection } = send(world, endpoint, sending);
    call.isPausing = true;
    for (let at = 0; at < bytes.length; at += 300_000) body.push(bytes.subarray(at, at + 300_000));
    body.end();
    for (let pauses = 0; call.events.at(-1) !== 'end'; pauses += 1) {
      const before = call.receivedBytes;
      await until('more', () => call.receivedBytes > before || call.events.at(-1) === 'end');
      if (pauses < 20) {
        const received = call.receivedBytes;
        await settle(20);
        assert.equal(call.receivedBytes, received, 'nothing comes while paused');
        world.clock.advance(2 * TIMEOUTS.idleMs!);
      } else {
        call.isPausing = false;
      }
      connection.resume();
    }
    assert.equal(call.failure, null);
    assert.equal(uploaded, wanted);
    assert.equal(hashOf(call.body), wanted);
    assert.equal((await exchange(world, endpoint)).receivedBytes, bytes.length);
    assert.equal(world.sockets.length, 1);
  });
}

test('a server that speaks no TLS is a connect failure', async (t) => {
  const world = createWorld(t);
  const server = await startRawServer(t, () => undefined);
  const { call } = send(world, endpointAt(`https://127.0.0.1:${server.port}`, tlsOf()));
  await until('the connection', () => server.sockets.length === 1);
  server.sockets[0]!.write('HTTP/1.1 400 Bad Request\r\n\r\n');
  assert.deepEqual((await call.ended()).events, ['connect']);
});

test('ends are told apart as without TLS', async (t) => {
  const world = createWorld(t);
  let count = 0;
  const server = await startTlsServer(t, (socket) => {
    count += 1;
    if (count === 1) socket.write(answerOf('x'));
    else if (count === 2) socket.end();
    else if (count === 3) socket.end('HTTP/1.1 200 OK\r\n\r\nuntil the end');
    else socket.end('HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\ncut');
  });
  const endpoint = server.endpointWith(tlsOf());
  const calls = [];
  for (let i = 0; i < 4; i += 1) calls.push(await exchange(world, endpoint));
  assert.deepEqual(
    calls.map(({ events }) => events.join()),
    ['head,data,end', 'stale', 'head,data,end', 'head,data,reset'],
  );
  assert.equal(calls[2]!.text, 'until the end');
});

test('giving up closes the connection at once', async (t) => {
  const world = createWorld(t);
  const server = await startTlsServer(t, (socket) => socket.write('HTTP/1.1 200 OK\r\n\r\nabc'));
  const { call, connection } = send(world, server.endpointWith(tlsOf()));
  await until('a part of the answer', () => call.receivedBytes === 3);
  connection.abort();
  await until('the end', () => server.sockets[0]!.destroyed || server.sockets[0]!.readableEnded);
  assert.deepEqual(call.events, ['head', 'data']);
  assert.equal(world.sockets[0]!.destroyed, true);
});
