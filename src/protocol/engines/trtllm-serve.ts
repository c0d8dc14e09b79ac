import type { EngineDialect } from './dialect.ts';
import { maxOf, meanOf, PROCESS_START, reportSources, sumOf } from './metric-sources.ts';

/**
 * TensorRT-LLM's own server. Its `/metrics` is a JSON list of iteration statistics; the Prometheus
 * text is below `/prometheus` and needs `return_perf_metrics` in the server's configuration.
 */
export const TRTLLM_SERVE: EngineDialect = Object.freeze<EngineDialect>({
  engine: 'trtllm-serve',
  title: 'TensorRT-LLM (trtllm-serve)',
  signs: [
    { kind: 'metric', prefix: 'trtllm_', weight: 0.95 },
    { kind: 'owner', owner: 'tensorrt_llm', weight: 0.9 },
  ],
  modelList: { path: '/v1/models', format: 'openai' },
  metrics: {
    paths: ['/prometheus/metrics', '/metrics'],
    alternativePort: null,
    wakesEngine: false,
    filtersByName: true,
    sources: reportSources({
      waiting: [sumOf('trtllm_num_requests_waiting')],
      running: [sumOf('trtllm_num_requests_running')],
      kvCacheUsage: [meanOf('trtllm_kv_cache_utilization')],
      blockSizeTokens: [maxOf('trtllm_kv_cache_tokens_per_block')],
      blockCount: [sumOf('trtllm_kv_cache_max_blocks')],
      promptTokensTotal: [sumOf('trtllm_prompt_tokens_total')],
      generationTokensTotal: [sumOf('trtllm_generation_tokens_total')],
      processStartTimeSeconds: PROCESS_START,
    }),
    adapters: null,
  },
  healthPath: '/health',
  facts: [{ fact: 'version', path: '/version', at: ['version'] }],
  sleep: null,
});
