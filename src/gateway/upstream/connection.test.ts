import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer as createHttpServer } from 'node:http';
import type { Socket } from 'node:net';
import { createServer } from 'node:net';
import { test } from 'node:test';
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

// ---- What an endpoint that goes away is taken for ----

/** How a server ends a connection. */
const ENDINGS: readonly (readonly [string, (socket: Socket) => void])[] = [
  ['FIN', (socket) => socket.end()],
  ['RST', (socket) => socket.resetAndDestroy()],
  ['close', (socket) => socket.destroy()],
];

for (const [how, end] of ENDINGS) {
  test(`${how} in place of an answer: stale on a reused connection, reset on a new one`, async (t) => {
    const world = createWorld(t);
    const server = await startRawServer(t, (socket, _received, index) => {
      if (index === 0 && server.sockets.length === 1) socket.write(answerOf('x'));
      else end(socket);
    });
    await exchange(world, server.endpoint);
    const reused = await exchange(world, server.endpoint);
    assert.deepEqual(reused.events, ['stale']);
    assert.equal(world.sockets.length, 1);
    const fresh = await exchange(world, server.endpoint);
    assert.deepEqual(fresh.events, ['reset']);
    assert.equal(world.sockets.length, 2);
  });

  test(`${how} after a byte of an answer is a reset, on a reused connection too`, async (t) => {
    const world = createWorld(t);
    const server = await startRawServer(t, (socket, _received, index) => {
      if (index === 0) socket.write(answerOf('x'));
      else socket.write('H');
    });
    await exchange(world, server.endpoint);
    const { call } = send(world, server.endpoint);
    const [socket] = world.sockets;
    const before = socket!.bytesRead;
    await until('the byte', () => socket!.bytesRead > before);
    end(server.sockets[0]!);
    assert.deepEqual((await call.ended()).events, ['reset']);
  });

  test(`${how} in the middle of a body is a reset, after what had come of it`, async (t) => {
    const world = createWorld(t);
    const server = await startRawServer(t, (socket) =>
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc'),
    );
    const { call } = send(world, server.endpoint);
    await until('a part of the body', () => call.receivedBytes === 3);
    end(server.sockets[0]!);
    assert.deepEqual((await call.ended()).events, ['head', 'data', 'reset']);
  });
}

test('a reused connection that closes after a while has been working on the request', async (t) => {
  const world = createWorld(t);
  const server = await startRawServer(t, (socket, _received, index) => {
    if (index === 0) socket.write(answerOf('x'));
  });
  await exchange(world, server.endpoint);
  const { call } = send(world, server.endpoint);
  await settle();
  world.clock.advance(1000);
  server.sockets[0]!.end();
  assert.deepEqual((await call.ended()).events, ['reset']);
});

test('a body until the end of the connection is complete with FIN and cut by RST', async (t) => {
  for (const [how, expected] of [
    ['end', 'end'],
    ['resetAndDestroy', 'reset'],
  ] as const) {
    const world = createWorld(t);
    const server = await startRawServer(t, (socket) => socket.write('HTTP/1.1 200 OK\r\n\r\nabc'));
    const { call } = send(world, server.endpoint);
    await until('the body', () => call.receivedBytes === 3);
    server.sockets[0]![how]();
    await call.ended();
    assert.deepEqual(call.events, ['head', 'data', expected]);
    assert.equal(world.sockets.at(-1)!.destroyed, true);
  }
});

test('an endpoint that ends its side while it is sent a body is noticed at once', async (t) => {
  const world = createWorld(t);
  const server = await startRawServer(t, (socket) => {
    socket.pause();
    socket.end();
  });
  const call = await exchange(world, server.endpoint, { body: Buffer.alloc(32 * MIB) });
  assert.deepEqual(call.events, ['reset']);
});

test('408 that closes an idle connection is not the answer to the request that crossed it', async (t) => {
  const world = createWorld(t);
  const timedOut = 'HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n';
  const server = await startRawServer(t, (socket, _received, index) => {
    socket.write(index === 0 && server.sockets.length === 1 ? answerOf('x') : timedOut);
  });
  await exchange(world, server.endpoint);
  assert.deepEqual((await exchange(world, server.endpoint)).events, ['stale']);
  const fresh = await exchange(world, server.endpoint);
  assert.deepEqual(fresh.events, ['head', 'end']);
  assert.equal(fresh.head?.status, 408);
});

// ---- Connecting ----

