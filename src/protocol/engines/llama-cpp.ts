import type { EngineDialect } from './dialect.ts';
import { maxOf, reportSources, sumOf } from './metric-sources.ts';

/**
 * llama.cpp's `llama-server`. Metrics need `--metrics` (else 501). A scrape counts as a task and
 * holds off `--sleep-idle-seconds`, which `/health`, `/props` and the model list do not. Newer
 * builds no longer report the use of the KV cache.
 */
export const LLAMA_CPP: EngineDialect = Object.freeze<EngineDialect>({
  engine: 'llama-cpp',
  title: 'llama.cpp server',
  signs: [
    { kind: 'metric', prefix: 'llamacpp:', weight: 0.95 },
    { kind: 'owner', owner: 'llamacpp', weight: 0.9 },
    { kind: 'server', contains: 'llama.cpp', weight: 0.9 },
    {
      kind: 'json',
      path: '/props',
      has: [['default_generation_settings'], ['total_slots']],
      weight: 0.9,
    },
  ],
  modelList: { path: '/v1/models', format: 'openai' },
  metrics: {
    paths: ['/metrics'],
    alternativePort: null,
    wakesEngine: true,
    filtersByName: false,
    sources: reportSources({
      waiting: [sumOf('llamacpp:requests_deferred')],
      running: [sumOf('llamacpp:requests_processing')],
      kvCacheUsage: [maxOf('llamacpp:kv_cache_usage_ratio')],
      promptTokensTotal: [sumOf('llamacpp:prompt_tokens_total')],
      generationTokensTotal: [sumOf('llamacpp:tokens_predicted_total')],
    }),
    adapters: null,
  },
  healthPath: '/health',
  facts: [
    { fact: 'version', path: '/props', at: ['build_info'] },
    { fact: 'maxRunning', path: '/props', at: ['total_slots'] },
    { fact: 'contextTokens', path: '/props', at: ['default_generation_settings', 'n_ctx'] },
  ],
  // A request wakes a sleeping llama-server, so sleep is no reason to keep requests away.
  sleep: null,
});
