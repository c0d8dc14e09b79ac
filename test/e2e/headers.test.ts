import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { TestGateway } from './support/gateway.ts';
import { startGateway } from './support/gateway.ts';
import type { MessageHead } from './support/raw-client-message.ts';
import type { RawAnswer } from './support/raw-client.ts';
import { errorOf, openRawClient, requestBytes } from './support/raw-client.ts';
import type { ScriptedServer, VisitHandler } from './support/scripted-server.ts';
import {
  chatAnswer,
  chatFrame,
  configFor,
  JSON_TYPE,
  startScriptedServer,
} from './support/scripted-server.ts';
import { startScriptedWorld } from './support/scripted-world.ts';

const BODY = '{"model":"scripted"}';
const STREAM_BODY = '{"model":"scripted","stream":true}';

const answerChat: VisitHandler = async (visit) => {
  await visit.body();
  visit.reply(200, chatAnswer());
};

/** Sends a request with these further header lines; returns its answer. */
async function ask(
  t: TestContext,
  url: string,
  lines: readonly string[] = [],
  body: string = BODY,
): Promise<RawAnswer> {
  const client = await openRawClient(t, url);
  await client.send(requestBytes({ body, lines }));
  const answer = await client.answer(0);
  client.finish();
  return answer;
}

/** What an endpoint gets of a request with these header lines. */
async function received(t: TestContext, lines: readonly string[]): Promise<MessageHead> {
  const { server, gateway } = await startScriptedWorld(t, answerChat);
  assert.equal((await ask(t, gateway.url, lines)).status, 200);
  return server.visits[0]!.head;
}

/** What a client gets of an answer with these header lines. */
async function returned(t: TestContext, lines: readonly string[]): Promise<MessageHead> {
  const { gateway } = await startScriptedWorld(t, async (visit) => {
    await visit.body();
    visit.reply(200, chatAnswer(), [...JSON_TYPE, ...lines]);
  });
  const answer = await ask(t, gateway.url);
  assert.equal(answer.status, 200);
  assert.equal(answer.body.toString(), chatAnswer());
  return answer.head;
}

function assertAbsent(head: MessageHead, names: readonly string[]): void {
  for (const name of names) assert.deepEqual(head.values(name), [], `${name} in\n${head.raw}`);
}

test('connection-level request fields stop at the gateway, those that Connection names included', async (t) => {
  const head = await received(t, [
    'Connection: Keep-Alive, X-Hop',
    'Connection: x-hop-too',
    'X-Hop: 1',
    'X-HOP-TOO: 2',
    'Keep-Alive: timeout=5',
    'Proxy-Connection: keep-alive',
    'Proxy-Authorization: Basic x',
    'TE: trailers',
    'Trailer: x-sum',
    'Accept-Encoding: gzip, br',
    'X-End: 3',
  ]);
  assertAbsent(head, [
    'connection',
    'x-hop',
    'x-hop-too',
    'keep-alive',
    'proxy-connection',
    'proxy-authorization',
    'te',
    'trailer',
    'accept-encoding',
    'transfer-encoding',
  ]);
  assert.equal(head.value('x-end'), '3');
  assert.equal(head.value('content-length'), String(BODY.length));
});

test('a request to upgrade is an ordinary request', async (t) => {
  const head = await received(t, ['Connection: Upgrade', 'Upgrade: websocket', 'X-End: 1']);
  assertAbsent(head, ['connection', 'upgrade']);
  assert.equal(head.value('x-end'), '1');
});

test('end-to-end request fields arrive as they were written: spelling, order, repeats, bytes', async (t) => {
  const lines = [
    'Authorization: Bearer sk-secret',
    'X-Api-Key: k',
    'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    'tracestate: a=1,b=2',
    'Cookie: a=b',
    'OpenAI-Organization: org',
    'X-Twice: one',
    'x-twice: two',
    'X-Latin: caf\u00e9 \u00c3\u00a9',
    'X-Empty:',
    'Via: 1.0 first',
  ];
  const head = await received(t, lines);
  const sent = lines.map((line) => {
    const [name] = line.split(':', 1);
    return [name, line.slice(name!.length + 1).trim()];
  });
  const names = new Set(sent.map(([name]) => name));
  const passed = head.fields.filter(([name]) => names.has(name));
  assert.deepEqual(passed, sent);
  assert.deepEqual(head.values('via'), ['1.0 first', '1.1 penstock']);
});

