import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { TestGateway } from './support/gateway.ts';
import { forEachIndex } from './support/for-each-index.ts';
import { startGateway, waitUntil } from './support/gateway.ts';
import type { RawAnswer } from './support/raw-client.ts';
import { chunkBytes, openRawClient, requestBytes, splitAt } from './support/raw-client.ts';
import type { ScriptedServer, VisitHandler } from './support/scripted-server.ts';
import {
  chatAnswer,
  chatFrame,
  JSON_TYPE,
  SSE_TYPE,
  startScriptedServer,
} from './support/scripted-server.ts';
import { startScriptedWorld } from './support/scripted-world.ts';

/** Answers with what was received, so that a lost or doubled byte shows in the answer. */
const echo: VisitHandler = async (visit) => {
  const body = await visit.body();
  visit.reply(200, JSON.stringify({ received: body.toString('latin1') }));
};

/** Answers with a hash of what was received, for bodies too large to be sent back. */
const answerHash: VisitHandler = async (visit) => {
  visit.reply(200, JSON.stringify({ hash: hashOf(await visit.body()) }));
};

function hashOf(body: Buffer): string {
  return createHash('sha256').update(body).digest('hex');
}

function echoed(answer: RawAnswer): string {
  assert.equal(answer.status, 200, answer.body.toString());
  return (JSON.parse(answer.body.toString()) as { received: string }).received;
}

const BODY = `{"messages":[{"role":"user","content":"${'Zwölf Boxkämpfer \\u00fc\\n\\"'.repeat(8)}"}],"temperature": 1.0e0, "stream" : false,"model":"scripted","max_tokens":7}`;
const SMALL_BODY = '{"model":"scripted"}';
const STREAM_BODY = '{"model":"scripted","messages":[],"stream":true}';

for (const framing of ['length', 'chunked'] as const) {
  test(`a body split at any byte gives the same answer (${framing})`, async (t) => {
    const { gateway, server } = await startScriptedWorld(t, echo);
    const body = Buffer.from(BODY);
    assert.ok(body.length > 280);
    const bytes = requestBytes({ body, framing });
    const bodyStart = bytes.indexOf('\r\n\r\n') + 4;
    await forEachIndex(bytes.length - bodyStart, async (index) => {
      const client = await openRawClient(t, gateway.url);
      await client.sendPieces(splitAt(bytes, bodyStart + index));
      assert.equal(echoed(await client.answer(0)), body.toString('latin1'), `split at ${index}`);
      client.finish();
    });
    assert.equal(server.visits.length, bytes.length - bodyStart);
  });
}

test('a request split at any byte, head included, gives the same answer', async (t) => {
  const { gateway } = await startScriptedWorld(t, echo);
  const bytes = requestBytes({ body: SMALL_BODY, lines: ['x-own: a b'] });
  await forEachIndex(bytes.length, async (index) => {
    const client = await openRawClient(t, gateway.url);
    await client.sendPieces(splitAt(bytes, index));
    assert.equal(echoed(await client.answer(0)), SMALL_BODY, `split at ${index}`);
    client.finish();
  });
});

for (const framing of ['length', 'chunked'] as const) {
  test(`a request that comes byte by byte is answered (${framing})`, async (t) => {
    const { gateway } = await startScriptedWorld(t, echo);
    const client = await openRawClient(t, gateway.url);
    const bytes = requestBytes({ body: SMALL_BODY, framing });
    await client.sendPieces(Array.from(bytes, (_, index) => bytes.subarray(index, index + 1)));
    assert.equal(echoed(await client.answer(0)), SMALL_BODY);
  });
}

test('pipelined requests are answered in their order, whichever endpoint answer comes first', async (t) => {
  const { gateway, server } = await startScriptedWorld(t, () => undefined);
  const client = await openRawClient(t, gateway.url);
  const names = ['a', 'b', 'c', 'd'];
  const requests = names.map((name) =>
    requestBytes({ body: SMALL_BODY, lines: [`x-name: ${name}`] }),
  );
  await client.send(Buffer.concat(requests));
  await server.visit(names.length - 1);
  for (const visit of [...server.visits].reverse()) {
    visit.reply(200, chatAnswer('scripted', visit.head.value('x-name')!));
    await new Promise(setImmediate);
  }
  await client.answer(names.length - 1);
  const contents = client.answers.map(({ body }) => /"content":"(\w)"/.exec(body.toString())![1]);
  assert.deepEqual(contents, names);
});

