import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import OpenAI, { toFile } from 'openai';
import type { EngineServer } from '../../src/simulator/server/server.ts';
import { startEngine } from './support/engines.ts';
import type { TestGateway } from './support/gateway.ts';
import { startGateway, waitUntil } from './support/gateway.ts';
import type { VisitHandler } from './support/scripted-server.ts';
import { chatAnswer, chatFrame, startScriptedServer } from './support/scripted-server.ts';
import type { ScriptedWorld } from './support/scripted-world.ts';
import { startScriptedWorld } from './support/scripted-world.ts';
import { checkAborts, collect, rejectionOf, tokensOf } from './support/sdk.ts';

interface EngineWorld {
  readonly engine: EngineServer;
  readonly gateway: TestGateway;
  readonly client: OpenAI;
}

/** The official client, a gateway and a simulated vLLM with `llama` and its adapter `sql`. */
async function startEngineWorld(t: TestContext, more = ''): Promise<EngineWorld> {
  const engine = await startEngine(t, { models: ['llama'], adapters: ['sql'], speed: 30 });
  const gateway = await startGateway(t, `servers: ['${engine.url}']\n${more}`);
  return { engine, gateway, client: clientFor(gateway) };
}

interface ClientWorld extends ScriptedWorld {
  readonly client: OpenAI;
}

async function startClientWorld(
  t: TestContext,
  handle: VisitHandler,
  more = '',
): Promise<ClientWorld> {
  const world = await startScriptedWorld(t, handle, more);
  return { ...world, client: clientFor(world.gateway) };
}

function clientFor(gateway: TestGateway, maxRetries = 0): OpenAI {
  return new OpenAI({
    baseURL: `${gateway.url}/v1`,
    apiKey: 'sk-test',
    maxRetries,
    logLevel: 'off',
  });
}

const MESSAGES: OpenAI.ChatCompletionMessageParam[] = [
  { role: 'system', content: 'You are terse.' },
  { role: 'user', content: 'Name the parts of a watermill.' },
];
const CHAT = { model: 'llama', messages: MESSAGES, max_tokens: 12, seed: 1 } as const;
const SCRIPTED_CHAT = { model: 'scripted', messages: MESSAGES } as const;

/** The API error that `promise` rejects with; fails when it does not. */
const errorOf = (promise: PromiseLike<unknown>): Promise<InstanceType<typeof OpenAI.APIError>> =>
  rejectionOf(OpenAI.APIError, promise);

test('chat: an answer with its usage, and where it came from', async (t) => {
  const { client, gateway, engine } = await startEngineWorld(t);
  const answer = await client.chat.completions.create(CHAT).withResponse();
  const { data, response, request_id: requestId } = answer;
  assert.equal(data.object, 'chat.completion');
  assert.equal(data.model, 'llama');
  assert.ok(data.choices[0]!.message.content!.length > 0);
  assert.equal(data.usage!.completion_tokens, 12);
  assert.equal(response.headers.get('x-penstock-endpoint'), new URL(engine.url).host);
  assert.equal(requestId, response.headers.get('x-request-id'));
  const tokens = await tokensOf(gateway);
  assert.deepEqual(tokens, { prompt: data.usage!.prompt_tokens, completion: 12 });
});

test('chat stream: a client that did not ask for usage never sees it, and it is counted all the same', async (t) => {
  const { client, gateway } = await startEngineWorld(t);
  const whole = await client.chat.completions.create(CHAT);
  const before = await tokensOf(gateway);
  const chunks = await collect(await client.chat.completions.create({ ...CHAT, stream: true }));
  const text = chunks.map((chunk) => chunk.choices[0]!.delta.content ?? '').join('');
  assert.equal(text, whole.choices[0]!.message.content);
  for (const chunk of chunks) {
    assert.equal(chunk.choices.length, 1);
    assert.ok(chunk.usage === undefined || chunk.usage === null);
  }
  assert.equal(chunks.at(-1)!.choices[0]!.finish_reason, 'length');
  const after = await tokensOf(gateway);
  assert.equal(after.completion - before.completion, 12);
  assert.equal(after.prompt - before.prompt, whole.usage!.prompt_tokens);
});

test('chat stream: a client that asks for usage gets the frame, and it is counted once', async (t) => {
  const { client, gateway } = await startEngineWorld(t);
  const stream = await client.chat.completions.create({
    ...CHAT,
    stream: true,
    stream_options: { include_usage: true },
  });
  const chunks = await collect(stream);
  const last = chunks.at(-1)!;
  assert.deepEqual(last.choices, []);
  assert.equal(last.usage!.completion_tokens, 12);
  const { prompt_tokens: prompt, completion_tokens: completion } = last.usage!;
  assert.deepEqual(await tokensOf(gateway), { prompt, completion });
});

