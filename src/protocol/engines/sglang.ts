import type { EngineDialect, MetricSource } from './dialect.ts';
import { maxOf, meanOf, PROCESS_START, reportSources, sumOf } from './metric-sources.ts';

/**
 * With priority scheduling SGLang adds a series per priority; the one with the empty `priority` is
 * the total. Tensor-parallel ranks repeat their data-parallel rank's number.
 */
function perRank(source: MetricSource): MetricSource {
  return { ...source, where: { label: 'priority', value: '' }, distinctBy: 'dp_rank' };
}

/**
 * SGLang's server. Its metrics need `--enable-metrics`. From 0.5.11 page size and count are gauges,
 * before they were labels of `sglang:cache_config_info`.
 */
export const SGLANG: EngineDialect = Object.freeze<EngineDialect>({
  engine: 'sglang',
  title: 'SGLang',
  signs: [
    { kind: 'metric', prefix: 'sglang:', weight: 0.95 },
    { kind: 'owner', owner: 'sglang', weight: 0.9 },
    {
      kind: 'json',
      path: '/get_model_info',
      has: [['model_path'], ['is_generation']],
      weight: 0.8,
    },
  ],
  modelList: { path: '/v1/models', format: 'openai' },
  metrics: {
    paths: ['/metrics'],
    alternativePort: null,
    wakesEngine: false,
    filtersByName: true,
    sources: reportSources({
      waiting: [perRank(sumOf('sglang:num_queue_reqs'))],
      running: [perRank(sumOf('sglang:num_running_reqs'))],
      kvCacheUsage: [perRank(meanOf('sglang:token_usage'))],
      blockSizeTokens: [
        maxOf('sglang:page_size'),
        { ...maxOf('sglang:cache_config_info'), fromLabel: 'page_size' },
      ],
      blockCount: [
        perRank(sumOf('sglang:num_pages')),
        { ...perRank(sumOf('sglang:cache_config_info')), fromLabel: 'num_pages' },
      ],
      adapterSlots: [maxOf('sglang:lora_pool_slots_total')],
      promptTokensTotal: [sumOf('sglang:prompt_tokens_total')],
      generationTokensTotal: [sumOf('sglang:generation_tokens_total')],
      // Every prompt token is looked up in the radix cache; hits come by cache tier.
      prefixCacheQueriesTotal: [sumOf('sglang:prompt_tokens_total')],
      prefixCacheHitsTotal: [sumOf('sglang:cached_tokens_total')],
      processStartTimeSeconds: PROCESS_START,
    }),
    adapters: null,
  },
  healthPath: '/health',
  facts: [
    { fact: 'version', path: '/server_info', at: ['version'] },
    { fact: 'blockSizeTokens', path: '/server_info', at: ['page_size'] },
    {
      fact: 'maxRunning',
      path: '/server_info',
      at: ['internal_states', 0, 'effective_max_running_requests_per_dp'],
    },
    { fact: 'maxRunning', path: '/server_info', at: ['max_running_requests'] },
    // The older name of the same answer.
    { fact: 'version', path: '/get_server_info', at: ['version'] },
    { fact: 'blockSizeTokens', path: '/get_server_info', at: ['page_size'] },
    {
      fact: 'maxRunning',
      path: '/get_server_info',
      at: ['internal_states', 0, 'effective_max_running_requests_per_dp'],
    },
    { fact: 'maxRunning', path: '/get_server_info', at: ['max_running_requests'] },
  ],
  sleep: null,
});
