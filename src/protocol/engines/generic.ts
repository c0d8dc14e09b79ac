import type { EngineDialect } from './dialect.ts';

/** Any other server with OpenAI's API: its model list is all that is relied on. */
export const GENERIC: EngineDialect = Object.freeze<EngineDialect>({
  engine: 'generic',
  title: 'OpenAI-compatible server',
  signs: [],
  modelList: { path: '/v1/models', format: 'openai' },
  metrics: null,
  healthPath: '/v1/models',
  facts: [],
  sleep: null,
});
