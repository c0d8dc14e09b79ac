import assert from 'node:assert/strict';
import { createServer as createHttpServer } from 'node:http';
import { test } from 'node:test';
import { endpointAt, exchange, listen } from './testing/upstream-world.ts';
import {
  answerOf,
  createWorld,
  send,
  settle,
  startRawServer,
  until,
} from './testing/upstream-world.ts';

test('requests one after another use one connection', async (t) => {
  const world = createWorld(t);
  const seen: string[] = [];
  const server = createHttpServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      seen.push(`${request.socket.remotePort}`);
      response.end(`${request.method} ${request.url} ${Buffer.concat(pieces).toString()}`);
    });
  });
  const endpoint = endpointAt(`http://127.0.0.1:${await listen(t, server)}`);
  for (let i = 0; i < 10; i += 1) {
    const call = await exchange(world, endpoint, { body: Buffer.from(`body ${i}`) });
    assert.equal(call.text, `POST / body ${i}`);
    assert.deepEqual(call.events, ['head', 'data', 'end']);
  }
  assert.equal(new Set(seen).size, 1);
  assert.equal(seen.length, 10);
  assert.equal(world.sockets.length, 1);
});

test('of idle connections the one used last is taken, and a fresh one when that is asked for', async (t) => {
  const world = createWorld(t);
  const server = await startRawServer(t, () => undefined);
  const calls = ['a', 'b', 'c'].map(() => send(world, server.endpoint));
  await until('three connections', () => server.sockets.length === 3);
  for (const index of [1, 2, 0]) {
    server.sockets[index]!.write(answerOf('x'));
    await calls[index]!.call.ended();
  }
  const next = [0, 1, 2, 3].map(() => send(world, server.endpoint).connection);
  assert.equal(next[0], calls[0]!.connection);
  assert.equal(next[1], calls[2]!.connection);
  assert.equal(next[2], calls[1]!.connection);
  assert.equal(
    calls.some(({ connection }) => connection === next[3]),
    false,
  );
  const socket = server.sockets[0]!;
  const before = socket.bytesRead;
  const fresh = send(world, server.endpoint, { isFresh: true });
  await until('a fifth connection', () => server.sockets.length === 5);
  assert.equal(next.includes(fresh.connection), false);
  assert.ok(socket.bytesRead >= before);
});

interface Expiry {
  readonly hint: string | null;
  /** How long the connection is kept, in milliseconds. */
  readonly keptMs: number;
}

const EXPIRIES: readonly Expiry[] = [
  { hint: null, keptMs: 4000 },
  { hint: 'timeout=5', keptMs: 4000 },
  { hint: 'timeout=75, max=100', keptMs: 59_000 },
  { hint: 'timeout=30', keptMs: 29_000 },
  { hint: 'timeout=2', keptMs: 1000 },
  { hint: 'timeout=1', keptMs: 500 },
];

for (const { hint, keptMs } of EXPIRIES) {
  test(`an idle connection with ${hint ?? 'no hint'} is kept for ${keptMs} ms`, async (t) => {
    const world = createWorld(t);
    const lines = hint === null ? [] : [`keep-alive: ${hint}`];
    const server = await startRawServer(t, (socket) => socket.write(answerOf('x', ...lines)));
    const { call, connection } = send(world, server.endpoint);
    await call.ended();
    world.clock.advance(keptMs - 100);
    await settle();
    assert.equal(world.sockets[0]!.destroyed, false);
    const again = send(world, server.endpoint);
    assert.equal(again.connection, connection);
    await again.call.ended();
    // The use has started its time anew.
    world.clock.advance(keptMs - 100);
    assert.equal(world.sockets[0]!.destroyed, false);
    world.clock.advance(200);
    assert.equal(world.sockets[0]!.destroyed, true);
    await until('the end at the server', () => server.sockets[0]!.readableEnded);
    assert.notEqual(send(world, server.endpoint).connection, connection);
  });
}

test('with a hint of no time at all a connection is not kept', async (t) => {
  const world = createWorld(t);
  const server = await startRawServer(t, (socket) =>
    socket.write(answerOf('x', 'keep-alive: timeout=0')),
  );
  await exchange(world, server.endpoint);
  assert.equal(world.sockets[0]!.destroyed, true);
});

