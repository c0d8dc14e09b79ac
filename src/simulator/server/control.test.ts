import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chat, eventually, post, startEngine } from './testing/engine-fixture.ts';

const CHAT = '/v1/chat/completions';

describe('adapters', () => {
  it('loads, serves and unloads an adapter at run time', async (t) => {
    const server = await startEngine(t);
    const request = { ...chat('hi', { max_tokens: 3 }), model: 'tuned' };
    assert.equal((await post(server, CHAT, request)).status, 404);
    const load = { lora_name: 'tuned', lora_path: '/weights/tuned' };
    assert.equal((await post(server, '/v1/load_lora_adapter', load)).status, 200);
    assert.equal((await post(server, '/v1/load_lora_adapter', load)).status, 400);
    const answer = await post(server, CHAT, request);
    assert.equal(answer.status, 200);
    assert.match(answer.text, /"model":"tuned"/);
    const unload = { lora_name: 'tuned' };
    assert.equal((await post(server, '/v1/unload_lora_adapter', unload)).status, 200);
    assert.equal((await post(server, '/v1/unload_lora_adapter', unload)).status, 404);
    assert.equal((await post(server, CHAT, request)).status, 404);
  });

  it('keeps an adapter that requests are using', async (t) => {
    const server = await startEngine(t, { adapters: ['tuned'], speed: 1, adapterLoadMs: 0 });
    const request = { ...chat('hi', { max_tokens: 20 }), model: 'tuned' };
    const answer = post(server, CHAT, request);
    await eventually(() => server.model.running === 1, 'it runs');
    const unload = { lora_name: 'tuned' };
    assert.equal((await post(server, '/v1/unload_lora_adapter', unload)).status, 400);
    assert.equal((await answer).status, 200);
  });
});

describe('sleep', () => {
  it('refuses work while asleep and takes it after waking', async (t) => {
    const server = await startEngine(t);
    const isSleeping = async (): Promise<unknown> =>
      (await fetch(`${server.url}/is_sleeping`)).json();
    assert.deepEqual(await isSleeping(), { is_sleeping: false });
    assert.equal((await post(server, '/sleep?level=3', '')).status, 400);
    assert.equal((await post(server, '/sleep?level=1', '')).status, 200);
    assert.deepEqual(await isSleeping(), { is_sleeping: true });
    assert.equal((await post(server, CHAT, chat('hi'))).status, 503);
    assert.equal((await fetch(`${server.url}/health`)).status, 200);
    assert.equal((await post(server, '/wake_up', '')).status, 200);
    assert.equal((await post(server, CHAT, chat('hi', { max_tokens: 2 }))).status, 200);
  });
});

describe('tokens and ranking', () => {
  it('tokenizes text and chats, and turns ids back into text', async (t) => {
    const server = await startEngine(t);
    const text = 'Water runs, für alle.';
    const { tokens, count } = JSON.parse(
      (await post(server, '/tokenize', { prompt: text })).text,
    ) as { tokens: number[]; count: number };
    assert.equal(tokens.length, count);
    const back = await post(server, '/detokenize', { tokens });
    assert.equal((JSON.parse(back.text) as { prompt: string }).prompt, text);
    const ofChat = await post(server, '/tokenize', chat(text));
    const answer = await post(server, CHAT, chat(text, { max_tokens: 1 }));
    const { usage } = JSON.parse(answer.text) as { usage: { prompt_tokens: number } };
    assert.equal((JSON.parse(ofChat.text) as { count: number }).count, usage.prompt_tokens);
  });

  it('ranks the document that shares words with the query first', async (t) => {
    const server = await startEngine(t);
    const documents = ['quartz zebra vow', 'the river turns the mill wheel', 'jumping fox'];
    const query = 'what turns the mill wheel';
    const rerank = await post(server, '/v1/rerank', { query, documents, top_n: 2 });
    const { results } = JSON.parse(rerank.text) as { results: { index: number }[] };
    assert.equal(results.length, 2);
    assert.equal(results[0]?.index, 1);
    const score = await post(server, '/v1/score', { text_1: query, text_2: documents });
    const { data } = JSON.parse(score.text) as { data: { score: number }[] };
    const scores = data.map((row) => row.score);
    assert.equal(Math.max(...scores), scores[1]);
  });
});

describe('bad input', () => {
  it('answers each with its own status and keeps the connection', async (t) => {
    const server = await startEngine(t);
    const statuses = [
      await post(server, CHAT, '{"model":'),
      await post(server, CHAT, '[]'),
      await post(server, CHAT, { model: 'base-model', messages: [] }),
      await post(server, '/v1/completions', { prompt: { a: 1 } }),
      await post(server, '/v1/embeddings', { input: [] }),
      await post(server, '/v1/rerank', { query: 'x' }),
      await post(server, '/v1/messages', { model: 'base-model', messages: [] }),
      await post(server, '/detokenize', { tokens: ['x'] }),
      await post(server, '/v1/audio/transcriptions', {}),
      await post(server, '/v1/load_lora_adapter', { lora_name: 'base-model', lora_path: 'x' }),
    ].map((answer) => answer.status);
    assert.deepEqual(
      statuses,
      statuses.map(() => 400),
    );
    assert.equal((await post(server, '/nowhere', {})).status, 404);
    assert.equal((await fetch(server.url + CHAT)).status, 405);
    assert.equal((await post(server, '/constructor', {})).status, 404);
    assert.equal((await post(server, CHAT, chat('hi', { max_tokens: 1 }))).status, 200);
  });

  it('names the replica in every answer', async (t) => {
    const server = await startEngine(t, { engineId: 'replica-7' });
    assert.equal((await post(server, CHAT, chat('hi'))).headers.get('x-engine-id'), 'replica-7');
    assert.equal((await fetch(`${server.url}/health`)).headers.get('x-engine-id'), 'replica-7');
  });
});