test('chat stream: usage is not asked for when the configuration says when-asked', async (t) => {
  const { client, gateway } = await startEngineWorld(t, 'usage: { capture: when-asked }\n');
  const chunks = await collect(await client.chat.completions.create({ ...CHAT, stream: true }));
  assert.equal(chunks.at(-1)!.choices[0]!.finish_reason, 'length');
  assert.deepEqual(await tokensOf(gateway), { prompt: 0, completion: 0 });
});

test('chat: the streaming helper assembles the same completion', async (t) => {
  const { client } = await startEngineWorld(t);
  const whole = await client.chat.completions.create(CHAT);
  const final = await client.chat.completions.stream(CHAT).finalChatCompletion();
  assert.equal(final.choices[0]!.message.content, whole.choices[0]!.message.content);
});

const TOOLS: OpenAI.ChatCompletionTool[] = [
  {
    type: 'function',
    function: {
      name: 'weather',
      description: 'Looks up the weather.',
      parameters: {
        type: 'object',
        properties: { place: { type: 'string' }, days: { type: 'integer' } },
        required: ['place', 'days'],
      },
    },
  },
];

test('tools: a call comes through in JSON and in a stream, and its result goes back', async (t) => {
  const { client } = await startEngineWorld(t);
  const request = { ...CHAT, max_tokens: 200, tools: TOOLS, tool_choice: 'required' as const };
  const whole = await client.chat.completions.create(request);
  const [call] = whole.choices[0]!.message.tool_calls!;
  assert.ok(call?.type === 'function');
  assert.equal(call.function.name, 'weather');
  assert.deepEqual(JSON.parse(call.function.arguments), { place: 'example place', days: 1 });
  assert.equal(whole.choices[0]!.finish_reason, 'tool_calls');

  const final = await client.chat.completions.stream(request).finalChatCompletion();
  const [streamed] = final.choices[0]!.message.tool_calls!;
  assert.ok(streamed?.type === 'function');
  assert.deepEqual(streamed.function.arguments, call.function.arguments);

  const answer = await client.chat.completions.create({
    ...CHAT,
    tools: TOOLS,
    messages: [
      ...MESSAGES,
      whole.choices[0]!.message,
      { role: 'tool', tool_call_id: call.id, content: '{"sky":"clear"}' },
    ],
  });
  assert.equal(typeof answer.choices[0]!.message.content, 'string');
});

test('tools and vendor fields pass through untouched, in both directions', async (t) => {
  const answer = {
    ...(JSON.parse(chatAnswer()) as OpenAI.ChatCompletion),
    prompt_logprobs: null,
    kv_transfer_params: { remote: [1.5, null, 'ä'] },
  };
  Object.assign(answer.choices[0]!.message, {
    reasoning_content: 'because',
    tool_calls: [
      { id: 'c1', type: 'function', function: { name: 'f', arguments: '{"a": 1}' }, x: 1 },
    ],
  });
  const { client, server } = await startClientWorld(t, async (visit) => {
    await visit.body();
    visit.reply(200, JSON.stringify(answer));
  });
  const request = {
    ...SCRIPTED_CHAT,
    tools: TOOLS,
    chat_template_kwargs: { enable_thinking: false },
    guided_json: { type: 'object' },
    cache_salt: 'ü',
  };
  const data = await client.chat.completions.create(request);
  const { _request_id: _, ...received } = data;
  assert.deepEqual(received, answer);
  assert.deepEqual(JSON.parse(server.visits[0]!.content.toString()), request);
});

test('vendor fields of stream chunks pass through untouched', async (t) => {
  const deltas = [
    { role: 'assistant', content: '', reasoning_content: 'hm' },
    {
      tool_calls: [
        { index: 0, id: 'c1', type: 'function', function: { name: 'f', arguments: '' } },
      ],
    },
    { tool_calls: [{ index: 0, function: { arguments: '{"a": "\u2028 \\" 1"}' } }] },
  ];
  const chunkOf = (delta: object): object => ({
    id: 'x',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'scripted',
    token_ids: [1, 2],
    choices: [{ index: 0, delta, logprobs: null, finish_reason: null, stop_reason: 7 }],
  });
  const { client } = await startClientWorld(t, async (visit) => {
    visit.start();
    for (const delta of deltas) await visit.chunk(`data: ${JSON.stringify(chunkOf(delta))}\n\n`);
    await visit.chunk('data: [DONE]\n\n');
    visit.end();
  });
  const chunks = await collect(
    await client.chat.completions.create({ ...SCRIPTED_CHAT, stream: true }),
  );
  assert.deepEqual(chunks, deltas.map(chunkOf));
});

