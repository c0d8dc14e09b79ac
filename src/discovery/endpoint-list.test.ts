import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseEndpointList } from './endpoint-list.ts';
import { NO_DEFAULTS } from './sources.ts';
import type { EndpointDefaults } from './sources.ts';

const DEFAULTS: EndpointDefaults = {
  labels: { zone: 'a', rack: '1' },
  engine: 'vllm',
  models: ['llama'],
  tls: null,
};

test('reads URLs and mappings, in YAML and in JSON, at the top or under "endpoints"', () => {
  const yaml = `
- a:8000
- url: http://b:8000/v1
  labels: { zone: b }
  engine: sglang
  models: [qwen]
`;
  const expected = {
    ok: true,
    value: [
      {
        url: 'http://a:8000',
        labels: { zone: 'a', rack: '1' },
        engine: 'vllm',
        models: ['llama'],
        tls: null,
      },
      {
        url: 'http://b:8000',
        labels: { zone: 'b', rack: '1' },
        engine: 'sglang',
        models: ['qwen'],
        tls: null,
      },
    ],
  };
  assert.deepEqual(parseEndpointList(yaml, DEFAULTS), expected);
  const json = JSON.stringify({
    endpoints: [
      'a:8000',
      { url: 'http://b:8000/v1', labels: { zone: 'b' }, engine: 'sglang', models: ['qwen'] },
    ],
  });
  assert.deepEqual(parseEndpointList(json, DEFAULTS), expected);
});

test('an empty list is a list', () => {
  assert.deepEqual(parseEndpointList('[]', NO_DEFAULTS), { ok: true, value: [] });
});

const BAD: Readonly<Record<string, RegExp>> = {
  '': /expected a list of endpoints/,
  'just text': /expected a list/,
  'servers: [a:1]': /under "endpoints"/,
  '- "unclosed': /line 1/,
  '[a:1,\n b: {': /line 2/,
  '- 7': /entry 1: expected a URL, or a mapping/,
  '- a:1\n- {}': /entry 2: "url" is missing/,
  '- ftp://a': /entry 1: .*only http and https/,
  '- {url: a:1, labls: {}}': /unknown key "labls"; did you mean "labels"/,
  '- {url: a:1, engine: vlm}': /unknown engine "vlm"; did you mean "vllm"/,
  '- {url: a:1, labels: {n: 1}}': /"labels" must map names to text/,
  '- {url: a:1, models: llama}': /"models" must be a list/,
};

for (const [text, expected] of Object.entries(BAD)) {
  test(`refuses ${JSON.stringify(text)}`, () => {
    const result = parseEndpointList(text, NO_DEFAULTS);
    assert.ok(!result.ok);
    assert.match(result.error, expected);
    assert.doesNotMatch(result.error, /\n/);
  });
}

test('aliases that multiply are refused, not expanded', () => {
  const levels = Array.from({ length: 12 }, (_, level) => {
    const parts = Array.from({ length: 12 }, () => (level === 0 ? 'x' : `*l${level - 1}`));
    return `l${level}: &l${level} [${parts.join(', ')}]`;
  });
  const result = parseEndpointList(`${levels.join('\n')}\nendpoints: *l11\n`, NO_DEFAULTS);
  assert.ok(!result.ok);
});