test('a port that nobody listens on is a connect failure with the reason', async (t) => {
  const world = createWorld(t);
  const server = createServer();
  const port = await listen(t, server);
  server.close();
  await settle();
  for (const host of ['127.0.0.1', 'localhost']) {
    const call = await exchange(world, endpointAt(`http://${host}:${port}`));
    assert.deepEqual(call.events, ['connect']);
    assert.match(call.failure!.message, /ECONNREFUSED/);
    assert.notEqual(call.failure!.cause, null);
  }
});

test('a name with several addresses is reached at the one that answers', async (t) => {
  const world = createWorld(t);
  const server = await startRawServer(t, (socket) => socket.write(answerOf('found')));
  const call = await exchange(world, endpointAt(`http://localhost:${server.port}`));
  assert.equal(call.text, 'found');
});

test('a connection that does not come about in time is a connect failure', async (t) => {
  const world = createWorld(t);
  // TLS is a part of connecting, and this server says nothing.
  const server = await startRawServer(t, () => undefined);
  const { call } = send(world, endpointAt(`https://127.0.0.1:${server.port}`));
  await until('the connection', () => server.sockets.length === 1);
  world.clock.advance(TIMEOUTS.connectMs! - 100);
  await settle();
  assert.deepEqual(call.events, []);
  world.clock.advance(200);
  assert.deepEqual(call.events, ['connect']);
  await until('the end', () => server.sockets[0]!.destroyed || server.sockets[0]!.readableEnded);
});

test('a request given up while connecting is never sent', async (t) => {
  const world = createWorld(t);
  const received: Buffer[] = [];
  const server = createServer((socket) => {
    socket.on('data', (bytes: Buffer) => received.push(bytes)).on('error', () => undefined);
  });
  const endpoint = endpointAt(`http://127.0.0.1:${await listen(t, server)}`);
  const early = send(world, endpoint);
  early.connection.abort();
  const later = send(world, endpoint);
  await Promise.resolve();
  later.connection.abort();
  await settle();
  assert.deepEqual([early.call.events, later.call.events], [[], []]);
  assert.equal(received.length, 0);
  assert.equal(
    world.sockets.every(({ destroyed }) => destroyed),
    true,
  );
});

// ---- Time-outs ----

test('the first byte is waited for from the sent request, informational answers aside', async (t) => {
  const world = createWorld(t);
  const server = await startRawServer(t, (socket) => {
    socket.write('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 ');
  });
  const { call } = send(world, server.endpoint);
  await until('the request', () => server.sockets[0]?.bytesRead !== 0);
  await settle();
  world.clock.advance(TIMEOUTS.firstByteMs! - 100);
  await settle();
  assert.deepEqual(call.events, []);
  world.clock.advance(200);
  assert.deepEqual(call.events, ['timeout']);
  assert.equal(world.sockets[0]!.destroyed, true);
});

test('silence in an answer is limited, but not while nobody reads it', async (t) => {
  const world = createWorld(t);
  const server = await startRawServer(t, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc');
  });
  const { call, connection } = send(world, server.endpoint);
  call.isPausing = true;
  await until('a part of the body', () => call.receivedBytes === 3);
  world.clock.advance(10 * TIMEOUTS.idleMs!);
  assert.equal(call.failure, null);
  call.isPausing = false;
  connection.resume();
  world.clock.advance(TIMEOUTS.idleMs! - 100);
  server.sockets[0]!.write('def');
  await until('another part', () => call.receivedBytes === 6);
  world.clock.advance(TIMEOUTS.idleMs! - 100);
  assert.equal(call.failure, null);
  world.clock.advance(200);
  assert.deepEqual(call.events, ['head', 'data', 'timeout']);
});

test('a head without a body is followed by the idle time-out', async (t) => {
  const world = createWorld(t);
  const server = await startRawServer(t, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n');
  });
  const { call } = send(world, server.endpoint);
  await until('the head', () => call.head !== null);
  await settle();
  world.clock.advance(TIMEOUTS.idleMs! + 100);
  assert.deepEqual(call.events, ['head', 'timeout']);
});

test('a client that is slow to upload does not count against the endpoint', async (t) => {
  const world = createWorld(t);
  const server = await startRawServer(t, () => undefined);
  const body = arrivingBody();
  const { call } = send(world, server.endpoint, { body });
  await until('the head', () => server.sockets[0]?.bytesRead !== 0);
  await settle();
  for (let i = 0; i < 5; i += 1) {
    world.clock.advance(TIMEOUTS.firstByteMs! * 2);
    assert.deepEqual(call.events, []);
    body.push(Buffer.from('piece'));
    await settle();
  }
  body.end();
  await settle();
  world.clock.advance(TIMEOUTS.firstByteMs! - 100);
  assert.deepEqual(call.events, []);
  world.clock.advance(200);
  assert.deepEqual(call.events, ['timeout']);
});