test('pipelined requests with an error among them keep their order and the connection', async (t) => {
  const { gateway } = await startScriptedWorld(t, echo);
  const client = await openRawClient(t, gateway.url);
  await client.send(
    Buffer.concat([
      requestBytes({ body: SMALL_BODY }),
      requestBytes({ body: '{"model":"nobody"}' }),
      requestBytes({ method: 'GET', path: '/v1/models' }),
      requestBytes({ body: '{"model"' }),
      requestBytes({ body: SMALL_BODY, framing: 'chunked' }),
    ]),
  );
  await client.answer(4);
  assert.deepEqual(
    client.answers.map(({ status }) => status),
    [200, 404, 200, 400, 200],
  );
  assert.equal(client.hasEnded, false);
});

test('a pipelining client that goes away cancels all of its requests', async (t) => {
  const { gateway, server } = await startScriptedWorld(t, (visit) => {
    visit.start();
    void visit.chunk(chatFrame('x'));
  });
  const client = await openRawClient(t, gateway.url);
  const request = requestBytes({ body: STREAM_BODY });
  await client.send(Buffer.concat([request, request, request]));
  await server.visit(2);
  await client.waitForText('"x"');
  client.reset();
  for (const visit of server.visits) await visit.gone();
  await waitUntil('no open requests', async () => {
    const open = await gateway.metric('penstock_open_requests');
    return open.get('') === 0;
  });
});

test('a client that sends FIN after its request counts as gone: its request is cancelled', async (t) => {
  const { gateway, server } = await startScriptedWorld(t, () => undefined);
  const client = await openRawClient(t, gateway.url);
  await client.send(requestBytes({ body: STREAM_BODY }));
  const visit = await server.visit(0);
  assert.equal(visit.goneAtMs, null);
  client.finish();
  await visit.gone();
  await client.waitForClose();
  assert.equal(client.receivedBytes, 0);
  const [decision] = await gateway.decisions();
  assert.equal(decision!.outcome, 'client_closed');
});

test('FIN in the middle of an answer cancels the request as well', async (t) => {
  const { gateway, server } = await startScriptedWorld(t, (visit) => {
    visit.start();
    void visit.chunk(chatFrame('x'));
  });
  const client = await openRawClient(t, gateway.url);
  await client.send(requestBytes({ body: STREAM_BODY }));
  await client.waitForText('"x"');
  client.finish();
  await (await server.visit(0)).gone();
  await client.waitForClose();
  assert.equal(client.answers.at(0)?.isComplete ?? false, false);
});

test('a client that resets in the middle of its upload cancels the request at the endpoint', async (t) => {
  const { gateway, server } = await startScriptedWorld(t, () => undefined);
  const client = await openRawClient(t, gateway.url);
  const start = `{"model":"scripted","input":"${'p'.repeat(200_000)}`;
  await client.send(
    `POST /v1/embeddings HTTP/1.1\r\nhost: x\r\ncontent-length: 400000\r\n\r\n${start}`,
  );
  const visit = await server.visit(0);
  assert.equal(visit.isComplete, false);
  client.reset();
  await visit.gone();
  assert.equal(visit.isComplete, false);
});

test('chunks of every size, with extensions and trailers, reach the endpoint as one body', async (t) => {
  const { gateway, server } = await startScriptedWorld(t, echo);
  const client = await openRawClient(t, gateway.url);
  const body = Buffer.from(BODY);
  const pieces: Buffer[] = [];
  for (let at = 0, size = 1; at < body.length; at += size, size += 1) {
    pieces.push(chunkBytes(body.subarray(at, at + size)));
  }
  pieces[2] = Buffer.from(
    pieces[2]!.toString('latin1').replace('\r\n', ';name="a b"\r\n'),
    'latin1',
  );
  const head =
    'POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n';
  await client.sendPieces([head, ...pieces, '0\r\nx-sum: 1\r\n\r\n']);
  assert.equal(echoed(await client.answer(0)), body.toString('latin1'));
  const [visit] = server.visits;
  assert.equal(visit!.head.value('trailer'), null);
  assert.equal(visit!.head.value('x-sum'), null);
});