test('completions: JSON and stream', async (t) => {
  const { client, gateway } = await startEngineWorld(t);
  const request = { model: 'llama', prompt: 'Once upon a time', max_tokens: 9, seed: 3 };
  const whole = await client.completions.create(request);
  assert.equal(whole.usage!.completion_tokens, 9);
  const chunks = await collect(await client.completions.create({ ...request, stream: true }));
  assert.equal(chunks.map((chunk) => chunk.choices[0]!.text).join(''), whole.choices[0]!.text);
  assert.equal((await tokensOf(gateway)).completion, 18);
});

test('embeddings: floats and base64', async (t) => {
  const { client, gateway } = await startEngineWorld(t);
  const request = { model: 'llama', input: ['one', 'two'] };
  const floats = await client.embeddings.create({ ...request, encoding_format: 'float' });
  const packed = await client.embeddings.create(request);
  assert.equal(floats.data.length, 2);
  assert.equal(packed.data[1]!.embedding.length, floats.data[1]!.embedding.length);
  const tokens = await tokensOf(gateway);
  assert.equal(tokens.prompt, floats.usage.prompt_tokens + packed.usage.prompt_tokens);
});

test('responses: JSON and stream', async (t) => {
  const { client, gateway } = await startEngineWorld(t);
  const request = { model: 'llama', input: 'Say something.', max_output_tokens: 10 };
  const whole = await client.responses.create(request);
  assert.equal(whole.model, 'llama');
  assert.ok(whole.output_text.length > 0);
  const events = await collect(await client.responses.create({ ...request, stream: true }));
  const types = events.map(({ type }) => type);
  assert.equal(types[0], 'response.created');
  assert.match(types.at(-1)!, /^response\.(completed|incomplete)$/);
  const text = events.map((event) =>
    event.type === 'response.output_text.delta' ? event.delta : '',
  );
  assert.equal(text.join(''), whole.output_text);
  assert.equal((await tokensOf(gateway)).completion, 20);
});

test('models: the list has adapters and configured names, each can be retrieved', async (t) => {
  const names = `name: chat, aliases: [gpt-4o, 'org/ll:a?ma']`;
  const models = `models: [{ ${names}, targets: [{ model: llama }] }]\n`;
  const { client } = await startEngineWorld(t, models);
  const listed = await collect(client.models.list());
  assert.deepEqual(listed.map(({ id }) => id).sort(), [
    'chat',
    'gpt-4o',
    'llama',
    'org/ll:a?ma',
    'sql',
  ]);
  const alias = await client.models.retrieve('gpt-4o');
  assert.equal(alias.id, 'gpt-4o');
  assert.equal(alias.object, 'model');
  assert.equal((await client.models.retrieve('org/ll:a?ma')).id, 'org/ll:a?ma');
  const error = await errorOf(client.models.retrieve('lama'));
  assert.ok(error instanceof OpenAI.NotFoundError);
  assert.match(error.message, /"llama"/);
});

test('transcription: a file as a form, model after the file, JSON and stream', async (t) => {
  const { client, server } = await startClientWorld(t, async (visit) => {
    const body = (await visit.body()).toString('latin1');
    if (!body.includes('name="stream"')) {
      visit.reply(200, JSON.stringify({ text: `${body.length} bytes` }));
      return;
    }
    visit.start();
    await visit.chunk('data: {"type":"transcript.text.delta","delta":"a"}\n\n');
    await visit.chunk('data: {"type":"transcript.text.done","text":"a"}\n\ndata: [DONE]\n\n');
    visit.end();
  });
  const audio = Buffer.alloc(300_000, 'wave--BB\r\n--');
  const request = { file: await toFile(audio, 'a.wav'), model: 'scripted' };
  const whole = await client.audio.transcriptions.create(request);
  const sent = server.visits[0]!.content;
  assert.equal(whole.text, `${sent.length} bytes`);
  assert.ok(sent.includes(audio));
  assert.match(server.visits[0]!.head.value('content-type')!, /^multipart\/form-data; boundary=/);
  const events = await collect(
    await client.audio.transcriptions.create({ ...request, stream: true }),
  );
  assert.deepEqual(
    events.map(({ type }) => type),
    ['transcript.text.delta', 'transcript.text.done'],
  );
});

