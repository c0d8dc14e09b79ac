import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { startGateway, waitUntil } from './support/gateway.ts';
import type { RawAnswer, RawClient } from './support/raw-client.ts';
import { chunkBytes, errorOf, openRawClient, requestBytes } from './support/raw-client.ts';
import type { VisitHandler } from './support/scripted-server.ts';
import { chatAnswer, chatFrame, SSE_TYPE, startScriptedServer } from './support/scripted-server.ts';
import { startScriptedWorld } from './support/scripted-world.ts';

const CHAT = '/v1/chat/completions';
const BODY = '{"model":"scripted","stream":true}';
const USAGE_BODY = '{"model":"scripted","stream":true,"stream_options":{"include_usage":true}}';
const DONE = 'data: [DONE]\n\n';
const USAGE_FRAME =
  'data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}\n\n';

async function openStream(t: TestContext, url: string, body: string = BODY): Promise<RawClient> {
  const client = await openRawClient(t, url);
  await client.send(requestBytes({ body }));
  return client;
}

async function askStream(t: TestContext, url: string, body: string = BODY): Promise<RawAnswer> {
  const client = await openStream(t, url, body);
  const answer = await client.answer(0);
  client.finish();
  return answer;
}

/** Streams these frames, each as a chunk of its own, and ends as it should. */
function streaming(...frames: readonly string[]): VisitHandler {
  return async (visit) => {
    await visit.body();
    visit.start();
    for (const frame of frames) await visit.chunk(frame);
    visit.end();
  };
}

for (const [name, body] of [
  ['usage is taken out', BODY],
  ['usage was asked for', USAGE_BODY],
] as const) {
  test(`each frame reaches the client before the endpoint sends the next (${name})`, async (t) => {
    const { server, gateway } = await startScriptedWorld(t, (visit) => {
      visit.start();
    });
    const client = await openStream(t, gateway.url, body);
    const visit = await server.visit(0);
    for (const content of ['one', 'two', 'three']) {
      await visit.chunk(chatFrame(content));
      await client.waitForText(`"${content}"`);
    }
    await visit.chunk(DONE);
    visit.end();
    const text = `${['one', 'two', 'three'].map((content) => chatFrame(content)).join('')}${DONE}`;
    assert.equal((await client.answer(0)).body.toString(), text);
  });
}

/** Requests that stream, and what the endpoint gets to see of them. */
const USAGE_REQUESTS: readonly (readonly [sent: string, received: string])[] = [
  [
    '{"model":"scripted","stream":true}',
    '{"model":"scripted","stream":true,"stream_options":{"include_usage":true}}',
  ],
  [
    '{"stream":true,"model":"scripted" }',
    '{"stream":true,"model":"scripted" ,"stream_options":{"include_usage":true}}',
  ],
  [
    '{"stream_options":null,"model":"scripted","stream":true}',
    '{"stream_options":{"include_usage":true},"model":"scripted","stream":true}',
  ],
  [
    '{"stream_options":{},"model":"scripted","stream":true}',
    '{"stream_options":{"include_usage":true},"model":"scripted","stream":true}',
  ],
  [
    '{"stream_options":{"x":1e0},"model":"scripted","stream":true}',
    '{"stream_options":{"x":1e0,"include_usage":true},"model":"scripted","stream":true}',
  ],
  [
    '{"stream_options":{"include_usage":false,"x":1},"stream":true,"model":"scripted"}',
    '{"stream_options":{"include_usage":true,"x":1},"stream":true,"model":"scripted"}',
  ],
  [USAGE_BODY, USAGE_BODY],
  ['{"model":"scripted","stream":false}', '{"model":"scripted","stream":false}'],
  ['{"model":"scripted","x":"\\"stream\\":true"}', '{"model":"scripted","x":"\\"stream\\":true"}'],
];

for (const framing of ['length', 'chunked'] as const) {
  test(`usage is asked for by the fewest bytes, and only in streams (${framing})`, async (t) => {
    const { server, gateway } = await startScriptedWorld(t, streaming(DONE));
    const client = await openRawClient(t, gateway.url);
    for (const [index, [sent, received]] of USAGE_REQUESTS.entries()) {
      await client.send(requestBytes({ body: sent, framing }));
      assert.equal((await client.answer(index)).status, 200);
      assert.equal(server.visits[index]!.content.toString(), received);
    }
  });
}

test('APIs without the option are not asked for usage', async (t) => {
  const { server, gateway } = await startScriptedWorld(t, streaming(DONE));
  const client = await openRawClient(t, gateway.url);
  for (const [index, path] of ['/v1/messages', '/v1/responses', '/v1/other'].entries()) {
    await client.send(requestBytes({ path, body: BODY }));
    await client.answer(index);
    assert.equal(server.visits[index]!.content.toString(), BODY);
  }
});

