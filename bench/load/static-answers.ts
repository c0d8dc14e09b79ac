/** The one model that every bench upstream serves. */
export const BENCH_MODEL = 'bench-model';

/** A fixed answer to a GET. */
export interface StaticAnswer {
  readonly path: string;
  readonly contentType: string;
  readonly body: string;
}

const MODEL_LIST = JSON.stringify({
  object: 'list',
  data: [
    {
      id: BENCH_MODEL,
      object: 'model',
      created: 1_767_225_600,
      owned_by: 'vllm',
      root: BENCH_MODEL,
      parent: null,
      max_model_len: 131_072,
    },
  ],
});

/** As much of a vLLM server's metrics as a picker reads; names as vLLM exports them. */
const METRICS = `# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="${BENCH_MODEL}"} 3.0
# HELP vllm:num_requests_waiting Number of requests waiting to be processed.
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{engine="0",model_name="${BENCH_MODEL}"} 0.0
# HELP vllm:kv_cache_usage_perc KV-cache usage. 1 means 100 percent usage.
# TYPE vllm:kv_cache_usage_perc gauge
vllm:kv_cache_usage_perc{engine="0",model_name="${BENCH_MODEL}"} 0.25
# HELP vllm:cache_config_info Information of the LLMEngine CacheConfig
# TYPE vllm:cache_config_info gauge
vllm:cache_config_info{block_size="16",engine="0",num_gpu_blocks="65536"} 1.0
# HELP vllm:prompt_tokens_total Number of prefill tokens processed.
# TYPE vllm:prompt_tokens_total counter
vllm:prompt_tokens_total{engine="0",model_name="${BENCH_MODEL}"} 1.048576e+06
# HELP vllm:generation_tokens_total Number of generation tokens processed.
# TYPE vllm:generation_tokens_total counter
vllm:generation_tokens_total{engine="0",model_name="${BENCH_MODEL}"} 262144.0
`;

/** What a gateway asks a vLLM-like server when it probes and scrapes it. */
export const STATIC_ANSWERS: readonly StaticAnswer[] = [
  { path: '/v1/models', contentType: 'application/json', body: MODEL_LIST },
  { path: '/version', contentType: 'application/json', body: '{"version":"0.11.0"}' },
  { path: '/health', contentType: 'text/plain', body: '' },
  { path: '/metrics', contentType: 'text/plain; version=0.0.4', body: METRICS },
];

/** A short chat answer with usage, as an engine gives when the client does not stream. */
export const CHAT_ANSWER: string = JSON.stringify({
  id: 'chatcmpl-bench',
  object: 'chat.completion',
  created: 1_767_225_600,
  model: BENCH_MODEL,
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: 'A penstock is the gate and pipe before a turbine.' },
      logprobs: null,
      finish_reason: 'stop',
    },
  ],
  usage: { prompt_tokens: 220, completion_tokens: 12, total_tokens: 232 },
});

/** The whole HTTP response to `GET path`; 404 for paths that have no answer. */
export function encodeStaticResponse(path: string): string {
  const answer = STATIC_ANSWERS.find((candidate) => candidate.path === path);
  if (answer === undefined) return encodeResponse('404 Not Found', 'text/plain', 'not found');
  return encodeResponse('200 OK', answer.contentType, answer.body);
}

/** An HTTP/1.1 response with a fixed length. */
export function encodeResponse(status: string, contentType: string, body: string): string {
  const length = Buffer.byteLength(body);
  const fields = `content-type: ${contentType}\r\ncontent-length: ${length}`;
  return `HTTP/1.1 ${status}\r\n${fields}\r\n\r\n${body}`;
}
