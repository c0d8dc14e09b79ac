import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { startEngine } from './testing/engine-fixture.ts';

async function connect(context: TestContext): Promise<Anthropic> {
  const server = await startEngine(context);
  return new Anthropic({ baseURL: server.url, apiKey: 'none', maxRetries: 0 });
}

const REQUEST = {
  model: 'base-model',
  max_tokens: 40,
  system: 'You know rivers.',
  messages: [{ role: 'user' as const, content: 'Which way does the water run? '.repeat(10) }],
};

it('answers messages and streams the same text', async (t) => {
  const client = await connect(t);
  const whole = await client.messages.create(REQUEST);
  const [block] = whole.content;
  assert.ok(block?.type === 'text' && block.text.length > 0);
  const events: string[] = [];
  const stream = client.messages.stream(REQUEST);
  stream.on('streamEvent', (event) => events.push(event.type));
  const final = await stream.finalMessage();
  assert.deepEqual(
    final.content.map((part) => part.type),
    ['text'],
  );
  assert.ok(final.content[0]?.type === 'text' && final.content[0].text === block.text);
  assert.equal(final.usage.output_tokens, whole.usage.output_tokens);
  assert.deepEqual(events.slice(0, 3), [
    'message_start',
    'content_block_start',
    'content_block_delta',
  ]);
  assert.deepEqual(events.slice(-3), ['content_block_stop', 'message_delta', 'message_stop']);
});

it('counts cached input apart from other input', async (t) => {
  const client = await connect(t);
  const count = await client.messages.countTokens({
    model: REQUEST.model,
    system: REQUEST.system,
    messages: REQUEST.messages,
  });
  const first = await client.messages.create(REQUEST);
  const second = await client.messages.create(REQUEST);
  assert.equal(first.usage.input_tokens, count.input_tokens);
  assert.equal(first.usage.cache_read_input_tokens, 0);
  const cached = second.usage.cache_read_input_tokens ?? 0;
  assert.ok(cached > 0 && cached % 16 === 0);
  assert.equal(second.usage.input_tokens + cached, count.input_tokens);
});

it('uses the forced tool', async (t) => {
  const client = await connect(t);
  const tools = [
    {
      name: 'lookup',
      input_schema: { type: 'object' as const, properties: { key: { type: 'string' } } },
    },
  ];
  const request = { ...REQUEST, tools, tool_choice: { type: 'tool' as const, name: 'lookup' } };
  const whole = await client.messages.create(request);
  assert.equal(whole.stop_reason, 'tool_use');
  const streamed = await client.messages.stream(request).finalMessage();
  for (const message of [whole, streamed]) {
    const [block] = message.content;
    assert.ok(block?.type === 'tool_use');
    assert.equal(block.name, 'lookup');
    assert.deepEqual(block.input, { key: 'example key' });
  }
});

it('says why it stopped and raises for an unknown model', async (t) => {
  const client = await connect(t);
  const cut = await client.messages.create({ ...REQUEST, max_tokens: 3 });
  assert.equal(cut.stop_reason, 'max_tokens');
  assert.equal(cut.usage.output_tokens, 3);
  await assert.rejects(
    client.messages.create({ ...REQUEST, model: 'nope' }),
    Anthropic.NotFoundError,
  );
});
