import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Visit } from './testing/connection-world.ts';
import { ConnectionWorld } from './testing/connection-world.ts';

const GET = 'GET /a HTTP/1.1\r\nHost: x\r\n\r\n';

function post(body: string, ...lines: readonly string[]): string {
  const head = ['POST /b HTTP/1.1', 'Host: x', `Content-Length: ${body.length}`, ...lines];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}

function reply(text: string): (visit: Visit) => void {
  return ({ stream }) => {
    stream.reply(200, 'x-own: 1\r\n', Buffer.from(text));
  };
}

/** Lets what is on the wire arrive. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i += 1) await nextTurn();
}

function countOf(text: string, part: string): number {
  return text.split(part).length - 1;
}

test('an answer has the status, the fields, Date, Connection and its length', async (t) => {
  const world = await new ConnectionWorld().open(t);
  world.answer = reply('hello');
  world.send(GET);
  await world.untilReceived('hello');
  assert.equal(
    world.received,
    'HTTP/1.1 200 OK\r\nx-own: 1\r\ncontent-length: 5\r\n' +
      'date: Thu, 01 Jan 1970 00:00:00 GMT\r\nconnection: keep-alive\r\n' +
      'keep-alive: timeout=10\r\n\r\nhello',
  );
  assert.deepEqual(world.visits[0]!.events, ['end']);
  world.send(GET);
  await world.until(() => world.visits.length === 2, 'another request');
});

test('a Date of the endpoint is the only one, and moves on with time otherwise', async (t) => {
  const world = await new ConnectionWorld().open(t);
  world.answer = ({ stream }) => {
    stream.start({ status: 200, fields: 'date: then\r\n', contentLength: 0, hasDate: true });
    stream.end(null);
  };
  world.send(GET);
  await world.untilReceived('\r\n\r\n');
  assert.equal(countOf(world.received, 'date:'), 1);
  world.pass(2000);
  world.answer = reply('');
  world.send(GET);
  await world.untilReceived('date: Thu, 01 Jan 1970 00:00:02 GMT');
});

test('a streamed answer is chunked, each piece whole, none of them empty', async (t) => {
  const world = await new ConnectionWorld().open(t);
  const large = 'L'.repeat(100_000);
  world.answer = ({ stream }) => {
    stream.start({ status: 200, fields: '', contentLength: null, hasDate: true });
    stream.write(Buffer.from('one'));
    stream.write(Buffer.alloc(0));
    stream.write(Buffer.from(large));
    stream.end(Buffer.from('last'));
  };
  world.send(GET);
  await world.untilReceived('0\r\n\r\n');
  assert.match(world.received, /\r\ntransfer-encoding: chunked\r\n/);
  const body = world.received.slice(world.received.indexOf('\r\n\r\n') + 4);
  assert.equal(body, `3\r\none\r\n186a0\r\n${large}\r\n4\r\nlast\r\n0\r\n\r\n`);
  assert.equal(world.hasEnded, false);
});

test('answers to HEAD, 204 and 304 have no body, whatever is written', async (t) => {
  const world = await new ConnectionWorld().open(t);
  world.answer = reply('hello');
  world.send('HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n');
  await world.untilReceived('\r\n\r\n');
  assert.match(world.received, /content-length: 5\r\n/);
  for (const status of [204, 304]) {
    world.answer = ({ stream }) => {
      stream.start({ status, fields: '', contentLength: null, hasDate: true });
      stream.write(Buffer.from('hello'));
      stream.end(Buffer.from('hello'));
    };
    world.send(GET);
    await world.untilReceived(`HTTP/1.1 ${status} `);
  }
  await settle();
  assert.doesNotMatch(world.received, /hello|transfer-encoding/);
  assert.ok(world.received.endsWith('\r\n\r\n'));
});

test('HTTP/1.0: a stream ends with the connection, a sized answer may keep it', async (t) => {
  const world = await new ConnectionWorld().open(t);
  world.answer = reply('hello');
  world.send('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
  await world.untilReceived('hello');
  assert.match(world.received, /connection: keep-alive/);
  world.answer = ({ stream }) => {
    stream.start({ status: 200, fields: '', contentLength: null, hasDate: true });
    stream.end(Buffer.from('stream'));
  };
  world.send('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
  await world.untilEnded();
  assert.ok(world.received.endsWith('connection: close\r\n\r\nstream'));
});

test('a request that ends the connection is the last that is read', async (t) => {
  const world = await new ConnectionWorld().open(t);
  world.answer = reply('one');
  world.send(`${GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')}${GET}nonsense`);
  await world.untilEnded();
  assert.equal(world.visits.length, 1);
  assert.equal(countOf(world.received, 'HTTP/1.1 '), 1);
  assert.match(world.received, /connection: close\r\n\r\none$/);
});

test('answers leave in the order of their requests, the later ones held', async (t) => {
  const world = await new ConnectionWorld().open(t);
  world.send(GET + GET + GET);
  await world.untilVisits(3);
  const [first, second, third] = world.visits;
  reply('third')(third!);
  second!.stream.start({ status: 200, fields: '', contentLength: null, hasDate: true });
  assert.equal(second!.stream.write(Buffer.from('second')), false, 'it is to wait for its turn');
  await settle();
  assert.equal(world.received, '');
  reply('first')(first!);
  await world.untilReceived('second');
  assert.deepEqual(second!.events, ['end', 'drain']);
  assert.doesNotMatch(world.received, /third/);
  second!.stream.end(null);
  await world.untilReceived('third');
  assert.match(world.received, /first[^]*second[^]*third$/);
});

test('no more than 16 requests are worked on at once; others wait unread', async (t) => {
  const world = await new ConnectionWorld().open(t);
  world.send(GET.repeat(40));
  await world.untilVisits(16);
  await settle();
  assert.equal(world.visits.length, 16);
  for (let i = 0; i < 40; i += 1) {
    await world.untilVisits(i + 1);
    reply(`answer-${i};`)(world.visits[i]!);
  }
  await world.untilReceived('answer-39;');
  assert.equal(countOf(world.received, 'HTTP/1.1 200'), 40);
});

test('a client that reads nothing is not answered without end', async (t) => {
  const world = await new ConnectionWorld().open(t);
  world.client.pause();
  world.answer = reply('x'.repeat(1024 * 1024));
  world.send(GET.repeat(60));
  await settle();
  const { length } = world.visits;
  assert.ok(length < 30, `${length} answers are held for it`);
  // It may take as long as it likes: nobody waits for it.
  world.pass(60_000);
  assert.equal(world.hasEnded, false);
  world.client.resume();
  await world.untilVisits(60);
});

test('100 Continue is sent once, before the body, and not for a body that came along', async (t) => {
  const world = await new ConnectionWorld().open(t);
  const [head, body] = [post('abc', 'Expect: 100-continue').slice(0, -3), 'abc'];
  world.send(head);
  await world.untilReceived('HTTP/1.1 100 Continue\r\n\r\n');
  world.send(body);
  await world.until(() => world.visits[0]!.body === 'abc', 'the body');
  reply('done')(world.visits[0]!);
  await world.untilReceived('done');
  assert.match(world.received, /connection: keep-alive/);
  assert.equal(countOf(world.received, '100 Continue'), 1);
  world.send(GET.replace('\r\n\r\n', '\r\nExpect: 100-continue\r\n\r\n'));
  await world.untilVisits(2);
  await settle();
  assert.equal(countOf(world.received, '100 Continue'), 1, 'there is no body to send');
});

test('100 Continue waits for its turn', async (t) => {
  const world = await new ConnectionWorld().open(t);
  world.send(GET + post('abc', 'Expect: 100-continue').slice(0, -3));
  await world.untilVisits(2);
  await settle();
  assert.equal(world.received, '');
  reply('one')(world.visits[0]!);
  await world.untilReceived('100 Continue');
  assert.match(world.received, /oneHTTP\/1\.1 100 Continue\r\n\r\n$/);
});

test('who is answered while it waits for 100 Continue is closed: its body may come or not', async (t) => {
  const world = await new ConnectionWorld().open(t);
  world.answer = reply('too large');
  world.send(post('abc', 'Expect: 100-continue').slice(0, -3));
  await world.untilEnded();
  assert.match(world.received, /connection: close\r\n\r\ntoo large$/);
  assert.doesNotMatch(world.received, /100 Continue/);
  world.send(GET);
  await settle();
  assert.equal(world.visits.length, 1);
});

test('a paused body is not read on; a pause that ends with the body does not last', async (t) => {
  const world = await new ConnectionWorld().open(t);
  const size = 4_000_000;
  world.answer = (visit) => {
    visit.onPiece = () => {
      visit.stream.pause();
    };
  };
  world.send(post('x'.repeat(size)));
  await world.until(() => world.visits[0]?.pieces.length === 1, 'a piece');
  const [visit] = world.visits;
  await settle();
  assert.equal(visit!.pieces.length, 1);
  assert.equal(visit!.stream.isPaused, true);
  world.pass(60_000);
  assert.equal(world.hasEnded, false);
  visit!.onPiece = () => undefined;
  visit!.stream.resume();
  await world.until(() => visit!.events.at(-1) === 'end', 'the body');
  assert.equal(visit!.body.length, size);
  reply('one')(visit!);

  // The only piece, and a pause with it.
  world.send(post('short'));
  await world.untilVisits(2);
  await world.until(() => world.visits[1]!.events.at(-1) === 'end', 'the short body');
  assert.equal(world.visits[1]!.stream.isPaused, false);
  reply('two')(world.visits[1]!);
  world.send(GET);
  await world.untilVisits(3);
});

test('a head that comes slowly is 408, and the rest of it ignored', async (t) => {
  const world = await new ConnectionWorld().open(t);
  world.send('POST /v1/messages HTTP/1.1\r\nHo');
  await world.until(() => world.socket.bytesRead > 0, 'the start');
  await settle();
  world.pass(2000);
  await settle();
  assert.equal(world.received, '');
  world.pass(250);
  await world.untilEnded();
  assert.match(world.received, /^HTTP\/1\.1 408 Request Timeout\r\n[^]*connection: close\r\n/);
  assert.match(world.received, /"type":"error"/, 'in the shape of the API that was called');
  assert.deepEqual(world.refused, ['request_timeout']);
  world.send('st: x\r\n\r\n');
  await settle();
  assert.equal(world.visits.length, 0);
});

test('an idle connection is closed without a word, later than its client is told', async (t) => {
  const world = await new ConnectionWorld().open(t);
  world.answer = reply('one');
  world.send(GET);
  await world.untilReceived('one');
  await settle();
  const { length } = world.received;
  world.pass(10_750);
  await settle();
  assert.equal(world.hasEnded, false);
  world.pass(250);
  await world.untilEnded();
  assert.equal(world.received.length, length);
});

test('a connection on which nothing ever comes is closed without a word', async (t) => {
  const world = await new ConnectionWorld().open(t);
  world.pass(2750);
  await settle();
  assert.equal(world.hasEnded, false);
  world.pass(250);
  await world.untilEnded();
  assert.equal(world.received, '');
  assert.deepEqual(world.refused, []);
});

test('empty lines do not keep an idle connection open', async (t) => {
  const world = await new ConnectionWorld().open(t);
  for (let i = 0; i < 12; i += 1) {
    world.send('\r\n');
    await settle();
    world.pass(250);
  }
  await world.untilEnded();
});

test('an answer may take its time', async (t) => {
  const world = await new ConnectionWorld().open(t);
  world.send(GET);
  await world.untilVisits(1);
  world.pass(3_600_000);
  reply('late')(world.visits[0]!);
  await world.untilReceived('late');
  assert.equal(world.hasEnded, false);
});

test('a body that stops after its answer is given up; one that comes on is not', async (t) => {
  const world = await new ConnectionWorld().open(t);
  world.answer = reply('early');
  world.send(post('x'.repeat(20)).slice(0, -10));
  await world.untilReceived('early');
  for (let i = 0; i < 5; i += 1) {
    const before = world.socket.bytesRead;
    world.send('x');
    await world.until(() => world.socket.bytesRead > before, 'a byte');
    await settle();
    world.pass(2750);
  }
  assert.equal(world.hasEnded, false);
  world.pass(3500);
  await world.untilEnded();
});

test('a body that nobody wants is read over, up to the limit', async (t) => {
  const world = await new ConnectionWorld({ bodyBytes: 1000 }).open(t);
  // No handler: nobody listens.
  world.onRequest = (stream) => {
    stream.reply(404, '', Buffer.from('none'));
  };
  world.send(post('x'.repeat(1000)));
  world.send(post('y'.repeat(1001)));
  await world.untilEnded();
  assert.equal(countOf(world.received, 'none'), 2);
});

test('leave closes an idle connection at once, and a busy one after its answer', async (t) => {
  const idle = await new ConnectionWorld().open(t);
  idle.connection.leave();
  await idle.untilEnded();
  const busy = await new ConnectionWorld().open(t);
  busy.send(GET);
  await busy.untilVisits(1);
  busy.connection.leave();
  await settle();
  assert.equal(busy.hasEnded, false);
  reply('one')(busy.visits[0]!);
  await busy.untilEnded();
  assert.match(busy.received, /connection: close\r\n\r\none$/);
});

test('leave lets a head in that has begun, and tells the last of several only', async (t) => {
  const world = await new ConnectionWorld().open(t);
  world.send(GET.slice(0, 10));
  await world.until(() => world.socket.bytesRead > 0, 'the start');
  await settle();
  world.connection.leave();
  await settle();
  assert.equal(world.hasEnded, false);
  world.send(`${GET.slice(10)}${GET}`);
  await world.untilVisits(2);
  reply('one')(world.visits[0]!);
  reply('two')(world.visits[1]!);
  await world.untilEnded();
  assert.match(world.received, /keep-alive: [^]*one[^]*connection: close\r\n\r\ntwo$/);
});

test('leave closes after an answer that had begun when it was called', async (t) => {
  const world = await new ConnectionWorld().open(t);
  world.send(GET);
  await world.untilVisits(1);
  const { stream } = world.visits[0]!;
  stream.start({ status: 200, fields: '', contentLength: null, hasDate: true });
  stream.write(Buffer.from('one'));
  world.connection.leave();
  stream.end(null);
  await world.untilEnded();
  assert.ok(world.received.endsWith('3\r\none\r\n0\r\n\r\n'));
});

test('a client that sends FIN counts as gone: handlers hear it at once, others never', async (t) => {
  const world = await new ConnectionWorld().open(t);
  world.send(GET + GET + GET);
  await world.untilVisits(3);
  reply('one')(world.visits[0]!);
  world.client.end();
  await world.until(() => world.closedCount === 1, 'the close');
  assert.deepEqual(world.visits[0]!.events, ['end']);
  for (const visit of world.visits.slice(1)) assert.equal(visit.events.at(-1), 'closed');
  // What is still written goes nowhere, without harm.
  reply('two')(world.visits[1]!);
  world.visits[2]!.stream.destroy();
  assert.equal(world.closedCount, 1);
});

test('a client that sends FIN between requests gets what was written to it', async (t) => {
  const world = await new ConnectionWorld().open(t);
  const size = 3_000_000;
  world.answer = reply('x'.repeat(size));
  world.client.pause();
  world.send(GET);
  await world.untilVisits(1);
  world.client.end();
  await settle();
  world.client.resume();
  await world.untilEnded();
  assert.ok(world.received.endsWith('x'.repeat(1000)));
  assert.equal(countOf(world.received, 'x-own'), 1);
  assert.ok(world.received.length > size);
});

test('garbage in a body is 400, and its handler hears that the client is gone', async (t) => {
  const world = await new ConnectionWorld().open(t);
  world.send('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n');
  await world.untilEnded();
  assert.match(world.received, /^HTTP\/1\.1 400 Bad Request\r\n[^]*connection: close/);
  assert.deepEqual(world.refused, ['invalid_http']);
  assert.deepEqual(world.visits[0]!.events, ['body', 'closed']);
});

test('garbage behind a request that waits for its answer gets no answer of its own', async (t) => {
  const world = await new ConnectionWorld().open(t);
  world.send(`${GET}GARBAGE\r\n\r\n`);
  await world.untilEnded();
  assert.equal(world.received, '');
  assert.deepEqual(world.refused, []);
  assert.equal(world.visits[0]!.events.at(-1), 'closed');
});

test('garbage behind a complete answer is 400, behind half a body a close', async (t) => {
  const world = await new ConnectionWorld().open(t);
  world.answer = reply('one');
  world.send(`${GET}GARBAGE\r\n\r\n`);
  await world.untilEnded();
  assert.match(world.received, /one[^]*HTTP\/1\.1 400/);
  const answered = await new ConnectionWorld().open(t);
  answered.answer = reply('one');
  answered.send('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n');
  await answered.untilEnded();
  assert.ok(answered.received.endsWith('one'), 'a second answer would be taken for the next');
});

test('a destroyed stream never looks complete, and its handler is not told', async (t) => {
  const world = await new ConnectionWorld().open(t);
  world.send(GET);
  await world.untilVisits(1);
  const [visit] = world.visits;
  visit!.stream.start({ status: 200, fields: '', contentLength: null, hasDate: true });
  visit!.stream.write(Buffer.from('part'));
  await world.untilReceived('part');
  visit!.stream.destroy();
  visit!.stream.end(Buffer.from('more'));
  await world.untilEnded();
  assert.doesNotMatch(world.received, /more|\r\n0\r\n/);
  assert.deepEqual(visit!.events, ['end']);
  assert.equal(world.closedCount, 1);
});

test('a client that keeps its side open is cut off a second after the end', async (t) => {
  const world = await new ConnectionWorld().open(t);
  world.send('NONSENSE\r\n\r\n');
  await world.untilEnded();
  world.send('more '.repeat(1000));
  await settle();
  assert.equal(world.closedCount, 0);
  world.pass(1250);
  assert.equal(world.closedCount, 1);
  world.connection.destroy();
  assert.equal(world.closedCount, 1);
});