test('only the frame of usage alone is taken out; usage beside a choice stays', async (t) => {
  const beside = `data: {"choices":[{"delta":{"content":"x"}}],"usage":{"prompt_tokens":5,"completion_tokens":1,"total_tokens":6}}\n\n`;
  const nothing = 'data: {"choices":[{"delta":{}}],"usage":null}\n\n';
  const empty = 'data: {"choices":[],"prompt_filter_results":[]}\n\n';
  const { gateway } = await startScriptedWorld(
    t,
    streaming(empty, beside, nothing, USAGE_FRAME, DONE),
  );
  const answer = await askStream(t, gateway.url);
  assert.equal(answer.body.toString(), empty + beside + nothing + DONE);
  const tokens = await gateway.metric('penstock_completion_tokens_total');
  assert.deepEqual([...tokens.values()], [2]);
});

test('comments, unknown events and letters cut in two pass byte for byte', async (t) => {
  const text = `: ping\n\nevent: extra\ndata: 漢字😀\nid: 7\n\n${chatFrame('ä漢😀')}${DONE}`;
  const bytes = Buffer.from(text);
  const { gateway } = await startScriptedWorld(t, async (visit) => {
    await visit.body();
    visit.start();
    for (let at = 0; at < bytes.length; at += 1) await visit.chunk(bytes.subarray(at, at + 1));
    visit.end();
  });
  for (const body of [BODY, USAGE_BODY]) {
    assert.equal((await askStream(t, gateway.url, body)).body.toString(), text);
  }
});

test('a frame of megabytes passes intact, with usage taken out behind it', async (t) => {
  const big = chatFrame('x'.repeat(3_000_000));
  const { gateway } = await startScriptedWorld(
    t,
    streaming(chatFrame('a'), big, USAGE_FRAME, DONE),
  );
  const answer = await askStream(t, gateway.url);
  assert.equal(answer.body.toString(), chatFrame('a') + big + DONE);
});

test('chunk extensions and trailers of an answer end at the gateway', async (t) => {
  const { gateway } = await startScriptedWorld(t, async (visit) => {
    visit.start(['trailer: x-sum', ...SSE_TYPE]);
    const frame = Buffer.from(chatFrame('one'));
    await visit.send(`${frame.length.toString(16)};a="b c";d\r\n`);
    await visit.send(Buffer.concat([frame, Buffer.from('\r\n')]));
    await visit.send(chunkBytes(DONE));
    await visit.send('0\r\nx-sum: 1\r\n\r\n');
  });
  const answer = await askStream(t, gateway.url);
  assert.equal(answer.body.toString(), chatFrame('one') + DONE);
  assert.doesNotMatch(answer.head.raw, /x-sum/);
});

test('an endpoint may answer a stream request with an error or with plain JSON', async (t) => {
  const { server, gateway } = await startScriptedWorld(t, (visit) => {
    visit.reply(400, '{"error":{"message":"no"}}');
  });
  const refused = await askStream(t, gateway.url);
  assert.equal(refused.status, 400);
  assert.equal(refused.body.toString(), '{"error":{"message":"no"}}');
  server.handle = (visit) => {
    visit.reply(200, chatAnswer());
  };
  assert.equal((await askStream(t, gateway.url)).body.toString(), chatAnswer());
});

interface BrokenStream {
  readonly path: string;
  readonly first: string;
  /** What follows what the endpoint sent. */
  readonly error: RegExp;
}