test('an endpoint that does not take the body is not waited for without end', async (t) => {
  for (const contentLength of [64 * MIB, null]) {
    const world = createWorld(t);
    const server = await startRawServer(t, (socket) => socket.pause());
    const pauses: string[] = [];
    const body = arrivingBody({
      pause: () => pauses.push('pause'),
      resume: () => pauses.push('resume'),
    });
    const { call } = send(world, server.endpoint, { body, contentLength });
    const piece = Buffer.alloc(64 * 1024);
    for (let i = 0; i < 1000 && pauses.at(-1) !== 'pause'; i += 1) {
      body.push(piece);
      // What the system still takes is no pause yet.
      if (pauses.at(-1) === 'pause') await settle();
    }
    assert.equal(pauses.at(-1), 'pause');
    assert.deepEqual(call.events, []);
    world.clock.advance(TIMEOUTS.firstByteMs! + 100);
    assert.deepEqual(call.events, ['timeout']);
  }
});

test('without limits nothing times out', async (t) => {
  const world = createWorld(t, { connectMs: null, firstByteMs: null, idleMs: null });
  const server = await startRawServer(t, () => undefined);
  const { call } = send(world, server.endpoint);
  await until('the request', () => server.sockets.length === 1);
  await settle();
  world.clock.advance(100_000_000);
  server.sockets[0]!.write('HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n');
  await until('the head', () => call.head !== null);
  world.clock.advance(100_000_000);
  server.sockets[0]!.write('x');
  assert.deepEqual((await call.ended()).events, ['head', 'data', 'end']);
});

// ---- Bodies ----

for (const isChunked of [false, true]) {
  const how = isChunked ? 'in chunks' : 'with a length';

  test(`a large answer ${how} arrives whole, at the pace of who reads it`, async (t) => {
    const world = createWorld(t);
    const bytes = variedBytes(24 * MIB);
    const server = createHttpServer((request, response) => {
      request.resume();
      if (!isChunked) response.setHeader('content-length', bytes.length);
      for (let at = 0; at < bytes.length; at += 70_000) {
        response.write(bytes.subarray(at, at + 70_000));
      }
      response.end();
    });
    const peers: Socket[] = [];
    server.on('connection', (socket) => peers.push(socket));
    const endpoint = endpointAt(`http://127.0.0.1:${await listen(t, server)}`);
    const { call, connection } = send(world, endpoint);
    call.isPausing = true;
    for (let pauses = 0; call.events.at(-1) !== 'end'; pauses += 1) {
      const before = call.receivedBytes;
      await until('more', () => call.receivedBytes > before || call.events.at(-1) === 'end');
      if (pauses < 20) {
        const received = call.receivedBytes;
        await settle(20);
        assert.equal(call.receivedBytes, received, 'nothing comes while paused');
        // What is not read stays with the server, and is not kept here.
        assert.ok(peers[0]!.writableLength > MIB || pauses > 2);
      }
      if (pauses === 20) call.isPausing = false;
      connection.resume();
    }
    assert.equal(hashOf(call.body), hashOf(bytes));
    assert.equal(call.failure, null);
    // Still good for another request, which is not paused.
    const again = await exchange(world, endpoint);
    assert.equal(again.receivedBytes, bytes.length);
    assert.equal(world.sockets.length, 1);
  });

  test(`a large body that arrives bit by bit is sent ${how}`, async (t) => {
    const world = createWorld(t);
    const bytes = variedBytes(16 * MIB);
    const server = createHttpServer((request, response) => {
      const hash = createHash('sha256');
      let count = 0;
      request.on('data', (piece: Buffer) => {
        hash.update(piece);
        count += 1;
        if (count % 50 === 0) {
          request.pause();
          setImmediate(() => request.resume());
        }
      });
      request.on('end', () => response.end(hash.digest('hex')));
    });
    const endpoint = endpointAt(`http://127.0.0.1:${await listen(t, server)}`);
    let isPaused = false;
    let pauses = 0;
    const body = arrivingBody({
      pause: () => {
        isPaused = true;
        pauses += 1;
      },
      resume: () => {
        isPaused = false;
      },
    });
    const { call } = send(world, endpoint, {
      body,
      contentLength: isChunked ? null : bytes.length,
    });
    for (let at = 0, size = 1; at < bytes.length; size = (size * 7 + 3) % 100_000) {
      body.push(bytes.subarray(at, at + size));
      at += size;
      if (isPaused) await until('room', () => !isPaused);
    }
    body.end();
    assert.equal((await call.ended()).text, hashOf(bytes));
    assert.ok(pauses > 0);
    const again = await exchange(world, endpoint, { body: Buffer.from('small') });
    assert.equal(again.text, hashOf(Buffer.from('small')));
    assert.equal(world.sockets.length, 1);
  });
}

