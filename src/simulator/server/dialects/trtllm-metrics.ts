import type { EngineHost } from '../host.ts';
import { MetricText, processMetricsText } from './metric-text.ts';

/** `/prometheus/metrics` of TensorRT-LLM's `trtllm-serve`. */
export function renderTrtllmMetrics(host: EngineHost): string {
  const { model } = host;
  const { counters, options } = model;
  const text = new MetricText({ model_name: host.served.baseName, engine_type: 'trtllm' });
  text.gauge('trtllm_num_requests_running', 'Requests being computed.', model.running);
  text.gauge('trtllm_num_requests_waiting', 'Requests waiting.', model.waiting);
  text.gauge('trtllm_kv_cache_utilization', 'Share of KV blocks in use.', model.kvUsage);
  text.gauge('trtllm_kv_cache_tokens_per_block', 'Tokens a block.', options.blockSizeTokens);
  text.gauge('trtllm_kv_cache_max_blocks', 'KV blocks in all.', options.kvBlocks);
  text.counter('trtllm_prompt_tokens_total', 'Prompt tokens.', counters.promptTokens);
  text.counter('trtllm_generation_tokens_total', 'Generated tokens.', counters.generationTokens);
  text.series('trtllm_request_success_total', 'counter', 'Requests that ended.', [
    { labels: { finished_reason: 'stop' }, value: counters.ended.stop },
    { labels: { finished_reason: 'length' }, value: counters.ended.length },
  ]);
  text.histogram(
    'trtllm_time_to_first_token_seconds',
    'Time to the first token.',
    counters.timeToFirstToken,
  );
  text.histogram(
    'trtllm_time_per_output_token_seconds',
    'Mean time per output token of a request.',
    counters.timePerOutputToken,
  );
  text.histogram(
    'trtllm_e2e_request_latency_seconds',
    'Time from arrival to the end.',
    counters.requestLatency,
  );
  text.histogram(
    'trtllm_request_queue_time_seconds',
    'Time in the waiting queue.',
    counters.queueTime,
  );
  return text.toString() + processMetricsText(host.startedSeconds);
}

/** `/metrics` of `trtllm-serve`: one iteration's statistics as JSON. */
export function trtllmIterationStats(host: EngineHost): readonly object[] {
  const { model } = host;
  const { counters, options } = model;
  return [
    {
      iter: counters.steps,
      numActiveRequests: model.running,
      numQueuedRequests: model.waiting,
      maxNumActiveRequests: options.maxNumSeqs,
      kvCacheStats: {
        maxNumBlocks: options.kvBlocks,
        freeNumBlocks: model.freeBlocks,
        usedNumBlocks: options.kvBlocks - model.freeBlocks,
        tokensPerBlock: options.blockSizeTokens,
      },
    },
  ];
}