test('transcription: the simulated engine hears the file', async (t) => {
  const { client } = await startEngineWorld(t);
  const file = await toFile(Buffer.alloc(6400, 1), 'a.wav');
  const answer = await client.audio.transcriptions.create({ file, model: 'llama' });
  assert.ok(answer.text.length > 0);
  const error = await errorOf(client.audio.transcriptions.create({ file, model: 'whisper' }));
  assert.ok(error instanceof OpenAI.NotFoundError);
});

test('a stream that the client aborts is cancelled at the endpoint at once', async (t) => {
  const { client, server, gateway } = await startClientWorld(t, async (visit) => {
    visit.start();
    await visit.chunk(chatFrame('x'));
  });
  await checkAborts(gateway, async (index) => {
    const stream = await client.chat.completions.create({ ...SCRIPTED_CHAT, stream: true });
    await stream[Symbol.asyncIterator]().next();
    const visit = await server.visit(index);
    return {
      visit,
      abort: () => {
        stream.controller.abort();
      },
    };
  });
});

test('a request that the client aborts before any answer is cancelled at the endpoint', async (t) => {
  const { client, server } = await startClientWorld(t, () => undefined);
  const controller = new AbortController();
  const answer = client.chat.completions.create(SCRIPTED_CHAT, { signal: controller.signal });
  const visit = await server.visit(0);
  controller.abort();
  assert.ok((await errorOf(answer)) instanceof OpenAI.APIUserAbortError);
  await visit.gone();
});

test('an endpoint 503 with Retry-After is passed on, and the client tries again', async (t) => {
  const { gateway, server } = await startClientWorld(t, (visit) => {
    if (server.visits.length < 3) {
      visit.reply(503, '{"error":{"message":"full"}}', [
        'retry-after: 0.05',
        'content-type: application/json',
      ]);
    } else {
      visit.reply(200, chatAnswer());
    }
  });
  const data = await clientFor(gateway, 2).chat.completions.create(SCRIPTED_CHAT);
  assert.equal(data.choices[0]!.message.content, 'Hello.');
  assert.equal(server.visits.length, 3);
  const counts = server.visits.map((visit) => visit.head.value('x-stainless-retry-count'));
  assert.deepEqual(counts, ['0', '1', '2']);
});

test('the gateway 503 of a drained model makes the client try again after Retry-After', async (t) => {
  const { gateway } = await startClientWorld(t, (visit) => {
    visit.reply(200, chatAnswer());
  });
  const [endpoint] = (await gateway.state()).endpoints;
  const drain = `${gateway.adminUrl}/api/endpoints/${encodeURIComponent(endpoint!.id)}/drain`;
  await fetch(drain, { method: 'POST' });
  const refused = await errorOf(clientFor(gateway).chat.completions.create(SCRIPTED_CHAT));
  assert.equal(refused.status, 503);
  assert.equal(refused.code, 'no_endpoint');
  assert.match(refused.headers!.get('retry-after')!, /^[1-9]\d*$/);
  const retried = clientFor(gateway, 3)
    .withOptions({ fetch: fetchWithShortRetries })
    .chat.completions.create(SCRIPTED_CHAT);
  await waitUntil('the second refusal', async () => {
    return (await gateway.metric('penstock_errors_total')).get('{code="no_endpoint"}') === 2;
  });
  await fetch(drain, { method: 'DELETE' });
  assert.equal((await retried).choices[0]!.message.content, 'Hello.');
});

/** Says milliseconds where the gateway says seconds, so that the test does not take them. */
async function fetchWithShortRetries(
  url: string | URL | Request,
  init?: RequestInit,
): Promise<Response> {
  const { status, headers, body } = await fetch(url, init);
  const shorter = new Headers(headers);
  if (headers.has('retry-after')) shorter.set('retry-after-ms', '50');
  return new Response(body, { status, headers: shorter });
}

test('an endpoint that fails before its answer is replaced by another: the client does not notice', async (t) => {
  const bad = await startScriptedServer(t, {
    handle: (visit) => {
      visit.reset();
    },
  });
  const good = await startScriptedServer(t, {
    handle: (visit) => {
      visit.reply(200, chatAnswer());
    },
  });
  const gateway = await startGateway(t, `servers: ['${bad.url}', '${good.url}']\n`);
  const client = clientFor(gateway);
  for (let i = 0; i < 10; i += 1) await client.chat.completions.create(SCRIPTED_CHAT);
  assert.ok(bad.visits.length > 0);
  assert.equal(good.visits.length, 10);
});