test('no x-penstock field of a client reaches an endpoint, whatever its spelling', async (t) => {
  const head = await received(t, [
    'x-penstock-endpoint: nowhere:1',
    'X-Penstock-Timeout-Ms: 5000',
    'X-PENSTOCK-Anything: 1',
    'x-penstock-: 1',
  ]);
  assert.doesNotMatch(head.raw.replace(/^via:.*$/gim, ''), /penstock/i);
});

test('Host is the endpoint, and a base path comes before the path and query of the client', async (t) => {
  const server = await startScriptedServer(t, { handle: answerChat });
  const gateway = await startGateway(t, `servers: ['${server.url}/base']\n`);
  const client = await openRawClient(t, gateway.url);
  const path = '/v1/chat/completions?a=%20b&c=/../d';
  await client.send(requestBytes({ body: BODY, path, lines: ['x-forwarded-host: me'] }));
  assert.equal((await client.answer(0)).status, 200);
  const { head } = server.visits[0]!;
  assert.equal(head.startLine, `POST /base${path} HTTP/1.1`);
  assert.deepEqual(head.values('host'), [new URL(server.url).host]);
  assert.equal(head.value('x-forwarded-host'), 'me');
});

test('a chunked request stays chunked, a sized one sized', async (t) => {
  const { server, gateway } = await startScriptedWorld(t, answerChat);
  const client = await openRawClient(t, gateway.url);
  await client.send(requestBytes({ body: BODY, framing: 'chunked' }));
  await client.answer(0);
  await client.send(requestBytes({ body: BODY }));
  await client.answer(1);
  const [chunked, sized] = server.visits;
  assert.equal(chunked!.head.value('transfer-encoding'), 'chunked');
  assert.equal(chunked!.head.value('content-length'), null);
  assert.equal(sized!.head.value('transfer-encoding'), null);
  assert.equal(sized!.head.value('content-length'), String(BODY.length));
});

test('x-request-id: a good one is kept everywhere, a bad or missing one is replaced', async (t) => {
  const { server, gateway } = await startScriptedWorld(t, async (visit) => {
    await visit.body();
    visit.reply(200, chatAnswer(), [...JSON_TYPE, 'x-request-id: of-the-engine']);
  });
  const good = ['abc', 'A.b:/+=@~_-9', 'x'.repeat(128)];
  for (const id of good) {
    const answer = await ask(t, gateway.url, [`X-Request-Id: ${id}`]);
    assert.deepEqual(answer.head.values('x-request-id'), [id]);
    assert.deepEqual(server.visits.at(-1)!.head.values('x-request-id'), [id]);
  }
  const decisions = await gateway.decisions();
  assert.deepEqual(new Set(decisions.map(({ requestId }) => requestId)), new Set<string>(good));
  const bad = [['x'.repeat(129)], ['a b'], ['a"b'], ['\u00e4'], [''], ['a', 'b'], []];
  const made = new Set<string>();
  for (const ids of bad) {
    const answer = await ask(
      t,
      gateway.url,
      ids.map((id) => `x-request-id: ${id}`),
    );
    const id = answer.head.value('x-request-id')!;
    assert.match(id, /^req-[a-z0-9]+-[a-z0-9]+$/);
    assert.deepEqual(server.visits.at(-1)!.head.values('x-request-id'), [id]);
    made.add(id);
  }
  assert.equal(made.size, bad.length);
});

test('connection-level answer fields stop at the gateway, those that Connection names included', async (t) => {
  const head = await returned(t, [
    'Connection: keep-alive, X-Hop',
    'Connection: X-Hop-Too',
    'X-Hop: 1',
    'x-hop-too: 2',
    'Proxy-Connection: keep-alive',
    'Proxy-Authenticate: Basic',
    'TE: trailers',
    'Trailer: x-sum',
    'Upgrade: h2c',
    'Keep-Alive: timeout=3',
    'X-End: 3',
  ]);
  assertAbsent(head, [
    'x-hop',
    'x-hop-too',
    'proxy-connection',
    'proxy-authenticate',
    'te',
    'trailer',
    'upgrade',
  ]);
  assert.equal(head.value('connection'), 'keep-alive');
  assert.notEqual(head.value('keep-alive'), 'timeout=3');
  assert.equal(head.value('x-end'), '3');
});

