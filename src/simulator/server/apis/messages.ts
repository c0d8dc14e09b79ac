import type { EndReason } from '../../engine/counters.ts';
import { runAnswer, type ChoiceResult, type StreamEncoder, type UsageReader } from '../answer.ts';
import { ChatPrompt, createPromptHasher, TokenCollector, type TokenSink } from '../chat-prompt.ts';
import type { Exchange } from '../exchange.ts';
import type { GenerationUsage } from '../generation.ts';
import { badRequest, modelNotFound, sendAnthropicError, type EngineHost } from '../host.ts';
import { isJsonObject, readArray, readCount, readString, type JsonObject } from '../json-value.ts';
import { planAnswer } from '../sampling.ts';
import { chooseTool, type ToolCall } from '../tool-choice.ts';

interface MessageAnswer {
  readonly id: string;
  readonly model: string;
  readonly tool: ToolCall | null;
}

/** Answers `POST /v1/messages`, Anthropic's chat API. */
export function handleMessages(exchange: Exchange, host: EngineHost, body: JsonObject): void {
  const resolved = host.served.resolve(readString(body, 'model'));
  if (resolved === null) {
    sendAnthropicError(exchange, modelNotFound(readString(body, 'model') ?? ''));
    return;
  }
  const maxTokens = readCount(body, 'max_tokens');
  if (maxTokens === null) {
    sendAnthropicError(exchange, badRequest('max_tokens: Field required'));
    return;
  }
  const { adapter } = resolved;
  const hasher = createPromptHasher(host.model.options.blockSizeTokens, adapter, body);
  writeMessages(hasher, body);
  const prompt = hasher.digest();
  const answer = { id: host.newId('msg'), model: resolved.name, tool: chooseTool(body) };
  const output = planAnswer(host, body, { prompt, index: 0, maxTokens, tool: answer.tool });
  runAnswer(exchange, host, {
    choices: [{ prompt, output, adapter }],
    isStream: body['stream'] === true,
    countedPrompts: 'first',
    sendError: sendAnthropicError,
    createStream: (usage) => new MessageStream(answer, usage),
    createBody: ([result], usage) => messageBody(answer, result ?? EMPTY_RESULT, usage),
  });
}

const EMPTY_RESULT: ChoiceResult = Object.freeze({ text: '', reason: 'stop' });

/** Answers `POST /v1/messages/count_tokens`. */
export function handleCountTokens(exchange: Exchange, host: EngineHost, body: JsonObject): void {
  const resolved = host.served.resolve(readString(body, 'model'));
  if (resolved === null) {
    sendAnthropicError(exchange, modelNotFound(readString(body, 'model') ?? ''));
    return;
  }
  const collector = new TokenCollector();
  writeMessages(collector, body);
  exchange.sendJson(200, { input_tokens: collector.ids.length });
}

function writeMessages(sink: TokenSink, body: JsonObject): void {
  const prompt = new ChatPrompt(sink);
  prompt.tools(readArray(body, 'tools'));
  if (body['system'] !== undefined) prompt.message('system', body['system']);
  for (const message of readArray(body, 'messages')) {
    if (!isJsonObject(message)) continue;
    prompt.message(readString(message, 'role') ?? 'user', message['content']);
  }
  prompt.answer();
}

function messageBody(answer: MessageAnswer, result: ChoiceResult, usage: GenerationUsage): object {
  return {
    ...messageHead(answer),
    content: [contentBlock(answer, result.text)],
    stop_reason: stopReason(answer, result.reason),
    usage: messageUsage(usage),
  };
}

function messageHead(answer: MessageAnswer): object {
  return {
    id: answer.id,
    type: 'message',
    role: 'assistant',
    model: answer.model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
  };
}

function contentBlock(answer: MessageAnswer, text: string): object {
  if (answer.tool === null) return { type: 'text', text };
  return { type: 'tool_use', ...toolUse(answer, answer.tool), input: parseInput(text) };
}

function toolUse(answer: MessageAnswer, tool: ToolCall): object {
  return { id: `toolu_${answer.id}`, name: tool.name };
}

/** Arguments that the token limit cut are no JSON any more: they become an empty input. */
function parseInput(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return {};
  }
}

function stopReason(answer: MessageAnswer, reason: EndReason): string {
  if (reason === 'length') return 'max_tokens';
  return answer.tool === null ? 'end_turn' : 'tool_use';
}

/** Anthropic counts cached input apart from `input_tokens`. */
function messageUsage(usage: GenerationUsage): object {
  return {
    input_tokens: usage.promptTokens - usage.cachedTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: usage.cachedTokens,
    output_tokens: usage.completionTokens,
  };
}

class MessageStream implements StreamEncoder {
  readonly #answer: MessageAnswer;
  readonly #usage: UsageReader;
  readonly #deltaHead: string;
  #reason: EndReason = 'stop';

  constructor(answer: MessageAnswer, usage: UsageReader) {
    this.#answer = answer;
    this.#usage = usage;
    const [type, field] =
      answer.tool === null ? ['text_delta', 'text'] : ['input_json_delta', 'partial_json'];
    this.#deltaHead =
      'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,' +
      `"delta":{"type":"${type}","${field}":`;
  }

  begin(): readonly string[] {
    const usage = { ...messageUsage(this.#usage()), output_tokens: 0 };
    const block =
      this.#answer.tool === null
        ? { type: 'text', text: '' }
        : { type: 'tool_use', ...toolUse(this.#answer, this.#answer.tool), input: {} };
    return [
      frame('message_start', { message: { ...messageHead(this.#answer), usage } }),
      frame('content_block_start', { index: 0, content_block: block }),
    ];
  }

  text(_index: number, text: string): string {
    return `${this.#deltaHead}${JSON.stringify(text)}}}\n\n`;
  }

  finish(_index: number, reason: EndReason): readonly string[] {
    this.#reason = reason;
    return [frame('content_block_stop', { index: 0 })];
  }

  end(): readonly string[] {
    const reason = stopReason(this.#answer, this.#reason);
    const delta = { stop_reason: reason, stop_sequence: null };
    return [
      frame('message_delta', { delta, usage: messageUsage(this.#usage()) }),
      frame('message_stop', {}),
    ];
  }
}

function frame(type: string, fields: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
}