const OPENAI_ERROR =
  /^data: \{"error":\{"message":"[^"]+","type":"api_error","param":null,"code":"upstream_interrupted"\}\}\n\n$/;

const BROKEN_STREAMS: readonly BrokenStream[] = [
  { path: CHAT, first: chatFrame('one'), error: OPENAI_ERROR },
  { path: '/v1/completions', first: 'data: {"choices":[{"text":"a"}]}\n\n', error: OPENAI_ERROR },
  { path: '/v1/other', first: 'data: {"x":1}\n\n', error: OPENAI_ERROR },
  {
    path: '/v1/responses',
    first: 'event: response.created\ndata: {"type":"response.created"}\n\n',
    error:
      /^event: error\ndata: \{"type":"error","code":"upstream_interrupted","message":"[^"]+","param":null,"sequence_number":\d+\}\n\n$/,
  },
  {
    path: '/v1/messages',
    first: 'event: message_start\ndata: {"type":"message_start","message":{}}\n\n',
    error:
      /^event: error\ndata: \{"type":"error","error":\{"type":"api_error","message":"[^"]+"\},"request_id":"req-[^"]+"\}\n\n$/,
  },
];

for (const { path, first, error } of BROKEN_STREAMS) {
  test(`a stream that breaks ends with the error frame of its API, on a connection that stays usable (${path})`, async (t) => {
    const { server, gateway } = await startScriptedWorld(t, async (visit) => {
      visit.start();
      await visit.chunk(first);
      visit.reset();
    });
    const client = await openRawClient(t, gateway.url);
    await client.send(requestBytes({ path, body: BODY }));
    const broken = await client.answer(0);
    assert.equal(broken.status, 200);
    assert.equal(broken.isComplete, true);
    const text = broken.body.toString();
    assert.equal(text.slice(0, first.length), first);
    assert.match(text.slice(first.length), error);
    server.handle = streaming(first, DONE);
    await client.send(requestBytes({ path, body: BODY }));
    assert.equal((await client.answer(1)).body.toString(), first + DONE);
  });
}

for (const [name, body] of [
  ['usage is taken out', BODY],
  ['usage was asked for', USAGE_BODY],
] as const) {
  test(`a stream that breaks inside a frame: the error frame begins on a line of its own (${name})`, async (t) => {
    const half = chatFrame('two').slice(0, 40);
    const { gateway } = await startScriptedWorld(t, async (visit) => {
      visit.start();
      await visit.chunk(chatFrame('one'));
      await visit.chunk(half);
      visit.reset();
    });
    const text = (await askStream(t, gateway.url, body)).body.toString();
    assert.ok(text.startsWith(chatFrame('one')));
    const rest = text.slice(chatFrame('one').length);
    const error = rest.slice(rest.indexOf('data: {"error"'));
    assert.match(error, OPENAI_ERROR);
    assert.ok(rest === error || rest === `${half}\n\n${error}`, rest);
  });
}

const UNFRAMED: readonly (readonly [
  name: string,
  path: string,
  frames: string,
  isWhole: boolean,
])[] = [
  ['chat with [DONE]', CHAT, chatFrame('one') + DONE, true],
  ['chat without [DONE]', CHAT, chatFrame('one'), false],
  [
    'messages with message_stop',
    '/v1/messages',
    'event: message_stop\ndata: {"type":"message_stop"}\n\n',
    true,
  ],
  [
    'messages without message_stop',
    '/v1/messages',
    'event: message_start\ndata: {"type":"message_start"}\n\n',
    false,
  ],
  [
    'responses with response.completed',
    '/v1/responses',
    'event: response.completed\ndata: {"type":"response.completed"}\n\n',
    true,
  ],
  [
    'responses without response.completed',
    '/v1/responses',
    'event: response.created\ndata: {"type":"response.created"}\n\n',
    false,
  ],
  ['an unknown path', '/v1/other', 'data: {}\n\n', true],
];

for (const [name, path, frames, isWhole] of UNFRAMED) {
  test(`a stream that only the end of its connection ends is whole when its last event came (${name})`, async (t) => {
    const { gateway } = await startScriptedWorld(t, async (visit) => {
      await visit.send(`HTTP/1.1 200 OK\r\n${SSE_TYPE[0]}\r\nconnection: close\r\n\r\n${frames}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
      visit.cut();
    });
    const client = await openRawClient(t, gateway.url);
    await client.send(requestBytes({ path, body: BODY }));
    const text = (await client.answer(0)).body.toString();
    assert.equal(text.slice(0, frames.length), frames);
    assert.equal(text === frames, isWhole, text);
    if (!isWhole) assert.match(text, /upstream_interrupted|api_error/);
  });
}

test('an endpoint that dies between its head and its first byte is replaced unnoticed', async (t) => {
  const dying = await startScriptedServer(t, {
    handle: async (visit) => {
      await visit.body();
      visit.start(['x-from: dying', ...SSE_TYPE]);
      setTimeout(() => {
        visit.reset();
      }, 10);
    },
  });
  const living = await startScriptedServer(t, {
    handle: async (visit) => {
      await visit.body();
      visit.start(['x-from: living', ...SSE_TYPE]);
      await visit.chunk(chatFrame('one') + DONE);
      visit.end();
    },
  });
  const servers = `servers: ['${dying.url}', '${living.url}']\n`;
  const gateway = await startGateway(t, `${servers}scheduling: { preset: round-robin }\n`);
  // Together, so that both servers are chosen for some of them.
  const answers = await Promise.all(Array.from({ length: 8 }, () => askStream(t, gateway.url)));
  for (const answer of answers) {
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.head.values('x-from'), ['living']);
    assert.equal(answer.body.toString(), chatFrame('one') + DONE);
  }
  assert.ok(dying.visits.length > 0);
  assert.equal(dying.visits[0]!.content.toString(), living.visits[0]!.content.toString());
});

test('an endpoint that is silent before its answer is 504; its request is cancelled and not repeated', async (t) => {
  const { server, gateway } = await startScriptedWorld(
    t,
    () => undefined,
    'timeouts: { firstByteMs: 150 }\n',
  );
  const answer = await askStream(t, gateway.url);
  assert.equal(answer.status, 504);
  assert.equal(errorOf(answer).error.code, 'upstream_timeout');
  await server.visits[0]!.gone();
  assert.equal(server.visits.length, 1);
});

test('an endpoint that is silent between its head and its first byte is 504', async (t) => {
  const { server, gateway } = await startScriptedWorld(
    t,
    (visit) => {
      visit.start();
    },
    'timeouts: { idleMs: 150 }\n',
  );
  const answer = await askStream(t, gateway.url);
  assert.equal(answer.status, 504);
  await server.visits[0]!.gone();
});

test('an endpoint that falls silent in the middle ends the stream with an error frame', async (t) => {
  const { server, gateway } = await startScriptedWorld(
    t,
    async (visit) => {
      visit.start();
      await visit.chunk(chatFrame('one'));
    },
    'timeouts: { idleMs: 150 }\n',
  );
  const text = (await askStream(t, gateway.url)).body.toString();
  assert.ok(text.startsWith(chatFrame('one')));
  assert.match(text, /data: \{"error":\{[^\n]*"code":"upstream_(timeout|interrupted)"\}\}\n\n$/);
  await server.visits[0]!.gone();
});

test('a client that reads slowly is not silence of the endpoint', async (t) => {
  const frame = chatFrame('x'.repeat(60_000));
  const { gateway } = await startScriptedWorld(
    t,
    async (visit) => {
      visit.start();
      for (let i = 0; i < 200; i += 1) await visit.send(chunkBytes(frame));
      await visit.chunk(DONE);
      visit.end();
    },
    'timeouts: { idleMs: 200 }\n',
  );
  const client = await openRawClient(t, gateway.url);
  client.pause();
  await client.send(requestBytes({ body: BODY }));
  await new Promise((resolve) => setTimeout(resolve, 700));
  client.resume();
  const answer = await client.answer(0);
  assert.equal(answer.body.length, frame.length * 200 + DONE.length);
  assert.ok(answer.body.toString().endsWith(`${frame}${DONE}`));
});

test('a stream may take longer than idleMs as long as it is not silent', async (t) => {
  const { gateway } = await startScriptedWorld(
    t,
    async (visit) => {
      visit.start();
      for (let i = 0; i < 6; i += 1) {
        await visit.chunk(chatFrame(String(i)));
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      await visit.chunk(DONE);
      visit.end();
    },
    'timeouts: { idleMs: 300 }\n',
  );
  assert.ok((await askStream(t, gateway.url)).body.toString().endsWith(DONE));
});

test('a drain lets streams end by themselves, and breaks off what takes too long', async (t) => {
  const { server, gateway } = await startScriptedWorld(
    t,
    async (visit) => {
      visit.start();
      await visit.chunk(chatFrame('one'));
    },
    'drain: { timeoutMs: 500 }\n',
  );
  const short = await openStream(t, gateway.url);
  const long = await openStream(t, gateway.url);
  await short.waitForText('"one"');
  await long.waitForText('"one"');
  const closing = gateway.close();
  const visit = server.visits[0]!;
  await visit.chunk(DONE);
  visit.end();
  const texts = [(await short.answer(0)).body.toString(), (await long.answer(0)).body.toString()];
  assert.equal(texts.filter((text) => text === chatFrame('one') + DONE).length, 1);
  const [broken] = texts.filter((text) => !text.includes('[DONE]'));
  assert.match(broken!, /data: \{"error":\{[^\n]*shutting down[^\n]*\}\}\n\n$/);
  assert.equal(await closing, 1);
});

test('a client that goes away is noticed in the middle of silence, at once', async (t) => {
  const { server, gateway } = await startScriptedWorld(t, async (visit) => {
    visit.start();
    await visit.chunk(chatFrame('one'));
  });
  const delaysMs: number[] = [];
  for (let i = 0; i < 5; i += 1) {
    const client = await openStream(t, gateway.url);
    await client.waitForText('"one"');
    const leftAtMs = performance.now();
    client.reset();
    delaysMs.push((await server.visits[i]!.gone()) - leftAtMs);
  }
  // One slow turn of a busy machine is no defect; that all five are slow is.
  assert.ok(Math.min(...delaysMs) < 50, `cancelled after ${delaysMs.join(', ')} ms`);
});

test('a connection to an endpoint is used again after a whole stream, not after a broken one', async (t) => {
  const { server, gateway } = await startScriptedWorld(t, streaming(chatFrame('one'), DONE));
  for (let i = 0; i < 3; i += 1) await askStream(t, gateway.url);
  const [first, second, third] = server.visits;
  assert.equal(first!.socket, second!.socket);
  assert.equal(second!.socket, third!.socket);
  server.handle = async (visit) => {
    visit.start();
    await visit.chunk(chatFrame('one'));
  };
  const client = await openStream(t, gateway.url);
  await client.waitForText('"one"');
  client.reset();
  await server.visits[3]!.gone();
  server.handle = streaming(chatFrame('one'), DONE);
  assert.equal((await askStream(t, gateway.url)).status, 200);
  assert.notEqual(server.visits[4]!.socket, third!.socket);
});

test('an idle connection that the endpoint closes costs no request', async (t) => {
  const { server, gateway } = await startScriptedWorld(t, streaming(chatFrame('one'), DONE));
  for (let i = 0; i < 10; i += 1) {
    const answer = await askStream(t, gateway.url);
    assert.equal(answer.status, 200);
    assert.equal(answer.body.toString(), chatFrame('one') + DONE);
    // In every other round the gateway has not heard of it yet when the next request goes out.
    server.visits.at(-1)!.socket.destroy();
    if (i % 2 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const attempts = await gateway.metric('penstock_attempts_total');
  const failed = [...attempts].filter(([labels]) => !/"(answered|cancelled)"/.test(labels));
  assert.deepEqual(
    failed.filter(([, count]) => count > 0),
    [],
  );
});

test('pipelined streams come one after the other, each whole', async (t) => {
  const { server, gateway } = await startScriptedWorld(t, (visit) => {
    visit.start();
  });
  const client = await openRawClient(t, gateway.url);
  const names = ['a', 'b', 'c'];
  const requests = names.map((name) => requestBytes({ body: BODY, lines: [`x-name: ${name}`] }));
  await client.send(Buffer.concat(requests));
  await server.visit(2);
  // All three stream at the same time, the last one is the first to end.
  for (let i = 0; i < 20; i += 1) {
    for (const visit of server.visits) await visit.chunk(chatFrame(visit.head.value('x-name')!));
  }
  for (const visit of [...server.visits].reverse()) {
    await visit.chunk(DONE);
    visit.end();
  }
  await client.answer(2);
  for (const [index, name] of names.entries()) {
    assert.equal(client.answers[index]!.body.toString(), chatFrame(name).repeat(20) + DONE);
    assert.equal(client.answers[index]!.isComplete, true);
  }
});

test('many streams at once, some read slowly, do not mix their bytes', async (t) => {
  const count = 24;
  const frames = 150;
  const textOf = (name: string): string => {
    const parts = Array.from({ length: frames }, (_, i) => chatFrame(`${name}-${i}-`.repeat(60)));
    return parts.join('') + DONE;
  };
  const { gateway } = await startScriptedWorld(t, async (visit) => {
    const name = visit.head.value('x-name')!;
    const bytes = Buffer.from(textOf(name));
    visit.start();
    for (let at = 0, size = 100; at < bytes.length; at += size, size += 997) {
      await visit.chunk(bytes.subarray(at, at + size));
    }
    visit.end();
  });
  const read = async (index: number): Promise<void> => {
    const client = await openRawClient(t, gateway.url);
    const isSlow = index % 3 === 0;
    if (isSlow) client.pause();
    const body = index % 2 === 0 ? BODY : USAGE_BODY;
    await client.send(requestBytes({ body, lines: [`x-name: s${index}`] }));
    if (isSlow) {
      await new Promise((resolve) => setTimeout(resolve, 300));
      client.resume();
    }
    const answer = await client.answer(0);
    const hash = (bytes: string | Buffer): string =>
      createHash('sha256').update(bytes).digest('hex');
    assert.equal(hash(answer.body), hash(textOf(`s${index}`)), `stream ${index}`);
    client.finish();
  };
  await Promise.all(Array.from({ length: count }, (_, index) => read(index)));
  await waitUntil('no open requests', async () => {
    return (await gateway.metric('penstock_open_requests')).get('') === 0;
  });
  const [endpoint] = (await gateway.state()).endpoints;
  assert.deepEqual(endpoint!.inFlight, { requests: 0, tokens: 0, prefillTokens: 0 });
});
