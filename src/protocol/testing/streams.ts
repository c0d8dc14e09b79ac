/** Recorded shapes of engines' and providers' event streams, shortened. */

/** vLLM with `include_usage`: no `usage` key but in the last frame. */
export const VLLM_CHAT: string = [
  'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"meta-llama/Llama-3.1-8B","choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]}',
  'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"meta-llama/Llama-3.1-8B","choices":[{"index":0,"delta":{"content":"the \\"model\\":\\"x\\" and \\"usage\\":{\\"prompt_tokens\\":9}"},"logprobs":null,"finish_reason":null}]}',
  'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"meta-llama/Llama-3.1-8B","choices":[{"index":0,"delta":{"content":""},"logprobs":null,"finish_reason":"stop","stop_reason":null}]}',
  'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"meta-llama/Llama-3.1-8B","choices":[],"usage":{"prompt_tokens":11,"total_tokens":18,"completion_tokens":7,"prompt_tokens_details":{"cached_tokens":8}}}',
  'data: [DONE]',
  '',
].join('\n\n');

/** OpenAI with `include_usage`: `usage` is null but in the last frame. */
export const OPENAI_CHAT: string = [
  'data: {"id":"chatcmpl-2","object":"chat.completion.chunk","created":1,"model":"gpt-x","service_tier":"default","system_fingerprint":null,"choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"abc"}',
  'data: {"id":"chatcmpl-2","object":"chat.completion.chunk","created":1,"model":"gpt-x","service_tier":"default","system_fingerprint":null,"choices":[{"index":0,"delta":{"content":"Hi"},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"d"}',
  'data: {"id":"chatcmpl-2","object":"chat.completion.chunk","created":1,"model":"gpt-x","service_tier":"default","system_fingerprint":null,"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}},"obfuscation":"e"}',
  'data: [DONE]',
  '',
].join('\n\n');

/** llama.cpp: usage beside timings. */
export const LLAMA_CPP_CHAT: string = [
  'data: {"choices":[{"finish_reason":null,"index":0,"delta":{"role":"assistant","content":null}}],"created":1,"id":"chatcmpl-3","model":"qwen","system_fingerprint":"b1","object":"chat.completion.chunk"}',
  'data: {"choices":[{"finish_reason":"stop","index":0,"delta":{}}],"created":1,"id":"chatcmpl-3","model":"qwen","system_fingerprint":"b1","object":"chat.completion.chunk"}',
  'data: {"choices":[],"created":1,"id":"chatcmpl-3","model":"qwen","system_fingerprint":"b1","object":"chat.completion.chunk","usage":{"completion_tokens":4,"prompt_tokens":13,"total_tokens":17,"prompt_tokens_details":{"cached_tokens":12}},"timings":{"prompt_n":1,"prompt_ms":20.1,"predicted_n":4}}',
  'data: [DONE]',
  '',
].join('\n\n');

/** Python's spacing, CRLF line ends, a comment, and usage in the frame of the last token. */
export const SPACED_CHAT: string = [
  ': ping',
  'data: {"model": "m1", "choices": [{"index": 0, "delta": {"content": "Hi"}}], "usage": null}',
  'data: {"model": "m1", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage" : { "prompt_tokens" : 5, "completion_tokens": 1, "total_tokens": 6 } }',
  'data:[DONE]',
  '',
].join('\r\n\r\n');

/** Anthropic, with cached input and a ping. */
export const ANTHROPIC_MESSAGES: string = [
  'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[],"stop_reason":null,"usage":{"input_tokens":25,"cache_creation_input_tokens":5,"cache_read_input_tokens":70,"cache_creation":{"ephemeral_5m_input_tokens":5},"output_tokens":1}}}',
  'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}',
  'event: ping\ndata: {"type":"ping"}',
  'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"message_stop \\"model\\":\\"no\\""}}',
  'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}',
  'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":15}}',
  'event: message_stop\ndata: {"type":"message_stop"}',
  '',
].join('\n\n');

/** Responses: the model stands in `response`, usage in the last event. */
export const RESPONSES: string = [
  'event: response.created\ndata: {"type":"response.created","sequence_number":0,"response":{"id":"resp_1","object":"response","status":"in_progress","model":"gpt-x","output":[],"tools":[{"type":"function","name":"f","parameters":{"properties":{"usage":{"type":"object"},"model":{"type":"string"}}}}],"usage":null}}',
  'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","sequence_number":1,"item_id":"msg_1","output_index":0,"content_index":0,"delta":"response.completed"}',
  'event: response.completed\ndata: {"type":"response.completed","sequence_number":2,"response":{"id":"resp_1","object":"response","status":"completed","model":"gpt-x","output":[{"type":"message","content":[{"type":"output_text","text":"response.completed"}]}],"usage":{"input_tokens":37,"input_tokens_details":{"cached_tokens":32},"output_tokens":11,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":48}}}',
  '',
].join('\n\n');