for (const size of [0, 1, 16 * 1024, 16 * 1024 + 1, 5 * MIB]) {
  test(`a body of ${size} bytes that is here as a whole is sent as it is`, async (t) => {
    const world = createWorld(t);
    const bytes = variedBytes(size);
    const server = createHttpServer((request, response) => {
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('end', () => response.end(hashOf(...pieces)));
    });
    const endpoint = endpointAt(`http://127.0.0.1:${await listen(t, server)}`);
    for (let i = 0; i < 2; i += 1) {
      assert.equal((await exchange(world, endpoint, { body: bytes })).text, hashOf(bytes));
    }
    assert.equal(world.sockets.length, 1);
  });
}

test('a pause ends with the answer: the next one on the connection comes by itself', async (t) => {
  const world = createWorld(t);
  const server = await startRawServer(t, (socket, _received, index) => {
    socket.write(index === 0 ? answerOf('paused') : answerOf('abcdef').slice(0, -3));
  });
  const { call } = send(world, server.endpoint);
  call.isPausing = true;
  assert.deepEqual((await call.ended()).events, ['head', 'data', 'end']);
  const next = send(world, server.endpoint).call;
  await until('a part', () => next.receivedBytes === 3);
  await settle();
  server.sockets[0]!.write('def');
  assert.equal((await next.ended()).text, 'abcdef');
  assert.equal(world.sockets.length, 1);
});