type ErrorClass = new (...args: never[]) => Error;

const PASSED_ON: readonly (readonly [status: number, errorClass: ErrorClass])[] = [
  [400, OpenAI.BadRequestError],
  [401, OpenAI.AuthenticationError],
  [403, OpenAI.PermissionDeniedError],
  [404, OpenAI.NotFoundError],
  [409, OpenAI.ConflictError],
  [422, OpenAI.UnprocessableEntityError],
  [429, OpenAI.RateLimitError],
  [500, OpenAI.InternalServerError],
  [503, OpenAI.InternalServerError],
];

test('errors of the endpoint are passed on as they are, and raise the class of their status', async (t) => {
  let status = 200;
  const body = {
    error: { message: 'No.', type: 'BadThing', param: 'x', code: 'its_own' },
    extra: 1,
  };
  const { client } = await startClientWorld(t, (visit) => {
    const lines = ['content-type: application/json', 'x-ratelimit-remaining-requests: 0'];
    visit.reply(status, JSON.stringify(body), lines);
  });
  for (const [passed, errorClass] of PASSED_ON) {
    status = passed;
    const error = await errorOf(client.chat.completions.create(SCRIPTED_CHAT));
    assert.ok(error instanceof errorClass, `${passed} raised ${error.constructor.name}`);
    assert.equal(error.status, passed);
    assert.deepEqual(error.error, body.error);
    assert.equal(error.headers!.get('x-ratelimit-remaining-requests'), '0');
    const streamed = client.chat.completions.create({ ...SCRIPTED_CHAT, stream: true });
    assert.ok((await errorOf(streamed)) instanceof errorClass);
  }
});

test('errors of the gateway raise the classes that OpenAI would raise', async (t) => {
  const limits = 'limits: { bodyBytes: 4096, bodyMs: 300 }\n';
  const { client, server, gateway } = await startClientWorld(t, () => undefined, limits);
  const post = (body: string, headers: Record<string, string> = {}): PromiseLike<unknown> =>
    client.post('/chat/completions', {
      body,
      headers: { 'content-type': 'application/json', ...headers },
    });

  const malformed = await errorOf(post('{"model": "scripted", '));
  assert.ok(malformed instanceof OpenAI.BadRequestError);
  assert.equal(malformed.code, 'invalid_json');
  assert.equal(malformed.type, 'invalid_request_error');

  const noModel = await errorOf(client.chat.completions.create({ messages: [] } as never));
  assert.ok(noModel instanceof OpenAI.BadRequestError);
  assert.equal(noModel.code, 'model_missing');
  assert.equal(noModel.param, 'model');

  const unknown = await errorOf(
    client.chat.completions.create({ ...SCRIPTED_CHAT, model: 'scriptet' }),
  );
  assert.ok(unknown instanceof OpenAI.NotFoundError);
  assert.equal(unknown.code, 'model_not_found');
  assert.equal(unknown.param, 'model');
  assert.match(unknown.message, /Did you mean "scripted"\?/);
  assert.equal(unknown.requestID, unknown.headers.get('x-request-id'));

  const long = await errorOf(
    client.chat.completions.create({
      model: 'scripted',
      messages: [{ role: 'user', content: 'x'.repeat(5000) }],
    }),
  );
  assert.equal(long.status, 413);
  assert.equal(long.code, 'body_too_large');

  const noRoute = await errorOf(client.get('/fine_tuning/jobs'));
  assert.ok(noRoute instanceof OpenAI.NotFoundError);
  assert.equal(noRoute.code, 'route_not_found');

  const timedOut = await errorOf(post('{"model":"scripted"}', { 'x-penstock-timeout-ms': '100' }));
  assert.ok(timedOut instanceof OpenAI.InternalServerError);
  assert.equal(timedOut.status, 504);
  assert.equal(timedOut.code, 'upstream_timeout');

  const slow = await errorOf(slowPost(gateway));
  assert.equal(slow.status, 408);
  assert.equal(slow.code, 'request_timeout');
  assert.equal(server.visits.length, 1);
});

