import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { TestGateway } from './support/gateway.ts';
import { forEachIndex } from './support/for-each-index.ts';
import { startGateway } from './support/gateway.ts';
import type { RawAnswer, RequestParts } from './support/raw-client.ts';
import { openRawClient, requestBytes, splitAt } from './support/raw-client.ts';
import type { Visit, VisitHandler } from './support/scripted-server.ts';
import {
  chatAnswer,
  chatFrame,
  configFor,
  JSON_TYPE,
  startScriptedServer,
} from './support/scripted-server.ts';
import type { ScriptedWorld } from './support/scripted-world.ts';

/** What the endpoint calls its model: longer than the client's name, and to be escaped in JSON. */
const UPSTREAM = 'org/"Modèle"\\70B';
const MODELS = `models:
  - { name: chat, aliases: ['näme', 'a-much-longer-alias-than-the-real-name-of-the-model'], targets: [{ model: '${UPSTREAM}' }] }
  - { name: split, targets: [{ model: '${UPSTREAM}', weight: 3 }, { model: other, weight: 1 }, { model: never, weight: 0 }] }
`;

async function startWorld(t: TestContext, handle: VisitHandler): Promise<ScriptedWorld> {
  const server = await startScriptedServer(t, { models: [UPSTREAM, 'other', 'never'], handle });
  return { server, gateway: await startGateway(t, configFor(server, MODELS)) };
}

const answerOk: VisitHandler = async (visit) => {
  await visit.body();
  visit.reply(200, '{}');
};

/** Sends one request, in these pieces of its bytes, and returns its answer. */
async function ask(t: TestContext, gateway: TestGateway, parts: RequestParts): Promise<RawAnswer> {
  const client = await openRawClient(t, gateway.url);
  await client.send(requestBytes(parts));
  const answer = await client.answer(0);
  client.finish();
  return answer;
}

/** Request bodies around the client's name for the model, which stands at «». */
const BODIES: readonly (readonly [name: string, body: string])[] = [
  [
    'number spellings',
    '{"model":«»,"temperature":1.0e0,"top_p":0.10,"n":1E+2,"seed":-0,"id":12345678901234567890123}',
  ],
  ['white space', '\t{ "a" : [ ] ,\r\n "model"\n:\t«» , "z":null }\n \r\n'],
  [
    'escapes in other strings',
    '{"prompt":"\\u00e4\\/\\ud83d\\ude00\\b ä \\"model\\":\\"chat\\"","model":«»}',
  ],
  [
    'unknown fields, some given twice',
    '{"x":1,"x":[{"model":"chat"}],"model":«»,"x":{"x":{"model":"chat"}}}',
  ],
  [
    'models deeper down',
    '{"metadata":{"model":"chat"},"messages":[{"model":"chat","content":"model"}],"model":«»}',
  ],
  ['a key with an escape', '{"m\\u006fdel":«»}'],
  ['the value as another key', '{"chat":"model","model":«»,"stream":false}'],
  [
    'a stream without usage to ask for',
    '{"stream":true,"stream_options":{"include_usage":true},"model":«»}',
  ],
];

/** Ways to write the client's names, all of which lead to the same endpoint model. */
const SPELLINGS = [
  '"chat"',
  '"\\u0063h\\u0061t"',
  '"näme"',
  '"n\\u00E4me"',
  '"a-much-longer-alias-than-the-real-name-of-the-model"',
];

for (const [name, body] of BODIES) {
  for (const framing of ['length', 'chunked'] as const) {
    test(`only the bytes of the model's value change on the way to the endpoint (${name}, ${framing})`, async (t) => {
      const { server, gateway } = await startWorld(t, answerOk);
      const expected = body.replace('«»', JSON.stringify(UPSTREAM));
      for (const [index, spelling] of SPELLINGS.entries()) {
        const answer = await ask(t, gateway, { body: body.replace('«»', spelling), framing });
        assert.equal(answer.status, 200, answer.body.toString());
        assert.equal(server.visits[index]!.content.toString(), expected);
        const length = server.visits[index]!.head.value('content-length');
        assert.equal(length, framing === 'chunked' ? null : String(Buffer.byteLength(expected)));
      }
    });
  }
}

