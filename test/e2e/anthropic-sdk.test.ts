import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { startEngine } from './support/engines.ts';
import type { TestGateway } from './support/gateway.ts';
import { startGateway } from './support/gateway.ts';
import type { VisitHandler } from './support/scripted-server.ts';
import type { ScriptedWorld } from './support/scripted-world.ts';
import { startScriptedWorld } from './support/scripted-world.ts';
import { checkAborts, collect, rejectionOf, tokensOf } from './support/sdk.ts';

interface EngineWorld {
  readonly gateway: TestGateway;
  readonly client: Anthropic;
}

/** The official client, a gateway and a simulated vLLM with `llama`, known as `claude` too. */
async function startEngineWorld(t: TestContext): Promise<EngineWorld> {
  const engine = await startEngine(t, { models: ['llama'], speed: 30 });
  const models = 'models: [{ name: claude, targets: [{ model: llama }] }]\n';
  const gateway = await startGateway(t, `servers: ['${engine.url}']\n${models}`);
  return { gateway, client: clientFor(gateway) };
}

interface ClientWorld extends ScriptedWorld {
  readonly client: Anthropic;
}

async function startClientWorld(
  t: TestContext,
  handle: VisitHandler,
  more = '',
): Promise<ClientWorld> {
  const world = await startScriptedWorld(t, handle, more);
  return { ...world, client: clientFor(world.gateway) };
}

function clientFor(gateway: TestGateway, maxRetries = 0): Anthropic {
  return new Anthropic({ baseURL: gateway.url, apiKey: 'key', maxRetries, logLevel: 'off' });
}

const REQUEST = {
  model: 'llama',
  max_tokens: 12,
  system: 'You are terse.',
  messages: [{ role: 'user' as const, content: 'Name the parts of a watermill.' }],
};
const SCRIPTED = { ...REQUEST, model: 'scripted' };

/** The API error that `promise` rejects with; fails when it does not. */
const errorOf = (promise: PromiseLike<unknown>): Promise<InstanceType<typeof Anthropic.APIError>> =>
  rejectionOf(Anthropic.APIError, promise);

function frame(type: string, fields: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
}