test('many chunks in one read are one piece, so that a pause is asked for once', async (t) => {
  const world = createWorld(t);
  const chunks = Array.from({ length: 300 }, () => '5\r\nabcde\r\n').join('');
  const server = await startRawServer(t, (socket) => {
    socket.write(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`);
  });
  const call = await exchange(world, server.endpoint);
  assert.equal(call.receivedBytes, 1500);
  assert.ok(call.pieces.length <= 3);
});

test('the next request may be sent from within the end of an answer', async (t) => {
  const world = createWorld(t);
  const server = await startRawServer(t, (socket, _received, index) => {
    if (index < 2) socket.write(answerOf(`answer ${index}`));
  });
  const first = send(world, server.endpoint);
  const nested: ReturnType<typeof send>[] = [];
  first.call.onDone = () => nested.push(send(world, server.endpoint));
  await first.call.ended();
  const [second] = nested;
  assert.equal(second!.connection, first.connection);
  assert.equal((await second!.call.ended()).text, 'answer 1');
  // Its wait for a first byte is its own, and not that of the answer before.
  const third = send(world, server.endpoint);
  await settle();
  world.clock.advance(TIMEOUTS.idleMs! + 100);
  assert.deepEqual(third.call.events, []);
  world.clock.advance(TIMEOUTS.firstByteMs!);
  assert.deepEqual(third.call.events, ['timeout']);
});

// ---- Giving up, and what may not be used again ----

test('a request that is given up closes its connection at once, in every phase', async (t) => {
  const answers = ['', 'HTTP/1.1 200 OK\r\n', 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab'];
  for (const answer of answers) {
    const world = createWorld(t);
    const server = await startRawServer(t, (socket) => socket.write(answer));
    const { call, connection } = send(world, server.endpoint);
    await until('the request', () => server.sockets[0]?.bytesRead !== 0);
    await settle();
    const before = [...call.events];
    connection.abort();
    connection.abort();
    await until('the end', () => server.sockets[0]!.readableEnded || server.sockets[0]!.destroyed);
    assert.deepEqual(call.events, before);
  }
});

test('giving up from within the head or a piece of the body stops the rest of the read', async (t) => {
  for (const at of ['onHead', 'onData'] as const) {
    const world = createWorld(t);
    const server = await startRawServer(t, (socket) => socket.write(answerOf('abcde')));
    const { call, connection } = send(world, server.endpoint);
    const original = call[at].bind(call) as (argument: unknown) => unknown;
    Object.assign(call, {
      [at]: (argument: unknown) => {
        original(argument);
        connection.abort();
        return true;
      },
    });
    await until('the answer', () => call.events.length > 0);
    await settle();
    assert.deepEqual(call.events, at === 'onHead' ? ['head'] : ['head', 'data']);
  }
});

interface Unusable {
  readonly what: string;
  readonly answer: string;
  readonly body?: string;
}

const UNUSABLE: readonly Unusable[] = [
  { what: 'Connection: close', answer: answerOf('abc', 'connection: close') },
  { what: 'HTTP/1.0', answer: answerOf('abc').replace('1.1', '1.0') },
  { what: 'bytes behind it', answer: `${answerOf('abc')}x` },
  { what: 'another answer behind it', answer: answerOf('abc') + answerOf('not yours') },
  { what: 'bytes behind an answer without a body', answer: 'HTTP/1.1 204 No\r\n\r\nabc', body: '' },
  {
    what: 'a body where none may be',
    answer: 'HTTP/1.1 204 No\r\ncontent-length: 3\r\n\r\n',
    body: '',
  },
];

for (const { what, answer, body = 'abc' } of UNUSABLE) {
  test(`an answer with ${what} is delivered, and its connection not used again`, async (t) => {
    const world = createWorld(t);
    const server = await startRawServer(t, (socket) => socket.write(answer));
    const call = await exchange(world, server.endpoint);
    assert.equal(call.text, body);
    assert.equal(call.failure, null);
    assert.equal(world.sockets[0]!.destroyed, true);
  });
}

test('bytes that come on an idle connection close it', async (t) => {
  const world = createWorld(t);
  const server = await startRawServer(t, (socket) => socket.write(answerOf('x')));
  await exchange(world, server.endpoint);
  server.sockets[0]!.write('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabcde');
  await until('the end', () => world.sockets[0]!.destroyed);
  await exchange(world, server.endpoint);
  assert.equal(world.sockets.length, 2);
});

test('an endpoint that closes an idle connection is not asked on it again', async (t) => {
  for (const [, end] of ENDINGS) {
    const world = createWorld(t);
    const server = await startRawServer(t, (socket) => socket.write(answerOf('x')));
    await exchange(world, server.endpoint);
    const opened = world.sockets.length;
    end(server.sockets.at(-1)!);
    await until('the end', () => world.sockets.at(-1)!.destroyed);
    assert.equal((await exchange(world, server.endpoint)).text, 'x');
    assert.equal(world.sockets.length, opened + 1);
  }
});

test('an answer that is no HTTP is invalid, with the reason', async (t) => {
  const world = createWorld(t);
  const server = await startRawServer(t, (socket) => socket.write('SSH-2.0-OpenSSH_9\r\n'));
  const call = await exchange(world, server.endpoint);
  assert.deepEqual(call.events, ['invalid']);
  assert.match(call.failure!.message, /HTTP\/1\.1/);
  assert.equal(world.sockets[0]!.destroyed, true);
});

test('an answer before the whole request is read to its end, and its connection not used again', async (t) => {
  const world = createWorld(t);
  const server = await startRawServer(t, (socket) => {
    socket.write('HTTP/1.1 413 Too Large\r\ncontent-length: 6\r\n\r\nabc');
  });
  const body = arrivingBody();
  const { call } = send(world, server.endpoint, { body, contentLength: 100 });
  body.push(Buffer.from('half'));
  await until('a part of the answer', () => call.receivedBytes === 3);
  body.push(Buffer.from('more'));
  server.sockets[0]!.write('def');
  assert.deepEqual((await call.ended()).events, ['head', 'data', 'end']);
  assert.equal(world.sockets[0]!.destroyed, true);
  // The rest of the body has nowhere to go, and does no harm.
  body.push(Buffer.from('late'));
  body.end();
  await settle();
  assert.deepEqual(call.events, ['head', 'data', 'end']);
});

test('a connection with a part of the request still unsent is not used again', async (t) => {
  const world = createWorld(t);
  const server = await startRawServer(t, (socket) => {
    socket.pause();
    socket.write(answerOf('early'));
  });
  const call = await exchange(world, server.endpoint, { body: Buffer.alloc(32 * MIB) });
  assert.equal(call.text, 'early');
  assert.equal(world.sockets[0]!.destroyed, true);
});

test('a body of an attempt that failed goes to the next connection only', async (t) => {
  const world = createWorld(t);
  const bad = await startRawServer(t, (socket) => socket.resetAndDestroy());
  const good = createHttpServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => response.end(Buffer.concat(pieces)));
  });
  const goodEndpoint = endpointAt(`http://127.0.0.1:${await listen(t, good)}`);
  const body = arrivingBody();
  body.push(Buffer.from('first '));
  const failed = send(world, bad.endpoint, { body });
  await failed.call.ended();
  const { call } = send(world, goodEndpoint, { body });
  body.push(Buffer.from('second'));
  body.end();
  assert.equal((await call.ended()).text, 'first second');
  assert.deepEqual(failed.call.events, ['reset']);
});