test('a chunked answer comes through with its content intact, however it was cut', async (t) => {
  const answer = chatAnswer('scripted', 'ü'.repeat(50));
  const { gateway } = await startScriptedWorld(t, async (visit) => {
    visit.start(JSON_TYPE);
    const bytes = Buffer.from(answer);
    for (let at = 0; at < bytes.length; at += 7) await visit.chunk(bytes.subarray(at, at + 7));
    visit.end();
  });
  const client = await openRawClient(t, gateway.url);
  await client.send(requestBytes({ body: SMALL_BODY }));
  const received = await client.answer(0);
  assert.equal(received.isChunked, true);
  assert.equal(received.isComplete, true);
  assert.equal(received.body.toString(), answer);
});

test('an answer without any framing ends with its connection and is passed on whole', async (t) => {
  const { gateway } = await startScriptedWorld(t, async (visit) => {
    await visit.send(`HTTP/1.1 200 OK\r\n${JSON_TYPE[0]}\r\nconnection: close\r\n\r\n`);
    await visit.send(chatAnswer());
    visit.cut();
  });
  const client = await openRawClient(t, gateway.url);
  await client.send(requestBytes({ body: SMALL_BODY }));
  const received = await client.answer(0);
  assert.equal(received.body.toString(), chatAnswer());
  assert.equal(received.isComplete, true);
});

test('an answer cut before its declared length is cut for the client too', async (t) => {
  const { gateway } = await startScriptedWorld(t, (visit) => {
    void visit.send(`HTTP/1.1 200 OK\r\n${JSON_TYPE[0]}\r\ncontent-length: 1000\r\n\r\n{"id":`);
    setTimeout(() => {
      visit.cut();
    }, 20);
  });
  const client = await openRawClient(t, gateway.url);
  await client.send(requestBytes({ body: SMALL_BODY }));
  const received = await client.answer(0);
  assert.equal(received.body.toString(), '{"id":');
  assert.equal(received.isComplete, false);
});

test('a chunked JSON answer that is cut never ends with its last chunk', async (t) => {
  const { gateway } = await startScriptedWorld(t, async (visit) => {
    visit.start(JSON_TYPE);
    await visit.chunk('{"id":');
    visit.reset();
  });
  const client = await openRawClient(t, gateway.url);
  await client.send(requestBytes({ body: SMALL_BODY }));
  const received = await client.answer(0);
  assert.equal(received.isComplete, false);
});

test('Expect: 100-continue is answered before the body comes, and not passed on', async (t) => {
  const { gateway, server } = await startScriptedWorld(t, echo);
  const client = await openRawClient(t, gateway.url);
  const bytes = requestBytes({ body: SMALL_BODY, lines: ['expect: 100-continue'] });
  const [head, body] = splitAt(bytes, bytes.indexOf('\r\n\r\n') + 4);
  await client.send(head!);
  await waitUntil('100 Continue', () => client.interim.length === 1);
  assert.match(client.interim[0]!.startLine, /^HTTP\/1\.1 100 /);
  assert.equal(server.visits.length, 0);
  await client.send(body!);
  assert.equal(echoed(await client.answer(0)), SMALL_BODY);
  assert.equal(server.visits[0]!.head.value('expect'), null);
});

test('an endpoint that answers 1xx first does not confuse the client', async (t) => {
  const { gateway } = await startScriptedWorld(t, async (visit) => {
    await visit.send(
      'HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n',
    );
    visit.reply(200, chatAnswer());
  });
  const client = await openRawClient(t, gateway.url);
  await client.send(requestBytes({ body: SMALL_BODY }));
  assert.equal((await client.answer(0)).body.toString(), chatAnswer());
  assert.equal(client.interim.length, 0);
});

test('an HTTP/1.0 client gets its answer without chunks, ended by the closing of the connection', async (t) => {
  const { gateway } = await startScriptedWorld(t, async (visit) => {
    visit.start();
    await visit.chunk(chatFrame('one'));
    await visit.chunk(chatFrame('two'));
    await visit.chunk('data: [DONE]\n\n');
    visit.end();
  });
  const client = await openRawClient(t, gateway.url);
  const bytes = requestBytes({ body: STREAM_BODY })
    .toString('latin1')
    .replace('HTTP/1.1', 'HTTP/1.0');
  await client.send(bytes);
  const answer = await client.answer(0);
  assert.equal(answer.isChunked, false);
  assert.equal(answer.body.toString(), `${chatFrame('one')}${chatFrame('two')}data: [DONE]\n\n`);
  await client.waitForClose();
});

test('a target in absolute form is understood', async (t) => {
  const { gateway, server } = await startScriptedWorld(t, echo);
  const client = await openRawClient(t, gateway.url);
  await client.send(
    requestBytes({ path: 'http://gateway:8080/v1/chat/completions?x=1', body: SMALL_BODY }),
  );
  assert.equal(echoed(await client.answer(0)), SMALL_BODY);
  assert.equal(server.visits[0]!.path, '/v1/chat/completions?x=1');
});