test('an old idle connection is closed though an older one is kept for longer', async (t) => {
  const world = createWorld(t);
  const hints = ['timeout=30', 'timeout=2'];
  const server = await startRawServer(t, () => undefined);
  const calls = hints.map(() => send(world, server.endpoint).call);
  await until('two connections', () => server.sockets.length === 2);
  for (const [index, hint] of hints.entries()) {
    server.sockets[index]!.write(answerOf('x', `keep-alive: ${hint}`));
    await calls[index]!.ended();
  }
  world.clock.advance(1100);
  assert.deepEqual(
    world.sockets.map(({ destroyed }) => destroyed),
    [false, true],
  );
});

test('the idle connections of an endpoint that was removed are closed, a busy one when it is done', async (t) => {
  const world = createWorld(t);
  const server = await startRawServer(t, () => undefined);
  const other = await startRawServer(t, (socket) => socket.write(answerOf('other')));
  await exchange(world, other.endpoint);
  const calls = [0, 1, 2].map(() => send(world, server.endpoint).call);
  await until('three connections', () => server.sockets.length === 3);
  for (const index of [0, 1]) {
    server.sockets[index]!.write(answerOf('x'));
    await calls[index]!.ended();
  }
  server.endpoint.isRemoved = true;
  world.connections.forgetRemoved();
  assert.deepEqual(
    world.sockets.map(({ destroyed }) => destroyed),
    [false, true, true, false],
  );
  server.sockets[2]!.write(answerOf('late'));
  assert.equal((await calls[2]!.ended()).text, 'late');
  assert.equal(world.sockets[3]!.destroyed, true);
  // The other endpoint keeps what it has.
  await exchange(world, other.endpoint);
  assert.equal(other.sockets.length, 1);
});

test('close breaks everything off without a word, twice as well as once, and leaves no timer', async (t) => {
  const world = createWorld(t);
  const server = await startRawServer(t, (socket, _received, index) => {
    if (index === 0) socket.write(answerOf('x'));
  });
  await exchange(world, server.endpoint);
  const reused = send(world, server.endpoint).call;
  const fresh = send(world, server.endpoint, { isFresh: true }).call;
  world.connections.close();
  world.connections.close();
  await settle();
  assert.equal(
    world.sockets.every(({ destroyed }) => destroyed),
    true,
  );
  assert.deepEqual([reused.events, fresh.events], [[], []]);
  assert.equal(world.clock.step(), false);
});

test('time is looked at only while there is a connection', async (t) => {
  const world = createWorld(t);
  assert.equal(world.clock.step(), false);
  const server = await startRawServer(t, (socket) => socket.write(answerOf('x')));
  await exchange(world, server.endpoint);
  world.clock.advance(4100);
  assert.equal(world.sockets[0]!.destroyed, true);
  assert.equal(world.clock.step(), false);
  // And again after a pause, with the time as it is then.
  world.clock.advance(1_000_000);
  const again = send(world, server.endpoint);
  await again.call.ended();
  world.clock.advance(3900);
  assert.equal(world.sockets[1]!.destroyed, false);
});

test('new time-outs hold for waits that begin afterwards', async (t) => {
  const world = createWorld(t);
  const server = await startRawServer(t, () => undefined);
  const before = send(world, server.endpoint).call;
  await until('a connection', () => server.sockets.length === 1);
  await settle();
  world.connections.setTimeouts({
    connectMs: 2000,
    firstByteMs: null,
    idleMs: null,
    totalMs: null,
  });
  const after = send(world, server.endpoint).call;
  await until('another', () => server.sockets.length === 2);
  await settle();
  world.clock.advance(100_000);
  assert.equal(before.failure?.kind, 'timeout');
  assert.equal(after.failure, null);
});

test('5,000 requests on one connection leave no listener behind', async (t) => {
  const world = createWorld(t);
  const server = createHttpServer({ keepAliveTimeout: 0 }, (request, response) => {
    request.resume().on('end', () => response.end('x'.repeat(100)));
  });
  const endpoint = endpointAt(`http://127.0.0.1:${await listen(t, server)}`);
  const large = Buffer.alloc(50_000, 'y');
  await exchange(world, endpoint);
  const socket = world.sockets[0]!;
  const count = (): number =>
    socket.eventNames().reduce((sum, name) => sum + socket.listenerCount(name), 0);
  const before = count();
  for (let i = 0; i < 5000; i += 1) {
    await exchange(world, endpoint, i % 50 === 0 ? { body: large } : {});
  }
  assert.equal(count(), before);
  assert.equal(world.sockets.length, 1);
});
