import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeModel, encodeModelList, type ListedModel } from './model-list.ts';

const BASE: ListedModel = {
  id: 'llama',
  createdSeconds: 1_700_000_000,
  ownedBy: 'vllm',
  root: null,
  parent: null,
  contextTokens: null,
};
const ADAPTER: ListedModel = {
  ...BASE,
  id: 'sql',
  root: '/adapters/sql',
  parent: 'llama',
  contextTokens: 8192,
};

test('lists models in the OpenAI shape, unknown fields left out', () => {
  assert.deepEqual(JSON.parse(encodeModelList('openai', [BASE, ADAPTER]).toString()), {
    object: 'list',
    data: [
      { id: 'llama', object: 'model', created: 1_700_000_000, owned_by: 'vllm' },
      {
        id: 'sql',
        object: 'model',
        created: 1_700_000_000,
        owned_by: 'vllm',
        root: '/adapters/sql',
        parent: 'llama',
        max_model_len: 8192,
      },
    ],
  });
});

test('lists models in the Anthropic shape as one page', () => {
  const page = JSON.parse(encodeModelList('anthropic', [BASE, ADAPTER]).toString());
  assert.equal(page.first_id, 'llama');
  assert.equal(page.last_id, 'sql');
  assert.equal(page.has_more, false);
  assert.equal(page.data[0].type, 'model');
  assert.equal(page.data[0].display_name, 'llama');
  assert.equal(page.data[0].created_at, '2023-11-14T22:13:20.000Z');
  assert.equal(page.data[0].max_input_tokens, null);
  assert.equal(page.data[1].max_input_tokens, 8192);
});

test('lists nothing as an empty list', () => {
  const openAi = JSON.parse(encodeModelList('openai', []).toString());
  assert.deepEqual(openAi, { object: 'list', data: [] });
  const anthropic = JSON.parse(encodeModelList('anthropic', []).toString());
  assert.deepEqual(anthropic, { data: [], first_id: null, last_id: null, has_more: false });
});

test('shows one model in either shape', () => {
  assert.equal(JSON.parse(encodeModel('openai', ADAPTER).toString()).object, 'model');
  assert.equal(JSON.parse(encodeModel('anthropic', ADAPTER).toString()).type, 'model');
});
