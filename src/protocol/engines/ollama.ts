import type { EngineDialect } from './dialect.ts';

/** Ollama. It has no metrics; models load on demand, so that every listed model is served. */
export const OLLAMA: EngineDialect = Object.freeze<EngineDialect>({
  engine: 'ollama',
  title: 'Ollama',
  signs: [
    { kind: 'text', path: '/', contains: 'Ollama is running', weight: 0.98 },
    { kind: 'json', path: '/api/tags', has: [['models']], weight: 0.7 },
    { kind: 'json', path: '/api/version', has: [['version']], weight: 0.6 },
    { kind: 'owner', owner: 'library', weight: 0.4 },
  ],
  modelList: { path: '/api/tags', format: 'ollama' },
  metrics: null,
  healthPath: '/',
  facts: [{ fact: 'version', path: '/api/version', at: ['version'] }],
  sleep: null,
});