test('a request split at any byte is rewritten alike', async (t) => {
  const { server, gateway } = await startWorld(t, answerOk);
  const body = BODIES[3]![1];
  const expected = body.replace('«»', JSON.stringify(UPSTREAM));
  const bytes = requestBytes({ body: body.replace('«»', SPELLINGS[3]!), framing: 'chunked' });
  await forEachIndex(bytes.length, async (index) => {
    const client = await openRawClient(t, gateway.url);
    await client.sendPieces(splitAt(bytes, index));
    assert.equal((await client.answer(0)).status, 200);
    client.finish();
  });
  assert.equal(server.visits.length, bytes.length);
  for (const visit of server.visits) assert.equal(visit.content.toString(), expected);
});

test('a request that is dispatched while it arrives is rewritten too; only white space may be added', async (t) => {
  const { server, gateway } = await startWorld(t, answerOk);
  const filler = 'p'.repeat(300_000);
  const body = `{"model":"chat","prompt":"${filler}","temperature":1.0e0}`;
  await ask(t, gateway, { path: '/v1/completions', body });
  const sent = server.visits[0]!.content.toString();
  const expected = body.replace('"chat"', JSON.stringify(UPSTREAM));
  assert.equal(sent.replace(/ *\}$/, '}'), expected);
  assert.equal(server.visits[0]!.head.value('content-length'), String(Buffer.byteLength(sent)));
});

