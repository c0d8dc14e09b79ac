import type { EngineHost } from '../host.ts';
import { MetricText, processMetricsText } from './metric-text.ts';

/** `/metrics` of an SGLang server. */
export function renderSglangMetrics(host: EngineHost): string {
  const { model } = host;
  const { counters, options } = model;
  const hitRate =
    counters.prefixQueriedTokens === 0
      ? 0
      : counters.prefixHitTokens / counters.prefixQueriedTokens;
  const text = new MetricText({ model_name: host.served.baseName });
  text.gauge('sglang:num_running_reqs', 'Running requests.', model.running);
  text.gauge('sglang:num_queue_reqs', 'Requests in the waiting queue.', model.waiting);
  text.gauge('sglang:token_usage', 'Share of KV tokens in use.', model.kvUsage);
  text.gauge('sglang:cache_hit_rate', 'Prefix cache hit rate.', hitRate);
  text.series('sglang:cache_config_info', 'gauge', 'Settings of the KV cache.', [
    {
      labels: {
        page_size: String(options.blockSizeTokens),
        num_pages: String(options.kvBlocks),
      },
      value: 1,
    },
  ]);
  text.counter('sglang:prompt_tokens_total', 'Prefill tokens.', counters.promptTokens);
  text.counter('sglang:generation_tokens_total', 'Generated tokens.', counters.generationTokens);
  text.counter('sglang:cached_tokens_total', 'Cached prompt tokens.', counters.prefixHitTokens);
  const { stop, length, cancelled } = counters.ended;
  text.counter('sglang:num_requests_total', 'Requests that ended.', stop + length + cancelled);
  text.counter('sglang:num_aborted_requests_total', 'Aborted requests.', cancelled);
  text.histogram(
    'sglang:time_to_first_token_seconds',
    'Time to the first token.',
    counters.timeToFirstToken,
  );
  text.histogram(
    'sglang:inter_token_latency_seconds',
    'Time between two tokens.',
    counters.interTokenLatency,
  );
  text.histogram(
    'sglang:e2e_request_latency_seconds',
    'Time from arrival to the end.',
    counters.requestLatency,
  );
  return text.toString() + processMetricsText(host.startedSeconds);
}