/** A request whose body never ends. */
function slowPost(gateway: TestGateway): PromiseLike<unknown> {
  const body = new ReadableStream({
    start: (controller) => {
      controller.enqueue(Buffer.from('{"model":'));
    },
  });
  return clientFor(gateway).post('/chat/completions', {
    body,
    headers: { 'content-type': 'application/json' },
    fetchOptions: { duplex: 'half' } as never,
  });
}

test('an endpoint that resets every connection is 502, which the client may try again', async (t) => {
  const { client, server } = await startClientWorld(t, (visit) => {
    visit.reset();
  });
  const error = await errorOf(client.chat.completions.create(SCRIPTED_CHAT));
  assert.ok(error instanceof OpenAI.InternalServerError);
  assert.equal(error.status, 502);
  assert.equal(error.code, 'upstream_reset');
  assert.equal(server.visits.length, 1);
});

type Cut = readonly [name: string, how: VisitHandler];

const CUTS: readonly Cut[] = [
  [
    'reset between frames',
    async (visit) => {
      await visit.chunk(chatFrame('one'));
      visit.reset();
    },
  ],
  [
    'closed between frames',
    async (visit) => {
      await visit.chunk(chatFrame('one'));
      visit.cut();
    },
  ],
  [
    'closed inside a frame',
    async (visit) => {
      await visit.chunk(chatFrame('one'));
      await visit.chunk(chatFrame('two').slice(0, -20));
      visit.cut();
    },
  ],
  [
    'closed inside a chunk',
    async (visit) => {
      await visit.chunk(chatFrame('one'));
      await visit.send('ff\r\ndata: {"id":"chatcmpl-1","choi');
      visit.cut();
    },
  ],
  [
    'a chunk size that is no number',
    async (visit) => {
      await visit.chunk(chatFrame('one'));
      await visit.send('what?\r\n');
    },
  ],
];

for (const [name, cut] of CUTS) {
  for (const includeUsage of [false, true]) {
    test(`a stream that breaks makes the iterator throw (${name}, usage ${includeUsage ? 'asked' : 'not asked'})`, async (t) => {
      const { client, gateway } = await startClientWorld(t, async (visit) => {
        visit.start();
        await cut(visit);
      });
      const stream = await client.chat.completions.create({
        ...SCRIPTED_CHAT,
        stream: true,
        ...(includeUsage ? { stream_options: { include_usage: true } } : {}),
      });
      const texts: string[] = [];
      await assert.rejects(async () => {
        for await (const chunk of stream) texts.push(chunk.choices[0]!.delta.content!);
      });
      assert.equal(texts[0], 'one');
      const decisions = await gateway.decisions();
      assert.equal(decisions[0]!.outcome, 'interrupted');
    });
  }
}

test('a broken stream says what happened: code and message of the gateway', async (t) => {
  const { client } = await startClientWorld(t, async (visit) => {
    visit.start();
    await visit.chunk(chatFrame('one'));
    visit.reset();
  });
  const stream = await client.chat.completions.create({ ...SCRIPTED_CHAT, stream: true });
  const error = await errorOf(collect(stream));
  assert.equal(error.code, 'upstream_interrupted');
  assert.match(error.message, /in the middle of its answer/);
});

test('a responses stream that breaks makes the iterator throw', async (t) => {
  const { client } = await startClientWorld(t, async (visit) => {
    visit.start();
    const data = JSON.stringify({ type: 'response.created', response: { model: 'scripted' } });
    await visit.chunk(`event: response.created\ndata: ${data}\n\n`);
    visit.reset();
  });
  const stream = await client.responses.create({ model: 'scripted', input: 'x', stream: true });
  const error = await errorOf(collect(stream));
  assert.equal(error.code, 'upstream_interrupted');
});

test('a transcription stream that breaks makes the iterator throw', async (t) => {
  const { client } = await startClientWorld(t, async (visit) => {
    visit.start();
    await visit.chunk('data: {"type":"transcript.text.delta","delta":"a"}\n\n');
    visit.reset();
  });
  const file = await toFile(Buffer.alloc(100), 'a.wav');
  const stream = await client.audio.transcriptions.create({
    file,
    model: 'scripted',
    stream: true,
  });
  assert.equal((await errorOf(collect(stream))).code, 'upstream_interrupted');
});

test('a JSON answer that breaks is an error, never half an answer', async (t) => {
  const { client } = await startClientWorld(t, (visit) => {
    void visit.send(
      'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n{"id"',
    );
    setTimeout(() => {
      visit.reset();
    }, 20);
  });
  await assert.rejects(async () => client.chat.completions.create(SCRIPTED_CHAT));
});