test('a form has its model replaced and nothing else', async (t) => {
  const { server, gateway } = await startWorld(t, answerOk);
  const part = (name: string, value: string): string =>
    `--BB\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
  const form = (model: string): string =>
    `preamble\r\n${part('prompt', 'model')}${part('model', model)}${part('file', '\r\n--B\r\nchat')}--BB--\r\nend`;
  const lines = ['content-type: multipart/form-data; boundary=BB'];
  await ask(t, gateway, { path: '/v1/audio/transcriptions', lines, body: form('chat') });
  assert.equal(server.visits[0]!.content.toString(), form(UPSTREAM));
});

test('targets get their shares by weight, each under its own name; the client sees its own', async (t) => {
  const { server, gateway } = await startWorld(t, async (visit) => {
    visit.reply(
      200,
      chatAnswer((JSON.parse((await visit.body()).toString()) as { model: string }).model),
    );
  });
  const client = await openRawClient(t, gateway.url);
  for (let i = 0; i < 200; i += 1) {
    await client.send(requestBytes({ body: '{"model":"split"}' }));
    assert.equal((await client.answer(i)).body.toString(), chatAnswer('split'));
  }
  const counts = new Map<string, number>();
  for (const { content } of server.visits) {
    const { model } = JSON.parse(content.toString()) as { model: string };
    counts.set(model, (counts.get(model) ?? 0) + 1);
  }
  assert.deepEqual([...counts.keys()].sort(), [UPSTREAM, 'other']);
  // Three standard deviations of 200 draws at 3 to 1.
  assert.ok(Math.abs(counts.get('other')! - 50) < 19, `${counts.get('other')} of 200`);
});

test('an alias of a served name needs no target', async (t) => {
  const server = await startScriptedServer(t, { handle: answerOk });
  const models = 'models: [{ name: scripted, aliases: [short] }]\n';
  const gateway = await startGateway(t, configFor(server, models));
  server.handle = async (visit) => {
    await visit.body();
    visit.reply(200, chatAnswer());
  };
  const answer = await ask(t, gateway, { body: '{"model":"short"}' });
  assert.equal(answer.body.toString(), chatAnswer('short'));
  assert.equal(server.visits[0]!.content.toString(), '{"model":"scripted"}');
});

/** Answers of an endpoint; its model's name stands at «», other places must stay. */
const JSON_ANSWERS: readonly (readonly [name: string, path: string, answer: string])[] = [
  [
    'chat',
    '/v1/chat/completions',
    '{"id":"x","model":«», "created":1.0e9,"choices":[{"message":{"content":"model «»","model":"it"}}],"usage":{"prompt_tokens":1,"completion_tokens":2},"model_info":{"model":"it"}}',
  ],
  [
    'white space and escapes',
    '/v1/completions',
    '\n{ "\\u006dodel" :\r\n«»\t,"choices":[{"text":"\\"model\\":\\"it\\" \\u00e4"}]}',
  ],
  ['no string', '/v1/embeddings', '{"model":null,"data":[{"model":7}]}'],
  ['responses', '/v1/responses', '{"object":"response","output":[],"model":«»}'],
  [
    'messages',
    '/v1/messages',
    '{"type":"message","model":«»,"content":[{"type":"text","text":"it"}]}',
  ],
];

function filled(answer: string, name: string): string {
  // A name inside of a string has its quotes escaped; the last » of a pair tells which one it is.
  return answer.replaceAll('model «»', 'model it').replaceAll('«»', JSON.stringify(name));
}

for (const [name, path, answer] of JSON_ANSWERS) {
  test(`a JSON answer split at any byte carries the client's name (${name})`, async (t) => {
    const bytes = Buffer.from(filled(answer, UPSTREAM));
    const { gateway } = await startWorld(t, async (visit) => {
      await visit.body();
      visit.start(JSON_TYPE);
      for (const piece of splitAt(bytes, Number(visit.head.value('x-split')))) {
        if (piece.length > 0) await visit.chunk(piece);
      }
      visit.end();
    });
    await forEachIndex(bytes.length, async (index) => {
      const lines = [`x-split: ${index}`];
      const received = await ask(t, gateway, { path, lines, body: '{"model":"chat"}' });
      assert.equal(received.isComplete, true);
      assert.equal(received.body.toString(), filled(answer, 'chat'), `split at ${index}`);
    });
  });

  test(`a JSON answer with a length carries the client's name (${name})`, async (t) => {
    const { gateway } = await startWorld(t, async (visit) => {
      await visit.body();
      visit.reply(200, filled(answer, UPSTREAM));
    });
    for (const model of ['chat', 'näme', UPSTREAM]) {
      const received = await ask(t, gateway, { path, body: JSON.stringify({ model }) });
      assert.equal(received.isComplete, true);
      assert.equal(received.body.toString(), filled(answer, model));
    }
  });
}

const USAGE = '"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}';

/** Streams of an endpoint; the name stands at «». What is between ‹ and › is for the gateway. */
const STREAMS: readonly (readonly [name: string, path: string, stream: string])[] = [
  [
    'chat, with a usage frame that nobody asked for',
    '/v1/chat/completions',
    [
      'data: {"id":"x","model":«»,"choices":[{"delta":{"content":"model «»"}}]}\n\n',
      ': ping\n\n',
      'data: {"choices":[{"delta":{},"finish_reason":"stop"}],"model":«»}\n\n',
      `‹data: {"model":«»,"choices":[],${USAGE}}\n\n›`,
      'data: [DONE]\n\n',
    ].join(''),
  ],
  [
    'CRLF, no blank after the colon, data over several lines',
    '/v1/completions',
    [
      'data:{"model":«»,"choices":[{"text":"a"}]}\r\n\r\n',
      'id: 7\r\ndata: {"model":\r\ndata: «»,\r\ndata: "choices":[{"text":"b"}]}\r\nretry: 5\r\n\r\n',
      'data: [DONE]\r\n\r\n',
    ].join(''),
  ],
  [
    'messages',
    '/v1/messages',
    [
      'event: message_start\ndata: {"type":"message_start","message":{"id":"m","model":«»,"usage":{"input_tokens":5,"output_tokens":0}}}\n\n',
      'event: content_block_delta\ndata: {"type":"content_block_delta","delta":{"text":"\\"model\\":\\"it\\"","model":"it"}}\n\n',
      'event: message_delta\ndata: {"type":"message_delta","usage":{"output_tokens":2}}\n\n',
      'event: message_stop\ndata: {"type":"message_stop"}\n\n',
    ].join(''),
  ],
  [
    'responses',
    '/v1/responses',
    [
      'event: response.created\ndata: {"type":"response.created","response":{"id":"r","model":«»}}\n\n',
      'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"model"}\n\n',
      'event: response.completed\ndata: {"type":"response.completed","response":{"model":«»,"usage":{"input_tokens":5,"output_tokens":2}}}\n\n',
    ].join(''),
  ],
];