test('a client that does not read pauses the endpoint, and gets every byte once it reads', async (t) => {
  const block = Buffer.alloc(1024 * 1024, `data: ${'0123456789abcdef'.repeat(250)}\n\n`);
  const chunk = chunkBytes(block);
  const blocks = 50;
  let sentBlocks = 0;
  const { gateway } = await startScriptedWorld(t, async (visit) => {
    visit.start();
    for (; sentBlocks < blocks; sentBlocks += 1) await visit.send(chunk);
    visit.end();
  });
  const client = await openRawClient(t, gateway.url);
  client.pause();
  const before = process.memoryUsage().arrayBuffers;
  await client.send(requestBytes({ path: '/v1/other', body: STREAM_BODY }));
  let stalledAt = -1;
  await waitUntil('the endpoint to be paused', async () => {
    const last = sentBlocks;
    await new Promise((resolve) => setTimeout(resolve, 150));
    stalledAt = sentBlocks;
    return last > 0 && stalledAt === last;
  });
  // What is under way sits in the sockets' buffers, not in the gateway.
  assert.ok(stalledAt < blocks / 2, `${stalledAt} MiB went out to a client that does not read`);
  const heldBytes = process.memoryUsage().arrayBuffers - before;
  assert.ok(heldBytes < 16 * 1024 * 1024, `${heldBytes} bytes are held for it`);
  client.resume();
  const answer = await client.answer(0);
  assert.equal(answer.isComplete, true);
  const expected = createHash('sha256');
  for (let i = 0; i < blocks; i += 1) expected.update(block);
  assert.equal(createHash('sha256').update(answer.body).digest('hex'), expected.digest('hex'));
});

test('an endpoint that answers while the body still comes: the client has the answer, then goes on', async (t) => {
  const { gateway, server } = await startScriptedWorld(t, (visit) => {
    visit.reply(413, '{"error":{"message":"too long for me"}}');
  });
  const client = await openRawClient(t, gateway.url);
  const body = Buffer.from(`{"model":"scripted","input":"${'p'.repeat(3_000_000)}"}`);
  const bytes = requestBytes({ path: '/v1/embeddings', body });
  const [first, rest] = splitAt(bytes, 500_000);
  await client.send(first!);
  const answer = await client.answer(0);
  assert.equal(answer.status, 413);
  assert.equal(answer.body.toString(), '{"error":{"message":"too long for me"}}');
  assert.equal(server.visits.length, 1);
  server.handle = echo;
  await client.send(rest!);
  await client.send(requestBytes({ body: SMALL_BODY }));
  assert.equal(echoed(await client.answer(1)), SMALL_BODY);
});

test('a large body whose model comes first is dispatched before it has ended', async (t) => {
  const { gateway, server } = await startScriptedWorld(t, answerHash);
  const client = await openRawClient(t, gateway.url);
  const body = Buffer.from(`{"model":"scripted","input":"${'abcdefghij'.repeat(3_000_000)}"}`);
  const bytes = requestBytes({ path: '/v1/embeddings', body });
  const [first, rest] = splitAt(bytes, 1_000_000);
  await client.send(first!);
  const visit = await server.visit(0);
  assert.equal(visit.isComplete, false);
  await waitUntil('the first part at the endpoint', () => visit.receivedBytes > 500_000);
  await client.send(rest!);
  const hash = hashOf(body);
  assert.equal((await client.answer(0)).body.toString(), JSON.stringify({ hash }));
});

test('a large body whose model comes last is dispatched only when it has ended', async (t) => {
  const { gateway, server } = await startScriptedWorld(t, answerHash);
  const client = await openRawClient(t, gateway.url);
  const body = Buffer.from(`{"input":"${'abcdefghij'.repeat(3_000_000)}","model":"scripted"}`);
  const bytes = requestBytes({ path: '/v1/embeddings', body });
  const [first, rest] = splitAt(bytes, bytes.length - 5);
  await client.send(first!);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(server.visits.length, 0);
  await client.send(rest!);
  const hash = hashOf(body);
  assert.equal((await client.answer(0)).body.toString(), JSON.stringify({ hash }));
});

