import type { EngineDialect } from './dialect.ts';
import { reportSources, sumOf } from './metric-sources.ts';

/**
 * Hugging Face Text Generation Inference. It reports no KV cache; its token counts exist only as
 * the sums of histograms.
 */
export const TGI: EngineDialect = Object.freeze<EngineDialect>({
  engine: 'tgi',
  title: 'Text Generation Inference',
  signs: [
    { kind: 'metric', prefix: 'tgi_', weight: 0.95 },
    {
      kind: 'json',
      path: '/info',
      has: [['model_id'], ['max_concurrent_requests'], ['max_total_tokens']],
      weight: 0.95,
    },
  ],
  modelList: { path: '/v1/models', format: 'openai' },
  metrics: {
    paths: ['/metrics'],
    alternativePort: null,
    wakesEngine: false,
    filtersByName: false,
    sources: reportSources({
      waiting: [sumOf('tgi_queue_size')],
      running: [sumOf('tgi_batch_current_size')],
      promptTokensTotal: [sumOf('tgi_request_input_length_sum')],
      generationTokensTotal: [sumOf('tgi_request_generated_tokens_sum')],
    }),
    adapters: null,
  },
  healthPath: '/health',
  facts: [
    { fact: 'version', path: '/info', at: ['version'] },
    { fact: 'maxRunning', path: '/info', at: ['max_batch_size'] },
    { fact: 'contextTokens', path: '/info', at: ['max_total_tokens'] },
  ],
  sleep: null,
});