const MESSAGE = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'scripted',
  content: [{ type: 'text', text: 'Wheel.' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: {
    input_tokens: 4,
    cache_creation_input_tokens: 1,
    cache_read_input_tokens: 2,
    output_tokens: 3,
  },
};

const START = frame('message_start', {
  message: {
    ...MESSAGE,
    content: [],
    stop_reason: null,
    usage: { ...MESSAGE.usage, output_tokens: 0 },
  },
});
const DELTA = frame('content_block_delta', {
  index: 0,
  delta: { type: 'text_delta', text: 'Wheel.' },
});
const BLOCK_START = frame('content_block_start', {
  index: 0,
  content_block: { type: 'text', text: '' },
});

test('messages: JSON, with usage that counts cached input as input', async (t) => {
  const { client, gateway } = await startClientWorld(t, async (visit) => {
    await visit.body();
    visit.reply(200, JSON.stringify(MESSAGE), [
      'content-type: application/json',
      'request-id: engine-1',
    ]);
  });
  const answer = await client.messages.create(SCRIPTED).withResponse();
  assert.deepEqual(answer.data.content, MESSAGE.content);
  assert.equal(answer.data.usage.input_tokens, 4);
  assert.match(answer.response.headers.get('x-request-id')!, /^req-/);
  assert.deepEqual(await tokensOf(gateway), { prompt: 7, completion: 3 });
});

test('messages: a stream has the text of the JSON answer, and its tokens are counted', async (t) => {
  const { client, gateway } = await startEngineWorld(t);
  const whole = await client.messages.create(REQUEST);
  const [block] = whole.content;
  assert.ok(block?.type === 'text');
  const stream = client.messages.stream(REQUEST);
  const events = await collect(stream);
  assert.equal(events.at(0)!.type, 'message_start');
  assert.equal(events.at(-1)!.type, 'message_stop');
  const final = await stream.finalMessage();
  assert.deepEqual(final.content, whole.content);
  assert.equal(final.usage.output_tokens, 12);
  assert.equal((await tokensOf(gateway)).completion, 24);
});

test('messages: a configured name is what the client sees in JSON and in the stream', async (t) => {
  const { client } = await startEngineWorld(t);
  const request = { ...REQUEST, model: 'claude' };
  assert.equal((await client.messages.create(request)).model, 'claude');
  assert.equal((await client.messages.stream(request).finalMessage()).model, 'claude');
});

test('messages: a tool call comes through in JSON and in a stream', async (t) => {
  const { client } = await startEngineWorld(t);
  const request = {
    ...REQUEST,
    max_tokens: 200,
    tool_choice: { type: 'any' as const },
    tools: [
      {
        name: 'weather',
        input_schema: {
          type: 'object' as const,
          properties: { place: { type: 'string' } },
          required: ['place'],
        },
      },
    ],
  };
  const whole = await client.messages.create(request);
  const [call] = whole.content;
  assert.ok(call?.type === 'tool_use');
  assert.deepEqual(call.input, { place: 'example place' });
  assert.equal(whole.stop_reason, 'tool_use');
  const final = await client.messages.stream(request).finalMessage();
  const [streamed] = final.content;
  assert.ok(streamed?.type === 'tool_use');
  assert.deepEqual(streamed.input, call.input);
});

test('messages: fields and content blocks that the gateway does not know pass untouched', async (t) => {
  const answer = {
    ...MESSAGE,
    content: [
      { type: 'thinking', thinking: 'ä "x"', signature: 's' },
      { type: 'new_block', x: [1] },
    ],
    container: { id: 'c' },
  };
  const { client, server } = await startClientWorld(t, async (visit) => {
    await visit.body();
    visit.reply(200, JSON.stringify(answer));
  });
  const request = {
    ...SCRIPTED,
    thinking: { type: 'enabled', budget_tokens: 1 },
    unknown: { a: '\u00e4' },
  };
  const data = (await client.messages.create(request as never)) as unknown as typeof answer;
  assert.deepEqual(data.content, answer.content);
  assert.deepEqual(data.container, answer.container);
  const [visit] = server.visits;
  assert.deepEqual(JSON.parse(visit!.content.toString()), request);
  assert.equal(visit!.head.value('authorization'), 'Bearer key');
  assert.match(visit!.head.value('anthropic-version')!, /^\d{4}-/);
});

test('count_tokens counts what messages then use', async (t) => {
  const { client } = await startEngineWorld(t);
  const { max_tokens: _, ...prompt } = REQUEST;
  const counted = await client.messages.countTokens(prompt);
  const { usage } = await client.messages.create(REQUEST);
  assert.equal(counted.input_tokens, usage.input_tokens + (usage.cache_read_input_tokens ?? 0));
});

test('models: the list and each model have the shape of Anthropic', async (t) => {
  const { client } = await startEngineWorld(t);
  const page = await client.models.list();
  assert.deepEqual(
    page.data.map(({ id, type }) => [id, type]),
    [
      ['claude', 'model'],
      ['llama', 'model'],
    ],
  );
  assert.equal(page.has_more, false);
  assert.ok(!Number.isNaN(Date.parse(page.data[0]!.created_at)));
  assert.deepEqual((await collect(client.models.list())).length, 2);
  const model = await client.models.retrieve('claude');
  assert.equal(model.display_name, 'claude');
  const error = await errorOf(client.models.retrieve('claud'));
  assert.ok(error instanceof Anthropic.NotFoundError);
  assert.equal(error.type, 'not_found_error');
  assert.match(error.message, /claude/);
});

test('errors of the gateway have the shape of Anthropic and raise its classes', async (t) => {
  const limits = 'limits: { bodyBytes: 4096 }\n';
  const { client, server } = await startClientWorld(t, () => undefined, limits);
  const post = (path: string, body: string): PromiseLike<unknown> =>
    client.post(path, { body: Buffer.from(body), headers: { 'content-type': 'application/json' } });

  const malformed = await errorOf(post('/v1/messages', '{"model":"scripted",'));
  assert.ok(malformed instanceof Anthropic.BadRequestError);
  assert.equal(malformed.type, 'invalid_request_error');
  assert.equal(malformed.requestID, malformed.headers.get('x-request-id'));
  const body = malformed.error as { type: string; request_id: string; error: { message: string } };
  assert.equal(body.type, 'error');
  assert.equal(body.request_id, malformed.requestID);
  assert.match(body.error.message, /ends early/);

  const noModel = await errorOf(post('/v1/messages/count_tokens', '{"messages":[]}'));
  assert.ok(noModel instanceof Anthropic.BadRequestError);

  const unknown = await errorOf(client.messages.create({ ...SCRIPTED, model: 'scriptet' }));
  assert.ok(unknown instanceof Anthropic.NotFoundError);
  assert.equal(unknown.type, 'not_found_error');
  assert.match(unknown.message, /Did you mean \\?"scripted\\?"\?/);

  const long = await errorOf(client.messages.create({ ...SCRIPTED, system: 'x'.repeat(5000) }));
  assert.equal(long.status, 413);
  assert.equal(long.type, 'request_too_large');

  const noRoute = await errorOf(client.get('/v2/none'));
  assert.ok(noRoute instanceof Anthropic.NotFoundError);

  const timedOut = await errorOf(
    client.messages.create(SCRIPTED, { headers: { 'x-penstock-timeout-ms': '100' } }),
  );
  assert.equal(timedOut.status, 504);
  assert.ok(timedOut instanceof Anthropic.InternalServerError);
  assert.equal(timedOut.type, 'timeout_error');
  assert.equal(server.visits.length, 1);
});

test('a model whose endpoints are drained is overloaded_error with Retry-After', async (t) => {
  const { client, gateway } = await startClientWorld(t, () => undefined);
  const [endpoint] = (await gateway.state()).endpoints;
  const drain = `${gateway.adminUrl}/api/endpoints/${encodeURIComponent(endpoint!.id)}/drain`;
  await fetch(drain, { method: 'POST' });
  const error = await errorOf(client.messages.create(SCRIPTED));
  assert.equal(error.status, 503);
  assert.equal(error.type, 'overloaded_error');
  assert.match(error.headers!.get('retry-after')!, /^[1-9]\d*$/);
});

const PASSED_ON = [
  [400, Anthropic.BadRequestError],
  [401, Anthropic.AuthenticationError],
  [403, Anthropic.PermissionDeniedError],
  [404, Anthropic.NotFoundError],
  [409, Anthropic.ConflictError],
  [422, Anthropic.UnprocessableEntityError],
  [429, Anthropic.RateLimitError],
  [500, Anthropic.InternalServerError],
  [529, Anthropic.InternalServerError],
] as const;

test('errors of the endpoint are passed on as they are, and raise the class of their status', async (t) => {
  let status = 200;
  const body = {
    type: 'error',
    error: { type: 'its_own', message: 'No.' },
    request_id: 'engine-1',
  };
  const { client } = await startClientWorld(t, (visit) => {
    visit.reply(status, JSON.stringify(body));
  });
  for (const [passed, errorClass] of PASSED_ON) {
    status = passed;
    const error = await errorOf(client.messages.create(SCRIPTED));
    assert.ok(error instanceof errorClass, `${passed} raised ${error.constructor.name}`);
    assert.equal(error.status, passed);
    assert.deepEqual(error.error, body);
  }
});

test('an endpoint that is overloaded is asked again by the client', async (t) => {
  const { gateway, server } = await startClientWorld(t, (visit) => {
    if (server.visits.length < 3) visit.reply(529, '{}', ['retry-after: 0.02']);
    else visit.reply(200, JSON.stringify(MESSAGE));
  });
  const data = await clientFor(gateway, 2).messages.create(SCRIPTED);
  assert.deepEqual(data.content, MESSAGE.content);
  assert.equal(server.visits.length, 3);
});

const CUTS: readonly (readonly [name: string, how: VisitHandler])[] = [
  [
    'reset between frames',
    async (visit) => {
      await visit.chunk(START + BLOCK_START + DELTA);
      visit.reset();
    },
  ],
  [
    'closed inside a frame',
    async (visit) => {
      await visit.chunk(START + BLOCK_START + DELTA);
      await visit.chunk(DELTA.slice(0, -15));
      visit.cut();
    },
  ],
  [
    'closed inside a chunk',
    async (visit) => {
      await visit.chunk(START + BLOCK_START + DELTA);
      await visit.send('ff\r\nevent: content_block_delta\r\nda');
      visit.cut();
    },
  ],
];

for (const [name, cut] of CUTS) {
  test(`a stream that breaks makes the iterator throw (${name})`, async (t) => {
    const { client, gateway } = await startClientWorld(t, async (visit) => {
      visit.start();
      await cut(visit);
    });
    const stream = await client.messages.create({ ...SCRIPTED, stream: true });
    const types: string[] = [];
    await assert.rejects(async () => {
      for await (const event of stream) types.push(event.type);
    });
    assert.deepEqual(types.slice(0, 3), [
      'message_start',
      'content_block_start',
      'content_block_delta',
    ]);
    assert.ok(!types.includes('message_stop'));
    const decisions = await gateway.decisions();
    assert.equal(decisions[0]!.outcome, 'interrupted');
  });
}

test('a broken stream says what happened in an error event, and the helper rejects', async (t) => {
  const { client } = await startClientWorld(t, async (visit) => {
    visit.start();
    await visit.chunk(START + BLOCK_START + DELTA);
    visit.reset();
  });
  const error = await errorOf(client.messages.stream(SCRIPTED).finalMessage());
  assert.equal(error.type, 'api_error');
  assert.match(error.message, /in the middle of its answer/);
});

test('an error event of the endpoint itself ends the stream as it is', async (t) => {
  const event = frame('error', { error: { type: 'overloaded_error', message: 'Full.' } });
  const { client } = await startClientWorld(t, async (visit) => {
    visit.start();
    await visit.chunk(START);
    await visit.chunk(event);
    visit.end();
  });
  const error = await errorOf(client.messages.stream(SCRIPTED).finalMessage());
  assert.equal(error.type, 'overloaded_error');
  assert.equal(
    error.message,
    '{"type":"error","error":{"type":"overloaded_error","message":"Full."}}',
  );
});

test('a stream that the client aborts is cancelled at the endpoint at once', async (t) => {
  const { client, server, gateway } = await startClientWorld(t, async (visit) => {
    visit.start();
    await visit.chunk(START + BLOCK_START + DELTA);
  });
  await checkAborts(gateway, async (index) => {
    const stream = await client.messages.create({ ...SCRIPTED, stream: true });
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
