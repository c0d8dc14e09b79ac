import type { EngineHost } from '../host.ts';
import { MetricText } from './metric-text.ts';

/** `/metrics` of llama.cpp's `llama-server`, from before it stopped reporting KV-cache use. */
export function renderLlamaCppMetrics(host: EngineHost): string {
  const { model } = host;
  const { counters, options } = model;
  const usedTokens = (options.kvBlocks - model.freeBlocks) * options.blockSizeTokens;
  const text = new MetricText({});
  text.counter('llamacpp:prompt_tokens_total', 'Prompt tokens processed.', counters.promptTokens);
  text.counter('llamacpp:tokens_predicted_total', 'Tokens generated.', counters.generationTokens);
  text.counter('llamacpp:n_decode_total', 'Calls of llama_decode().', counters.steps);
  text.gauge('llamacpp:kv_cache_usage_ratio', 'KV-cache usage; 1 is all of it.', model.kvUsage);
  text.gauge('llamacpp:kv_cache_tokens', 'Tokens in the KV cache.', usedTokens);
  text.gauge('llamacpp:requests_processing', 'Requests being processed.', model.running);
  text.gauge('llamacpp:requests_deferred', 'Requests that wait.', model.waiting);
  return text.toString();
}
