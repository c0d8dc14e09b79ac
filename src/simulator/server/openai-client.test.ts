import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import OpenAI, { toFile } from 'openai';
import type { EngineServer } from './server.ts';
import { eventually, startEngine } from './testing/engine-fixture.ts';

async function connect(
  context: TestContext,
  options: Parameters<typeof startEngine>[1] = {},
): Promise<{ client: OpenAI; server: EngineServer }> {
  const server = await startEngine(context, options);
  const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none', maxRetries: 0 });
  return { client, server };
}

const HELLO = [{ role: 'user' as const, content: 'Hello there, who are you?' }];

const WEATHER_TOOL = {
  type: 'function' as const,
  function: {
    name: 'get_weather',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string' }, days: { type: 'integer' } },
      required: ['city', 'days'],
    },
  },
};

describe('chat completions', () => {
  it('answers equal requests with equal text and counts tokens', async (t) => {
    const { client } = await connect(t);
    const request = { model: 'base-model', messages: HELLO, max_tokens: 12 };
    const first = await client.chat.completions.create(request);
    const second = await client.chat.completions.create(request);
    assert.equal(first.choices[0]?.finish_reason, 'length');
    assert.equal(first.usage?.completion_tokens, 12);
    assert.equal(second.choices[0]?.message.content, first.choices[0]?.message.content);
    assert.notEqual(second.id, first.id);
    const seeded = await client.chat.completions.create({ ...request, seed: 5 });
    assert.notEqual(seeded.choices[0]?.message.content, first.choices[0]?.message.content);
  });

  it('streams the same text as the JSON answer, with usage at the end when asked', async (t) => {
    const { client } = await connect(t);
    const request = { model: 'base-model', messages: HELLO };
    const whole = await client.chat.completions.create(request);
    const stream = await client.chat.completions.create({
      ...request,
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = '';
    let usages = 0;
    let completionTokens = 0;
    const reasons: string[] = [];
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      const reason = chunk.choices[0]?.finish_reason;
      if (reason) reasons.push(reason);
      if (!chunk.usage) continue;
      usages += 1;
      completionTokens = chunk.usage.completion_tokens;
      assert.equal(chunk.choices.length, 0);
    }
    assert.equal(text, whole.choices[0]?.message.content);
    assert.deepEqual(reasons, ['stop']);
    assert.equal(usages, 1);
    assert.equal(completionTokens, whole.usage?.completion_tokens);
  });

  it('reports cached tokens in the second turn of a chat, the answer included', async (t) => {
    const { client } = await connect(t);
    const long = 'Tell me about the river. '.repeat(20);
    const first = await client.chat.completions.create({
      model: 'base-model',
      messages: [{ role: 'user', content: long }],
      max_tokens: 64,
    });
    const answer = first.choices[0]?.message.content ?? '';
    const second = await client.chat.completions.create({
      model: 'base-model',
      messages: [
        { role: 'user', content: long },
        { role: 'assistant', content: answer },
        { role: 'user', content: 'Go on.' },
      ],
      max_tokens: 4,
    });
    assert.equal(first.usage?.prompt_tokens_details?.cached_tokens, 0);
    const known = (first.usage?.total_tokens ?? 0) - 1;
    const cached = second.usage?.prompt_tokens_details?.cached_tokens;
    assert.equal(cached, Math.floor(known / 16) * 16);
  });

  it('calls the forced tool with arguments of the schema, in JSON and in pieces', async (t) => {
    const { client } = await connect(t);
    const request = {
      model: 'base-model',
      messages: HELLO,
      tools: [WEATHER_TOOL],
      tool_choice: 'required' as const,
    };
    const whole = await client.chat.completions.create(request);
    const call = whole.choices[0]?.message.tool_calls?.[0];
    assert.ok(call?.type === 'function');
    assert.equal(call.function.name, 'get_weather');
    assert.deepEqual(JSON.parse(call.function.arguments), { city: 'example city', days: 1 });
    assert.equal(whole.choices[0]?.finish_reason, 'tool_calls');

    const stream = client.chat.completions.stream(request);
    let pieces = 0;
    stream.on('chunk', (chunk) => {
      if (chunk.choices[0]?.delta.tool_calls?.[0]?.function?.arguments) pieces += 1;
    });
    const final = await stream.finalChatCompletion();
    const streamed = final.choices[0]?.message.tool_calls?.[0];
    assert.ok(streamed?.type === 'function');
    assert.equal(streamed.function.arguments, call.function.arguments);
    assert.ok(pieces > 1);
  });

  it('answers in text after a tool result and when tools are forbidden', async (t) => {
    const { client } = await connect(t);
    const request = { model: 'base-model', messages: HELLO, tools: [WEATHER_TOOL] };
    const forbidden = await client.chat.completions.create({ ...request, tool_choice: 'none' });
    assert.equal(forbidden.choices[0]?.message.tool_calls, undefined);
    const after = await client.chat.completions.create({
      ...request,
      messages: [
        ...HELLO,
        {
          role: 'assistant',
          content: null,
          tool_calls: [
            { id: 'c', type: 'function', function: { name: 'get_weather', arguments: '{}' } },
          ],
        },
        { role: 'tool', tool_call_id: 'c', content: 'sunny' },
      ],
    });
    assert.equal(after.choices[0]?.finish_reason, 'stop');
    assert.ok((after.choices[0]?.message.content ?? '').length > 0);
  });

  it('gives n different choices and counts their prompt once', async (t) => {
    const { client } = await connect(t);
    const one = await client.chat.completions.create({
      model: 'base-model',
      messages: HELLO,
      max_tokens: 8,
    });
    const three = await client.chat.completions.create({
      model: 'base-model',
      messages: HELLO,
      max_tokens: 8,
      n: 3,
    });
    assert.equal(new Set(three.choices.map((choice) => choice.message.content)).size, 3);
    assert.equal(three.usage?.prompt_tokens, one.usage?.prompt_tokens);
    assert.equal(three.usage?.completion_tokens, 24);
  });

  it('stops before a stop string', async (t) => {
    const { client } = await connect(t);
    const request = { model: 'base-model', messages: HELLO };
    const whole = (await client.chat.completions.create(request)).choices[0]?.message.content ?? '';
    const word = whole.split(' ')[5] ?? '';
    const cut = await client.chat.completions.create({ ...request, stop: [` ${word}`] });
    const text = cut.choices[0]?.message.content ?? '';
    assert.equal(text, whole.slice(0, whole.indexOf(` ${word}`)));
    assert.equal(cut.choices[0]?.finish_reason, 'stop');
  });

  it('drops the generation when the client goes away', async (t) => {
    const { client, server } = await connect(t, { speed: 1 });
    const request = {
      model: 'base-model',
      messages: HELLO,
      max_tokens: 5000,
      stream: true as const,
      ignore_eos: true,
    };
    const stream = await client.chat.completions.create(request);
    let chunks = 0;
    for await (const chunk of stream) {
      assert.ok(chunk.id.startsWith('chatcmpl-'));
      chunks += 1;
      if (chunks === 3) break;
    }
    await eventually(() => server.model.running === 0, 'nothing runs');
    assert.equal(server.model.counters.ended.cancelled, 1);
    assert.ok(server.model.counters.generationTokens < 100);
  });
});

describe('other APIs', () => {
  it('completes several prompts, text or token ids', async (t) => {
    const { client } = await connect(t);
    const answer = await client.completions.create({
      model: 'base-model',
      prompt: ['One river', 'Another river'],
      max_tokens: 5,
    });
    assert.equal(answer.choices.length, 2);
    assert.equal(answer.usage?.completion_tokens, 10);
    const stream = await client.completions.create({
      model: 'base-model',
      prompt: [1, 2, 3],
      max_tokens: 5,
      stream: true,
    });
    const texts: string[] = [];
    for await (const chunk of stream) texts.push(chunk.choices[0]?.text ?? '');
    assert.equal(texts.filter((text) => text.length > 0).length, 5);
  });

  it('answers the responses API in JSON and as events', async (t) => {
    const { client } = await connect(t);
    const request = { model: 'base-model', input: 'Tell me of rivers.', instructions: 'Be brief.' };
    const whole = await client.responses.create(request);
    assert.equal(whole.status, 'completed');
    assert.ok(whole.output_text.length > 0);
    const types: string[] = [];
    const stream = client.responses.stream(request);
    for await (const event of stream) types.push(event.type);
    const final = await stream.finalResponse();
    assert.equal(final.output_text, whole.output_text);
    assert.equal(final.usage?.output_tokens, whole.usage?.output_tokens);
    assert.equal(types[0], 'response.created');
    assert.equal(types.at(-1), 'response.completed');
    const cut = await client.responses.create({ ...request, max_output_tokens: 3 });
    assert.equal(cut.status, 'incomplete');
    assert.equal(cut.incomplete_details?.reason, 'max_output_tokens');
  });

  it('calls a function in the responses API', async (t) => {
    const { client } = await connect(t);
    const request = {
      model: 'base-model',
      input: 'What is the weather?',
      tools: [{ type: 'function' as const, strict: false, ...WEATHER_TOOL.function }],
    };
    const whole = await client.responses.create(request);
    const call = whole.output[0];
    assert.ok(call?.type === 'function_call');
    assert.equal(call.name, 'get_weather');
    const stream = client.responses.stream(request);
    const final = await stream.finalResponse();
    const streamed = final.output[0];
    assert.ok(streamed?.type === 'function_call');
    assert.equal(streamed.arguments, call.arguments);
  });

  it('embeds equal texts equally and similar ones nearby', async (t) => {
    const { client } = await connect(t);
    const input = [
      'the river turns the wheel',
      'the river turns the wheel',
      'the wheel turns the river',
      'zebra quartz jumping fox vow',
    ];
    const answer = await client.embeddings.create({ model: 'base-model', input });
    const vectors = answer.data.map((row) => row.embedding);
    const dot = (a: number, b: number): number =>
      (vectors[a] ?? []).reduce((sum, value, index) => sum + value * (vectors[b]?.[index] ?? 0), 0);
    assert.equal(vectors[0]?.length, 256);
    assert.ok(Math.abs(dot(0, 1) - 1) < 1e-5);
    assert.ok(dot(0, 2) > dot(0, 3) + 0.3);
    const floats = await client.embeddings.create({
      model: 'base-model',
      input: 'the river turns the wheel',
      encoding_format: 'float',
    });
    const [first] = floats.data;
    for (const [index, value] of (first?.embedding ?? []).entries()) {
      assert.ok(Math.abs(value - (vectors[0]?.[index] ?? 9)) < 1e-6);
    }
  });

  it('transcribes a file, whole and in pieces', async (t) => {
    const { client } = await connect(t);
    const bytes = Buffer.alloc(5000, 3);
    const request = { model: 'base-model', file: await toFile(bytes, 'talk.wav') };
    const whole = await client.audio.transcriptions.create(request);
    assert.ok(whole.text.length > 0);
    const stream = await client.audio.transcriptions.create({ ...request, stream: true });
    let text = '';
    for await (const event of stream) {
      if (event.type === 'transcript.text.delta') text += event.delta;
    }
    assert.equal(text, whole.text);
  });

  it('lists the base model and its adapters', async (t) => {
    const { client } = await connect(t, { models: ['org/base', 'alias'], adapters: ['tuned'] });
    const models: Record<string, unknown>[] = [];
    for await (const model of client.models.list()) models.push({ ...model });
    assert.deepEqual(
      models.map((model) => [model['id'], model['parent'], model['root'], model['max_model_len']]),
      [
        ['org/base', null, 'org/base', 32_768],
        ['alias', null, 'org/base', 32_768],
        ['tuned', 'org/base', '/adapters/tuned', null],
      ],
    );
    assert.equal((await client.models.retrieve('org/base')).id, 'org/base');
    await assert.rejects(client.models.retrieve('nope'), OpenAI.NotFoundError);
  });
});

describe('errors', () => {
  it('raises the SDK error of each class', async (t) => {
    const { client } = await connect(t, { maxModelLenTokens: 64 });
    const ask = (model: string, content: string, max_tokens: number): Promise<unknown> =>
      client.chat.completions.create({
        model,
        messages: [{ role: 'user', content }],
        max_tokens,
      });
    await assert.rejects(ask('nope', 'hi', 5), (error: unknown) => {
      assert.ok(error instanceof OpenAI.NotFoundError);
      assert.equal(error.code, 'model_not_found');
      return true;
    });
    await assert.rejects(ask('base-model', 'word '.repeat(100), 5), (error: unknown) => {
      assert.ok(error instanceof OpenAI.BadRequestError);
      assert.equal(error.code, 'context_length_exceeded');
      return true;
    });
    await assert.rejects(ask('base-model', 'hi', 62), OpenAI.BadRequestError);
  });

  it('refuses with 503 when the queue is full and keeps serving those inside', async (t) => {
    const { client, server } = await connect(t, { maxNumSeqs: 1, maxQueue: 1, speed: 1 });
    const ask = (content: string): Promise<OpenAI.ChatCompletion> =>
      client.chat.completions.create({
        model: 'base-model',
        messages: [{ role: 'user', content }],
        max_tokens: 10,
      });
    const running = ask('one');
    await eventually(() => server.model.running === 1, 'one runs');
    const waiting = ask('two');
    await eventually(() => server.model.waiting === 1, 'one waits');
    await assert.rejects(ask('three'), (error: unknown) => {
      assert.ok(error instanceof OpenAI.APIError);
      assert.equal(error.status, 503);
      return true;
    });
    assert.equal((await running).usage?.completion_tokens, 10);
    assert.equal((await waiting).usage?.completion_tokens, 10);
  });
});
