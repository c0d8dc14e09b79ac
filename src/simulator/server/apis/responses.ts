import type { EndReason } from '../../engine/counters.ts';
import { runAnswer, type StreamEncoder, type UsageReader } from '../answer.ts';
import { ChatPrompt, createPromptHasher, type TokenSink } from '../chat-prompt.ts';
import type { Exchange } from '../exchange.ts';
import type { GenerationUsage } from '../generation.ts';
import { modelNotFound, sendOpenAiError, type EngineHost } from '../host.ts';
import { isJsonObject, readArray, readCount, readString, type JsonObject } from '../json-value.ts';
import { planAnswer } from '../sampling.ts';
import { chooseTool, type ToolCall } from '../tool-choice.ts';

interface ResponseAnswer {
  readonly id: string;
  readonly createdAt: number;
  readonly model: string;
  readonly tool: ToolCall | null;
  readonly body: JsonObject;
}

/** Answers `POST /v1/responses`. Nothing is stored: `previous_response_id` is ignored. */
export function handleResponses(exchange: Exchange, host: EngineHost, body: JsonObject): void {
  const resolved = host.served.resolve(readString(body, 'model'));
  if (resolved === null) {
    sendOpenAiError(exchange, modelNotFound(readString(body, 'model') ?? ''));
    return;
  }
  const { adapter } = resolved;
  const hasher = createPromptHasher(host.model.options.blockSizeTokens, adapter, body);
  writeResponsesInput(hasher, body);
  const prompt = hasher.digest();
  const answer: ResponseAnswer = {
    id: host.newId('resp'),
    createdAt: host.nowSeconds(),
    model: resolved.name,
    tool: chooseTool(body),
    body,
  };
  const maxTokens = readCount(body, 'max_output_tokens');
  const output = planAnswer(host, body, { prompt, index: 0, maxTokens, tool: answer.tool });
  runAnswer(exchange, host, {
    choices: [{ prompt, output, adapter }],
    isStream: body['stream'] === true,
    countedPrompts: 'first',
    sendError: sendOpenAiError,
    createStream: (usage) => new ResponseStream(answer, usage),
    createBody: ([result], usage) => {
      const reason = result?.reason ?? 'stop';
      const item = outputItem(answer, result?.text ?? '', 'completed');
      return responseObject(answer, { reason, items: [item], usage });
    },
  });
}

function writeResponsesInput(sink: TokenSink, body: JsonObject): void {
  const prompt = new ChatPrompt(sink);
  prompt.tools(readArray(body, 'tools'));
  const instructions = readString(body, 'instructions');
  if (instructions !== null) prompt.message('system', instructions);
  const input = readString(body, 'input');
  if (input !== null) prompt.message('user', input);
  for (const item of readArray(body, 'input')) {
    if (!isJsonObject(item)) continue;
    const name = readString(item, 'name');
    if (name !== null) prompt.message('assistant', [readString(item, 'arguments') ?? '', name]);
    else prompt.message(readString(item, 'role') ?? 'tool', item['content'] ?? item['output']);
  }
  prompt.answer();
}

function outputItem(answer: ResponseAnswer, text: string, status: string): object {
  if (answer.tool !== null) {
    return {
      type: 'function_call',
      id: `fc_${answer.id}`,
      call_id: `call_${answer.id}`,
      name: answer.tool.name,
      arguments: text,
      status,
    };
  }
  const content = status === 'completed' ? [textPart(text)] : [];
  return { type: 'message', id: `msg_${answer.id}`, role: 'assistant', status, content };
}

function textPart(text: string): object {
  return { type: 'output_text', text, annotations: [], logprobs: [] };
}

function responseUsage(usage: GenerationUsage): object {
  return {
    input_tokens: usage.promptTokens,
    input_tokens_details: { cached_tokens: usage.cachedTokens },
    output_tokens: usage.completionTokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: usage.promptTokens + usage.completionTokens,
  };
}

