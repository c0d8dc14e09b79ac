import type { EngineDialect } from './dialect.ts';
import { maxOf, meanOf, PROCESS_START, reportSources, sumOf } from './metric-sources.ts';

/**
 * vLLM's OpenAI server. Series carry `engine` (data-parallel rank): counts add up, shares average.
 * Before 0.10 the KV gauge and the prefix counters had a `gpu_` in their names.
 */
export const VLLM: EngineDialect = Object.freeze<EngineDialect>({
  engine: 'vllm',
  title: 'vLLM',
  signs: [
    { kind: 'metric', prefix: 'vllm:', weight: 0.95 },
    { kind: 'owner', owner: 'vllm', weight: 0.9 },
  ],
  modelList: { path: '/v1/models', format: 'openai' },
  metrics: {
    paths: ['/metrics'],
    alternativePort: null,
    wakesEngine: false,
    filtersByName: true,
    sources: reportSources({
      waiting: [sumOf('vllm:num_requests_waiting')],
      running: [sumOf('vllm:num_requests_running')],
      kvCacheUsage: [meanOf('vllm:kv_cache_usage_perc'), meanOf('vllm:gpu_cache_usage_perc')],
      blockSizeTokens: [{ ...maxOf('vllm:cache_config_info'), fromLabel: 'block_size' }],
      blockCount: [{ ...sumOf('vllm:cache_config_info'), fromLabel: 'num_gpu_blocks' }],
      adapterSlots: [
        maxOf('vllm:max_gpu_lora_adapters'),
        { ...maxOf('vllm:lora_requests_info'), fromLabel: 'max_lora' },
      ],
      promptTokensTotal: [sumOf('vllm:prompt_tokens_total')],
      generationTokensTotal: [sumOf('vllm:generation_tokens_total')],
      prefixCacheQueriesTotal: [
        sumOf('vllm:prefix_cache_queries_total'),
        sumOf('vllm:gpu_prefix_cache_queries_total'),
      ],
      prefixCacheHitsTotal: [
        sumOf('vllm:prefix_cache_hits_total'),
        sumOf('vllm:gpu_prefix_cache_hits_total'),
      ],
      processStartTimeSeconds: PROCESS_START,
    }),
    adapters: {
      requestsInfo: {
        metric: 'vllm:lora_requests_info',
        runningLabel: 'running_lora_adapters',
        waitingLabel: 'waiting_lora_adapters',
      },
      loaded: {
        metric: 'vllm:lora_adapter_loaded',
        nameLabel: 'adapter_name',
        where: { label: 'level', value: 'gpu' },
      },
    },
  },
  healthPath: '/health',
  facts: [{ fact: 'version', path: '/version', at: ['version'] }],
  // Only served when the engine runs with VLLM_SERVER_DEV_MODE=1.
  sleep: { path: '/is_sleeping', at: ['is_sleeping'] },
});