function sentStream(stream: string, name: string): string {
  return filled(stream, name).replaceAll(/[‹›]/g, '');
}

function wantedStream(stream: string, name: string): string {
  return filled(stream.replaceAll(/‹[^›]*›/g, ''), name);
}

async function sendStream(visit: Visit, pieces: readonly Buffer[]): Promise<void> {
  await visit.body();
  visit.start();
  for (const piece of pieces) if (piece.length > 0) await visit.chunk(piece);
  visit.end();
}

for (const [name, path, stream] of STREAMS) {
  test(`a stream split at any byte carries the client's name (${name})`, async (t) => {
    const bytes = Buffer.from(sentStream(stream, UPSTREAM));
    const { gateway } = await startWorld(t, (visit) =>
      sendStream(visit, splitAt(bytes, Number(visit.head.value('x-split')))),
    );
    const body = '{"model":"chat","stream":true}';
    await forEachIndex(bytes.length, async (index) => {
      const received = await ask(t, gateway, { path, body, lines: [`x-split: ${index}`] });
      assert.equal(received.isComplete, true);
      assert.equal(received.body.toString(), wantedStream(stream, 'chat'), `split at ${index}`);
    });
    const tokens = await gateway.metric('penstock_completion_tokens_total');
    const expected = stream.includes('usage') ? 2 * bytes.length : 0;
    assert.equal(
      [...tokens.values()].reduce((sum, value) => sum + value, 0),
      expected,
    );
  });

  test(`a stream that comes byte by byte carries the client's name (${name})`, async (t) => {
    const bytes = Buffer.from(sentStream(stream, UPSTREAM));
    const { gateway } = await startWorld(t, (visit) =>
      sendStream(
        visit,
        Array.from(bytes, (_, index) => bytes.subarray(index, index + 1)),
      ),
    );
    for (const model of ['näme', UPSTREAM]) {
      const body = JSON.stringify({ model, stream: true });
      const received = await ask(t, gateway, { path, body });
      assert.equal(received.body.toString(), wantedStream(stream, model));
    }
  });
}

test('without a rewrite and with usage asked for, every byte of a stream passes as it came', async (t) => {
  const stream = `${chatFrame('a', UPSTREAM)}: ping\r\n\r\ndata: {"model": "x" ,"choices":[ ],${USAGE}}\n\ndata: [DONE]\n\nrest`;
  const { gateway } = await startWorld(t, (visit) => sendStream(visit, [Buffer.from(stream)]));
  const options = { stream: true, stream_options: { include_usage: true } };
  const body = JSON.stringify({ model: UPSTREAM, ...options });
  assert.equal((await ask(t, gateway, { body })).body.toString(), stream);
});

test('an error of the endpoint passes as it is, its own model name in the message included', async (t) => {
  const error = JSON.stringify({ error: { message: `The model ${UPSTREAM} is full.`, code: 429 } });
  const { gateway } = await startWorld(t, (visit) => {
    visit.reply(429, error);
  });
  const answer = await ask(t, gateway, { body: '{"model":"chat"}' });
  assert.equal(answer.status, 429);
  assert.equal(answer.body.toString(), error);
});