test('an endpoint that does not read its body pauses the client', async (t) => {
  const { gateway, server } = await startScriptedWorld(t, (visit) => {
    visit.socket.pause();
  });
  const client = await openRawClient(t, gateway.url);
  const body = Buffer.from(`{"model":"scripted","input":"${'p'.repeat(50_000_000)}"}`);
  let isSent = false;
  void client.send(requestBytes({ path: '/v1/embeddings', body })).then(() => (isSent = true));
  const visit = await server.visit(0);
  let stalledAt = 0;
  await waitUntil('the client to be paused', async () => {
    const last = client.socket.bytesWritten - client.socket.writableLength;
    await new Promise((resolve) => setTimeout(resolve, 150));
    stalledAt = client.socket.bytesWritten - client.socket.writableLength;
    return stalledAt === last;
  });
  assert.equal(isSent, false);
  visit.socket.resume();
  assert.equal((await visit.body()).length, body.length);
  visit.reply(200, chatAnswer());
  assert.equal((await client.answer(0)).status, 200);
});

test('a connection is used for many requests, and Connection: close ends it', async (t) => {
  const { gateway } = await startScriptedWorld(t, echo);
  const client = await openRawClient(t, gateway.url);
  for (let i = 0; i < 20; i += 1) {
    await client.send(
      requestBytes({ body: SMALL_BODY, framing: i % 2 === 0 ? 'length' : 'chunked' }),
    );
    assert.equal(echoed(await client.answer(i)), SMALL_BODY);
  }
  await client.send(requestBytes({ body: SMALL_BODY, lines: ['connection: close'] }));
  assert.equal(echoed(await client.answer(20)), SMALL_BODY);
  await client.waitForClose();
});

test('HEAD of the model list has the length of the list and no body', async (t) => {
  const { gateway } = await startScriptedWorld(t, echo);
  const reply = await fetch(`${gateway.url}/v1/models`);
  const list = await reply.text();
  const head = await fetch(`${gateway.url}/v1/models`, { method: 'HEAD' });
  assert.equal(head.status, 200);
  assert.equal(head.headers.get('content-length'), String(list.length));
  assert.equal(await head.text(), '');
});

test('an empty stream without framing is no answer: the client gets an error, not a clean end', async (t) => {
  const { gateway } = await startScriptedWorld(t, async (visit) => {
    await visit.send(`HTTP/1.1 200 OK\r\n${SSE_TYPE[0]}\r\nconnection: close\r\n\r\n`);
    visit.cut();
  });
  const client = await openRawClient(t, gateway.url);
  await client.send(requestBytes({ body: STREAM_BODY }));
  const answer = await client.answer(0);
  assert.equal(answer.status, 502);
  assert.match(answer.body.toString(), /upstream_reset/);
});

interface PairWorld {
  readonly bad: ScriptedServer;
  readonly good: ScriptedServer;
  readonly gateway: TestGateway;
}

/** Two endpoints for the same model; requests go to either first. */
async function startPair(t: TestContext, handle: VisitHandler): Promise<PairWorld> {
  const bad = await startScriptedServer(t, { handle });
  const good = await startScriptedServer(t, { handle: echo });
  const gateway = await startGateway(t, `servers: ['${bad.url}', '${good.url}']\n`);
  return { bad, good, gateway };
}

const EARLY_FAILURES: readonly (readonly [name: string, handle: VisitHandler])[] = [
  [
    'answers 503',
    (visit) => {
      visit.reply(503, '{}');
    },
  ],
  [
    'resets',
    (visit) => {
      visit.reset();
    },
  ],
  [
    'answers nonsense',
    (visit) => {
      void visit.send('nonsense\r\n\r\n');
    },
  ],
];

for (const [name, fail] of EARLY_FAILURES) {
  test(`an endpoint that ${name} while the body still comes: another gets all of it, from its start`, async (t) => {
    const { bad, good, gateway } = await startPair(t, fail);
    const body = `{"model":"scripted","input":"${'0123456789'.repeat(30_000)}"}`;
    const bytes = requestBytes({ path: '/v1/embeddings', body });
    for (let i = 0; i < 6; i += 1) {
      const client = await openRawClient(t, gateway.url);
      await client.send(bytes.subarray(0, 200_000));
      await waitUntil('a visit', () => good.visits.length > i);
      await client.send(bytes.subarray(200_000));
      assert.equal(echoed(await client.answer(0)), body);
      client.finish();
    }
    assert.ok(bad.visits.length > 0);
    assert.equal(good.visits.length, 6);
  });
}

