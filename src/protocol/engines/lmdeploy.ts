import type { EngineDialect } from './dialect.ts';
import { meanOf, PROCESS_START, reportSources, sumOf } from './metric-sources.ts';

/**
 * LMDeploy's API server. Metrics need `--metrics` in older releases; series carry `engine` (rank).
 */
export const LMDEPLOY: EngineDialect = Object.freeze<EngineDialect>({
  engine: 'lmdeploy',
  title: 'LMDeploy',
  signs: [
    { kind: 'metric', prefix: 'lmdeploy:', weight: 0.95 },
    { kind: 'owner', owner: 'lmdeploy', weight: 0.9 },
  ],
  modelList: { path: '/v1/models', format: 'openai' },
  metrics: {
    paths: ['/metrics'],
    alternativePort: null,
    wakesEngine: false,
    filtersByName: true,
    sources: reportSources({
      waiting: [sumOf('lmdeploy:num_requests_waiting')],
      running: [sumOf('lmdeploy:num_requests_running')],
      kvCacheUsage: [meanOf('lmdeploy:gpu_cache_usage_perc')],
      promptTokensTotal: [sumOf('lmdeploy:prompt_tokens_total')],
      generationTokensTotal: [sumOf('lmdeploy:generation_tokens_total')],
      processStartTimeSeconds: PROCESS_START,
    }),
    adapters: null,
  },
  healthPath: '/health',
  facts: [],
  sleep: null,
});