test('end-to-end answer fields arrive as they came: repeats, order, bytes', async (t) => {
  const lines = [
    'Set-Cookie: a=1; Path=/',
    'Set-Cookie: b=2',
    'Server: uvicorn',
    'Date: Tue, 01 Jan 2030 00:00:00 GMT',
    'X-Latin: caf\u00e9',
    'X-Utf8: \u00e6\u00bc\u00a2',
    'Cache-Control: no-store',
    'WWW-Authenticate: Bearer',
    'Retry-After: 7',
    'OpenAI-Processing-Ms: 12',
  ];
  const head = await returned(t, lines);
  assert.deepEqual(head.values('set-cookie'), ['a=1; Path=/', 'b=2']);
  for (const line of lines.slice(2)) {
    const colon = line.indexOf(':');
    assert.deepEqual(head.values(line.slice(0, colon)), [line.slice(colon + 1).trim()]);
  }
});

test('no x-penstock field of an endpoint reaches a client; the real endpoint is named', async (t) => {
  const { gateway } = await startScriptedWorld(t, async (visit) => {
    await visit.body();
    const lines = ['X-Penstock-Endpoint: forged', 'x-penstock-Other: 1', 'request-id: forged'];
    visit.reply(200, chatAnswer(), [...JSON_TYPE, ...lines]);
  });
  const { head } = await ask(t, gateway.url);
  const [endpoint] = (await gateway.state()).endpoints;
  assert.deepEqual(head.values('x-penstock-endpoint'), [endpoint!.id]);
  assertAbsent(head, ['x-penstock-other', 'request-id']);
});

test('x-penstock-endpoint can be switched off, by a reload too', async (t) => {
  const { server, gateway } = await startScriptedWorld(t, answerChat);
  assert.notEqual((await ask(t, gateway.url)).head.value('x-penstock-endpoint'), null);
  assert.equal(await gateway.reload(configFor(server, 'headers: { endpoint: false }\n')), true);
  assertAbsent((await ask(t, gateway.url)).head, ['x-penstock-endpoint']);
});

test('errors of the gateway carry the request id and no endpoint', async (t) => {
  const { gateway } = await startScriptedWorld(t, answerChat);
  const { head, status } = await ask(t, gateway.url, ['x-request-id: mine'], '{"model":"none"}');
  assert.equal(status, 404);
  assert.equal(head.value('x-request-id'), 'mine');
  assertAbsent(head, ['x-penstock-endpoint']);
});

interface PairWorld {
  readonly servers: readonly ScriptedServer[];
  readonly gateway: TestGateway;
  readonly internalUrl: string;
}

async function startPair(t: TestContext): Promise<PairWorld> {
  const servers = [
    await startScriptedServer(t, { handle: answerChat }),
    await startScriptedServer(t, { handle: answerChat }),
  ];
  const gateway = await startGateway(
    t,
    [
      `servers: ['${servers[0]!.url}', '${servers[1]!.url}']`,
      'listeners:',
      "  - { address: '127.0.0.1:8080' }",
      "  - { address: '127.0.0.1:8081', internal: true }",
      '',
    ].join('\n'),
  );
  return { servers, gateway, internalUrl: gateway.service.urls[1]! };
}

test('an internal listener obeys x-penstock-endpoint', async (t) => {
  const { servers, internalUrl } = await startPair(t);
  for (const [index, server] of servers.entries()) {
    const id = new URL(server.url).host;
    for (let i = 0; i < 8; i += 1) {
      const { head } = await ask(t, internalUrl, [`x-penstock-endpoint: ${id}`]);
      assert.equal(head.value('x-penstock-endpoint'), id);
    }
    assert.equal(server.visits.length, 8, `server ${index}`);
    assert.doesNotMatch(server.visits[0]!.head.raw, /x-penstock/);
  }
});

test('an internal listener refuses an endpoint that does not serve the model, and tries no other', async (t) => {
  const { servers, internalUrl } = await startPair(t);
  const answer = await ask(t, internalUrl, ['x-penstock-endpoint: 127.0.0.1:1']);
  assert.equal(answer.status, 503);
  assert.equal(errorOf(answer).error.code, 'no_endpoint');
  assert.deepEqual(
    servers.map(({ visits }) => visits.length),
    [0, 0],
  );
});

test('an ordinary listener ignores x-penstock-endpoint', async (t) => {
  const { servers, gateway } = await startPair(t);
  const id = new URL(servers[0]!.url).host;
  for (let i = 0; i < 24; i += 1) {
    const answer = await ask(t, gateway.url, [`x-penstock-endpoint: ${i === 0 ? 'no:1' : id}`]);
    assert.equal(answer.status, 200);
  }
  for (const { visits } of servers) assert.ok(visits.length > 0);
});