test('a body longer than what is kept for a retry is sent once: its failure is told', async (t) => {
  const { bad, good, gateway } = await startPair(t, async (visit) => {
    await waitUntil('much of the body', () => visit.receivedBytes > 2_000_000);
    visit.reset();
  });
  const body = `{"model":"scripted","input":"${'p'.repeat(3_000_000)}"}`;
  const statuses: number[] = [];
  for (let i = 0; i < 6; i += 1) {
    const client = await openRawClient(t, gateway.url);
    await client.send(requestBytes({ path: '/v1/embeddings', body }));
    statuses.push((await client.answer(0)).status);
    await client.send(requestBytes({ method: 'GET', path: '/v1/models' }));
    assert.equal((await client.answer(1)).status, 200, 'the next request on the same connection');
    client.finish();
  }
  assert.equal(statuses.filter((status) => status === 502).length, bad.visits.length);
  assert.equal(statuses.filter((status) => status === 200).length, good.visits.length);
  assert.ok(bad.visits.length > 0);
});

/** What an endpoint may do with its connection around a good answer. */
const ENDINGS: readonly (readonly [name: string, handle: VisitHandler])[] = [
  [
    'says Connection: close',
    async (visit) => {
      await visit.body();
      visit.reply(200, chatAnswer(), [...JSON_TYPE, 'connection: close']);
    },
  ],
  [
    'says Connection: close and closes',
    async (visit) => {
      await visit.body();
      visit.reply(200, chatAnswer(), [...JSON_TYPE, 'connection: close']);
      visit.cut();
    },
  ],
  [
    'closes without a word',
    async (visit) => {
      await visit.body();
      visit.reply(200, chatAnswer());
      visit.cut();
    },
  ],
  [
    'sends more than it said',
    async (visit) => {
      await visit.body();
      visit.reply(200, chatAnswer());
      await visit.send('HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged');
    },
  ],
  [
    'speaks HTTP/1.0',
    async (visit) => {
      await visit.body();
      await visit.send(`HTTP/1.0 200 OK\r\n${JSON_TYPE[0]}\r\n\r\n${chatAnswer()}`);
      visit.cut();
    },
  ],
  [
    'has no reason phrase',
    async (visit) => {
      await visit.body();
      const { length } = chatAnswer();
      await visit.send(
        `HTTP/1.1 200\r\n${JSON_TYPE[0]}\r\ncontent-length: ${length}\r\n\r\n${chatAnswer()}`,
      );
    },
  ],
];

for (const [name, handle] of ENDINGS) {
  test(`an endpoint that ${name}: every request gets its own answer`, async (t) => {
    const { server, gateway } = await startScriptedWorld(t, handle);
    const client = await openRawClient(t, gateway.url);
    for (let i = 0; i < 8; i += 1) {
      await client.send(requestBytes({ body: SMALL_BODY }));
      const answer = await client.answer(i);
      assert.equal(answer.status, 200, answer.body.toString());
      assert.equal(answer.body.toString(), chatAnswer());
      if (i % 2 === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.equal(server.visits.length, 8);
  });
}

test('an endpoint that gives up its idle connection with a 408 does not answer the next request with it', async (t) => {
  const { server, gateway } = await startScriptedWorld(t, async (visit) => {
    await visit.body();
    visit.reply(200, chatAnswer());
    await new Promise((resolve) => setTimeout(resolve, 5));
    await visit.send('HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n');
  });
  const client = await openRawClient(t, gateway.url);
  for (let i = 0; i < 4; i += 1) {
    await client.send(requestBytes({ body: SMALL_BODY }));
    assert.equal((await client.answer(i)).status, 200);
    await server.visits[i]!.gone();
  }
});

test('an answer that comes byte by byte is read as one, head included', async (t) => {
  const { gateway } = await startScriptedWorld(t, async (visit) => {
    await visit.body();
    const head = `HTTP/1.1 200 OK\r\n${JSON_TYPE[0]}\r\ntransfer-encoding: chunked\r\n\r\n`;
    const bytes = Buffer.concat([
      Buffer.from(head),
      chunkBytes(chatAnswer()),
      Buffer.from('0\r\n\r\n'),
    ]);
    for (const byte of bytes) {
      await visit.send(Buffer.of(byte));
      await new Promise(setImmediate);
    }
  });
  const client = await openRawClient(t, gateway.url);
  await client.send(requestBytes({ body: SMALL_BODY }));
  assert.equal((await client.answer(0)).body.toString(), chatAnswer());
});