/** The whole `response` object; without a reason it is still in progress. */
function responseObject(
  answer: ResponseAnswer,
  state: {
    readonly reason: EndReason | null;
    readonly items: readonly object[];
    readonly usage: GenerationUsage | null;
  },
): object {
  const ended = state.reason === 'length' ? 'incomplete' : 'completed';
  const isCut = state.reason === 'length';
  return {
    id: answer.id,
    object: 'response',
    created_at: answer.createdAt,
    status: state.reason === null ? 'in_progress' : ended,
    error: null,
    incomplete_details: isCut ? { reason: 'max_output_tokens' } : null,
    instructions: readString(answer.body, 'instructions'),
    max_output_tokens: readCount(answer.body, 'max_output_tokens'),
    model: answer.model,
    output: state.items,
    parallel_tool_calls: true,
    tool_choice: answer.body['tool_choice'] ?? 'auto',
    tools: readArray(answer.body, 'tools'),
    metadata: {},
    usage: state.usage === null ? null : responseUsage(state.usage),
  };
}

class ResponseStream implements StreamEncoder {
  readonly #answer: ResponseAnswer;
  readonly #usage: UsageReader;
  readonly #itemId: string;
  #sequence = 0;
  #text = '';
  #reason: EndReason = 'stop';

  constructor(answer: ResponseAnswer, usage: UsageReader) {
    this.#answer = answer;
    this.#usage = usage;
    this.#itemId = answer.tool === null ? `msg_${answer.id}` : `fc_${answer.id}`;
  }

  begin(): readonly string[] {
    const response = responseObject(this.#answer, { reason: null, items: [], usage: null });
    const item = outputItem(this.#answer, '', 'in_progress');
    const frames = [
      this.#frame('response.created', { response }),
      this.#frame('response.in_progress', { response }),
      this.#frame('response.output_item.added', { output_index: 0, item }),
    ];
    if (this.#answer.tool !== null) return frames;
    return [
      ...frames,
      this.#frame('response.content_part.added', this.#part({ part: textPart('') })),
    ];
  }

  text(_index: number, text: string): string {
    this.#text += text;
    if (this.#answer.tool === null) {
      return this.#frame('response.output_text.delta', this.#part({ delta: text, logprobs: [] }));
    }
    const fields = { item_id: this.#itemId, output_index: 0, delta: text };
    return this.#frame('response.function_call_arguments.delta', fields);
  }

  finish(_index: number, reason: EndReason): readonly string[] {
    this.#reason = reason;
    const item = outputItem(this.#answer, this.#text, 'completed');
    const done = this.#frame('response.output_item.done', { output_index: 0, item });
    const { tool } = this.#answer;
    if (tool !== null) {
      const fields = {
        item_id: this.#itemId,
        output_index: 0,
        name: tool.name,
        arguments: this.#text,
      };
      return [this.#frame('response.function_call_arguments.done', fields), done];
    }
    const text = this.#part({ text: this.#text, logprobs: [] });
    return [
      this.#frame('response.output_text.done', text),
      this.#frame('response.content_part.done', this.#part({ part: textPart(this.#text) })),
      done,
    ];
  }

  end(): readonly string[] {
    const reason = this.#reason;
    const items = [outputItem(this.#answer, this.#text, 'completed')];
    const response = responseObject(this.#answer, { reason, items, usage: this.#usage() });
    const type = reason === 'length' ? 'response.incomplete' : 'response.completed';
    return [this.#frame(type, { response })];
  }

  #part(fields: object): object {
    return { item_id: this.#itemId, output_index: 0, content_index: 0, ...fields };
  }

  #frame(type: string, fields: object): string {
    const data = JSON.stringify({ type, sequence_number: this.#sequence, ...fields });
    this.#sequence += 1;
    return `event: ${type}\ndata: ${data}\n\n`;
  }
}