test('x-penstock-timeout-ms shortens the time a request may take', async (t) => {
  const { server, gateway } = await startScriptedWorld(t, () => undefined);
  const answer = await ask(t, gateway.url, ['x-penstock-timeout-ms: 100']);
  assert.equal(answer.status, 504);
  assert.equal(errorOf(answer).error.code, 'upstream_timeout');
  assert.match(errorOf(answer).error.message, /100 ms/);
  await server.visits[0]!.gone();
});

test('x-penstock-timeout-ms ends a stream with an error frame', async (t) => {
  const { server, gateway } = await startScriptedWorld(t, async (visit) => {
    visit.start();
    await visit.chunk(chatFrame('one'));
  });
  const answer = await ask(t, gateway.url, ['x-penstock-timeout-ms: 200'], STREAM_BODY);
  assert.equal(answer.status, 200);
  assert.equal(answer.isComplete, true);
  assert.match(answer.body.toString(), /"one".*\n\ndata: \{"error":.*"upstream_timeout"\}\}\n\n$/s);
  await server.visits[0]!.gone();
});

test('x-penstock-timeout-ms cannot lengthen what is configured, and nonsense is ignored', async (t) => {
  const { gateway } = await startScriptedWorld(t, () => undefined, 'timeouts: { totalMs: 200 }\n');
  for (const value of ['60000', '0', '1.5', '99999999999999']) {
    const answer = await ask(t, gateway.url, [`x-penstock-timeout-ms: ${value}`]);
    assert.equal(answer.status, 504, value);
    assert.match(errorOf(answer).error.message, /200 ms/);
  }
});

test('a compressed answer passes as it is, with its field', async (t) => {
  const zipped = gzipSync(chatAnswer());
  const { gateway } = await startScriptedWorld(t, async (visit) => {
    await visit.send(
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: ${zipped.length}\r\n\r\n`,
    );
    await visit.send(zipped);
  });
  const answer = await ask(t, gateway.url);
  assert.equal(answer.head.value('content-encoding'), 'gzip');
  assert.deepEqual(answer.body, zipped);
});

test('a redirect and an answer without a body pass as they are', async (t) => {
  const { gateway, server } = await startScriptedWorld(t, async (visit) => {
    await visit.body();
    visit.reply(307, '', ['location: http://elsewhere/']);
  });
  const redirect = await ask(t, gateway.url);
  assert.equal(redirect.status, 307);
  assert.equal(redirect.head.value('location'), 'http://elsewhere/');
  server.handle = async (visit) => {
    await visit.send('HTTP/1.1 204 No Content\r\nx-end: 1\r\n\r\n');
  };
  const empty = await ask(t, gateway.url);
  assert.equal(empty.status, 204);
  assert.equal(empty.head.value('x-end'), '1');
  assert.equal(empty.head.value('transfer-encoding'), null);
});

const BAD_HEADS: readonly (readonly [name: string, head: string])[] = [
  ['no HTTP at all', 'SSH-2.0-OpenSSH_9\r\n\r\n'],
  ['a header without a colon', 'HTTP/1.1 200 OK\r\nnonsense\r\ncontent-length: 2\r\n\r\n{}'],
  [
    'a bare CR in a value',
    'HTTP/1.1 200 OK\r\nx-a: b\rset-cookie: c\r\ncontent-length: 2\r\n\r\n{}',
  ],
  ['a NUL in a value', 'HTTP/1.1 200 OK\r\nx-a: b\0\r\ncontent-length: 2\r\n\r\n{}'],
  ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}}'],
  [
    'a length and chunks',
    'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  ['a folded line', 'HTTP/1.1 200 OK\r\nx-a: b\r\n c\r\ncontent-length: 2\r\n\r\n{}'],
  ['a head without end', `HTTP/1.1 200 OK\r\nx-a: ${'b'.repeat(100_000)}`],
];

for (const [name, head] of BAD_HEADS) {
  test(`an answer that is not HTTP is 502 upstream_invalid (${name})`, async (t) => {
    const { gateway } = await startScriptedWorld(t, async (visit) => {
      await visit.body();
      await visit.send(Buffer.from(head, 'latin1'));
    });
    const answer = await ask(t, gateway.url);
    assert.equal(answer.status, 502);
    assert.equal(errorOf(answer).error.code, 'upstream_invalid');
    assertAbsent(answer.head, ['set-cookie', 'x-penstock-endpoint']);
  });
}
