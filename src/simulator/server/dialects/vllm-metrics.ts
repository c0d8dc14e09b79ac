import type { EngineHost } from '../host.ts';
import {
  MetricText,
  processMetricsText,
  type MetricLabels,
  type MetricSeries,
} from './metric-text.ts';

/** `/metrics` of a vLLM server (names of its V1 engine). */
export function renderVllmMetrics(host: EngineHost): string {
  const { model } = host;
  const { counters, options } = model;
  const text = new MetricText({ engine: '0', model_name: host.served.baseName });
  text.gauge('vllm:num_requests_running', 'Requests in model execution batches.', model.running);
  text.gauge('vllm:num_requests_waiting', 'Requests waiting to be processed.', model.waiting);
  text.gauge('vllm:kv_cache_usage_perc', 'KV-cache usage; 1 is all of it.', model.kvUsage);
  text.series('vllm:engine_sleep_state', 'gauge', 'Whether the engine sleeps.', [
    { labels: { sleep_state: 'awake' }, value: model.isAsleep ? 0 : 1 },
  ]);
  text.series('vllm:cache_config_info', 'gauge', 'Settings of the KV cache.', [
    {
      labels: {
        block_size: String(options.blockSizeTokens),
        num_gpu_blocks: String(options.kvBlocks),
        enable_prefix_caching: options.isPrefixCaching ? 'True' : 'False',
      },
      value: 1,
    },
  ]);
  text.counter('vllm:num_preemptions_total', 'Preemptions of requests.', counters.preemptions);
  text.counter('vllm:prompt_tokens_total', 'Prompt tokens processed.', counters.promptTokens);
  text.counter('vllm:generation_tokens_total', 'Tokens generated.', counters.generationTokens);
  const { prefixQueriedTokens, prefixHitTokens } = counters;
  text.counter('vllm:prefix_cache_queries_total', 'Prompt tokens looked up.', prefixQueriedTokens);
  text.counter('vllm:prefix_cache_hits_total', 'Prompt tokens found cached.', prefixHitTokens);
  text.series('vllm:request_success_total', 'counter', 'Requests that ended.', [
    { labels: { finished_reason: 'stop' }, value: counters.ended.stop },
    { labels: { finished_reason: 'length' }, value: counters.ended.length },
    { labels: { finished_reason: 'abort' }, value: counters.ended.cancelled },
  ]);
  addHistograms(text, host);
  if (options.adapters.slots > 0) addAdapters(text, host);
  return text.toString() + processMetricsText(host.startedSeconds);
}

function addHistograms(text: MetricText, host: EngineHost): void {
  const { counters } = host.model;
  text.histogram(
    'vllm:time_to_first_token_seconds',
    'Time to the first token.',
    counters.timeToFirstToken,
  );
  text.histogram(
    'vllm:inter_token_latency_seconds',
    'Time between two tokens of a request.',
    counters.interTokenLatency,
  );
  text.histogram(
    'vllm:request_time_per_output_token_seconds',
    'Mean time per output token of a request.',
    counters.timePerOutputToken,
  );
  text.histogram(
    'vllm:e2e_request_latency_seconds',
    'Time from arrival to the end.',
    counters.requestLatency,
  );
  text.histogram(
    'vllm:request_queue_time_seconds',
    'Time in the waiting queue.',
    counters.queueTime,
  );
  text.histogram(
    'vllm:request_prompt_tokens',
    'Prompt tokens of a request.',
    counters.requestPromptTokens,
  );
  text.histogram(
    'vllm:request_generation_tokens',
    'Tokens generated for a request.',
    counters.requestGenerationTokens,
  );
}

/**
 * `lora_requests_info` names only adapters with requests; `lora_adapter_loaded` the resident ones.
 */
function addAdapters(text: MetricText, host: EngineHost): void {
  const { model } = host;
  const { slots } = model.options.adapters;
  const views = model.adapters.views();
  const running = views.filter((view) => view.running > 0).map((view) => view.name);
  const waiting = views.filter((view) => view.waiting > 0).map((view) => view.name);
  const labels: MetricLabels = {
    max_lora: String(slots),
    running_lora_adapters: running.join(','),
    waiting_lora_adapters: waiting.join(','),
  };
  text.series('vllm:lora_requests_info', 'gauge', 'Running stats on adapters.', [
    { labels, value: host.nowSeconds() },
  ]);
  text.gauge('vllm:max_gpu_lora_adapters', 'Adapter slots.', slots);
  const loaded: MetricSeries[] = views
    .filter((view) => view.tier !== 'disk')
    .map((view) => ({ labels: { adapter_name: view.name, level: view.tier }, value: 1 }));
  text.series('vllm:lora_adapter_loaded', 'gauge', 'Adapters in memory, by tier.', loaded);
}
