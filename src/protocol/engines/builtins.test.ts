import assert from 'node:assert/strict';
import { test } from 'node:test';

import { BUILTIN_DIALECTS, dialectOf, recognise } from './builtins.ts';
import type { EngineName } from './dialect.ts';
import type { ProbeAnswer } from './evidence.ts';
import { readModelList, readNumberFact, readVersion } from './model-facts.ts';

function answer(body: unknown, options: { status?: number; server?: string } = {}): ProbeAnswer {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return {
    status: options.status ?? 200,
    server: options.server ?? '',
    text,
    json: typeof body === 'string' ? undefined : body,
  };
}

const NOT_FOUND = answer({ detail: 'Not Found' }, { status: 404, server: 'uvicorn' });

function list(owner: string): ProbeAnswer {
  return answer({ object: 'list', data: [{ id: 'm', object: 'model', owned_by: owner }] });
}

const SERVERS: readonly (readonly [EngineName, string, Record<string, ProbeAnswer>])[] = [
  ['vllm', 'metrics off', { '/v1/models': list('vllm'), '/metrics': NOT_FOUND }],
  ['sglang', 'metrics off', { '/v1/models': list('sglang'), '/metrics': NOT_FOUND }],
  [
    'sglang',
    'by its model info',
    { '/get_model_info': answer({ model_path: '/m', is_generation: true }) },
  ],
  [
    'trtllm-serve',
    'with JSON at /metrics',
    { '/v1/models': list('tensorrt_llm'), '/metrics': answer([]) },
  ],
  ['triton-tensorrt-llm', 'OpenAI front end', { '/v1/models': list('Triton Inference Server') }],
  [
    'triton-tensorrt-llm',
    'core server',
    { '/v2': answer({ name: 'triton', version: '2.59.0', extensions: ['classification'] }) },
  ],
  [
    'tgi',
    'by /info',
    {
      '/info': answer({ model_id: 'a/b', max_concurrent_requests: 128, max_total_tokens: 4096 }),
      '/v1/models': list('a/b'),
    },
  ],
  ['llama-cpp', 'by owner', { '/v1/models': list('llamacpp') }],
  [
    'llama-cpp',
    'by server header alone',
    { '/v1/models': answer({}, { status: 401, server: 'llama.cpp' }) },
  ],
  ['ollama', 'by its greeting', { '/': answer('Ollama is running') }],
  [
    'ollama',
    'behind a proxy that hides /',
    { '/api/tags': answer({ models: [] }), '/api/version': answer({ version: '0.11.4' }) },
  ],
  ['lmdeploy', 'metrics off', { '/v1/models': list('lmdeploy') }],
  ['generic', 'an unknown owner', { '/v1/models': list('acme') }],
  [
    'generic',
    'a page that mentions engines',
    { '/': answer('<html>vllm: and tgi_queue_size here</html>'), '/metrics': NOT_FOUND },
  ],
  ['generic', 'nothing answered', {}],
  [
    'generic',
    'errors with telling bodies',
    {
      '/info': answer(
        { model_id: 'x', max_concurrent_requests: 1, max_total_tokens: 1 },
        { status: 500 },
      ),
    },
  ],
];

for (const [engine, how, answers] of SERVERS) {
  test(`recognises ${engine}: ${how}`, () => {
    const found = recognise(new Map(Object.entries(answers)));
    assert.equal(found.dialect.engine, engine);
    assert.equal(found.confidence >= 0.5, engine !== 'generic');
  });
}

test('every dialect is found by its name and no name comes twice', () => {
  const names = BUILTIN_DIALECTS.map((dialect) => dialect.engine);
  assert.equal(new Set(names).size, names.length);
  for (const dialect of BUILTIN_DIALECTS) assert.equal(dialectOf(dialect.engine), dialect);
  assert.ok(BUILTIN_DIALECTS.every((dialect) => Object.isFrozen(dialect)));
});

test('vLLM adapters get the base model that the list names, also by its path', () => {
  const models = readModelList('openai', {
    data: [
      { id: 'llama', root: '/models/llama-3.1', parent: null, max_model_len: 131072 },
      { id: 'alias', root: '/models/llama-3.1', parent: null, max_model_len: 131072 },
      { id: 'sql', root: '/adapters/sql', parent: 'llama' },
      { id: 'de', root: '/adapters/de', parent: '/models/llama-3.1' },
      { id: 'odd', root: '/adapters/odd', parent: 'meta-llama/Llama-3.1-8B' },
      { id: 'sql', root: '/adapters/again', parent: 'llama' },
    ],
  });
  assert.deepEqual(models, [
    { id: 'llama', baseModel: null, contextTokens: 131072 },
    { id: 'alias', baseModel: null, contextTokens: 131072 },
    { id: 'sql', baseModel: 'llama', contextTokens: null },
    { id: 'de', baseModel: 'llama', contextTokens: null },
    { id: 'odd', baseModel: 'llama', contextTokens: null },
  ]);
});

test('an Ollama list gives its tags', () => {
  const models = readModelList('ollama', {
    models: [{ name: 'qwen3:8b', model: 'qwen3:8b', size: 1 }, { name: 'old:1b' }],
  });
  assert.deepEqual(
    models?.map((model) => model.id),
    ['qwen3:8b', 'old:1b'],
  );
});

test('odd entries of a list are left out and what is no list is null', () => {
  assert.deepEqual(readModelList('openai', { data: [null, 3, {}, { id: '' }, { id: 7 }] }), []);
  for (const json of [undefined, null, 'x', [], { data: {} }, { models: [] }]) {
    assert.equal(readModelList('openai', json), null);
  }
  const own = readModelList('openai', { data: [{ id: 'm', parent: 'm', max_model_len: -1 }] });
  assert.deepEqual(own, [{ id: 'm', baseModel: null, contextTokens: null }]);
});

test('facts come from the first answer that has them', () => {
  const sglang = dialectOf('sglang');
  const evidence = new Map([
    ['/server_info', NOT_FOUND],
    [
      '/get_server_info',
      answer({
        version: '0.5.4',
        page_size: 64,
        max_running_requests: null,
        internal_states: [{ effective_max_running_requests_per_dp: 128 }],
      }),
    ],
  ]);
  assert.equal(readVersion(sglang, evidence), '0.5.4');
  assert.equal(readNumberFact(sglang, 'blockSizeTokens', evidence), 64);
  assert.equal(readNumberFact(sglang, 'maxRunning', evidence), 128);
  assert.equal(readNumberFact(sglang, 'blockCount', evidence), null);
});
