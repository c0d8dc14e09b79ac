import type { EndReason } from '../../engine/counters.ts';
import { runAnswer, type ChoiceResult, type StreamEncoder, type UsageReader } from '../answer.ts';
import { createPromptHasher, writeChat } from '../chat-prompt.ts';
import type { Exchange } from '../exchange.ts';
import type { Choice } from '../generation.ts';
import { modelNotFound, sendOpenAiError, type EngineHost } from '../host.ts';
import { readArray, readCount, readString, type JsonObject } from '../json-value.ts';
import { planAnswer, countChoices } from '../sampling.ts';
import { chooseTool, type ToolCall } from '../tool-choice.ts';
import { badRequest } from '../host.ts';
import { ChoiceFrames, openAiUsage, readUsageFrames, type UsageFrames } from './openai-shapes.ts';

/** What does not change between the chunks and bodies of one answer. */
interface ChatAnswer {
  readonly id: string;
  readonly created: number;
  readonly model: string;
  readonly tool: ToolCall | null;
}

/** Answers `POST /v1/chat/completions`. */
export function handleChatCompletions(
  exchange: Exchange,
  host: EngineHost,
  body: JsonObject,
): void {
  const resolved = host.served.resolve(readString(body, 'model'));
  if (resolved === null) {
    sendOpenAiError(exchange, modelNotFound(readString(body, 'model') ?? ''));
    return;
  }
  if (readArray(body, 'messages').length === 0) {
    sendOpenAiError(exchange, badRequest('messages must not be empty', 'messages'));
    return;
  }
  const answer: ChatAnswer = {
    id: host.newId('chatcmpl'),
    created: host.nowSeconds(),
    model: resolved.name,
    tool: chooseTool(body),
  };
  const usageFrames = readUsageFrames(body);
  runAnswer(exchange, host, {
    choices: planChoices(host, body, { adapter: resolved.adapter, tool: answer.tool }),
    isStream: body['stream'] === true,
    countedPrompts: 'first',
    sendError: sendOpenAiError,
    createStream: (usage) => new ChatStream(answer, usage, usageFrames),
    createBody: (results, usage) => ({
      id: answer.id,
      object: 'chat.completion',
      created: answer.created,
      model: answer.model,
      choices: results.map((result, index) => chatChoice(answer, result, index)),
      usage: openAiUsage(usage),
    }),
  });
}

function planChoices(
  host: EngineHost,
  body: JsonObject,
  target: { readonly adapter: string | null; readonly tool: ToolCall | null },
): readonly Choice[] {
  const hasher = createPromptHasher(host.model.options.blockSizeTokens, target.adapter, body);
  writeChat(hasher, body);
  const prompt = hasher.digest();
  const maxTokens = readCount(body, 'max_completion_tokens') ?? readCount(body, 'max_tokens');
  return Array.from({ length: countChoices(body) }, (_, index) => ({
    prompt,
    output: planAnswer(host, body, { prompt, index, maxTokens, tool: target.tool }),
    adapter: target.adapter,
  }));
}

function finishReason(answer: ChatAnswer, reason: EndReason): string {
  if (reason === 'length') return 'length';
  return answer.tool === null ? 'stop' : 'tool_calls';
}

function chatChoice(answer: ChatAnswer, result: ChoiceResult, index: number): object {
  const message =
    answer.tool === null
      ? { role: 'assistant', content: result.text }
      : {
          role: 'assistant',
          content: null,
          tool_calls: [toolCallOf(answer, answer.tool, { index, arguments: result.text })],
        };
  return { index, message, logprobs: null, finish_reason: finishReason(answer, result.reason) };
}

function toolCallOf(
  answer: ChatAnswer,
  tool: ToolCall,
  part: { readonly index: number; readonly arguments: string },
): object {
  return {
    id: `call-${answer.id}-${part.index}`,
    type: 'function',
    function: { name: tool.name, arguments: part.arguments },
  };
}

class ChatStream implements StreamEncoder {
  readonly #answer: ChatAnswer;
  readonly #usage: UsageReader;
  readonly #usageFrames: UsageFrames;
  readonly #frames: ChoiceFrames;

  constructor(answer: ChatAnswer, usage: UsageReader, usageFrames: UsageFrames) {
    this.#answer = answer;
    this.#usage = usage;
    this.#usageFrames = usageFrames;
    const { id, created, model } = answer;
    const fields = { id, object: 'chat.completion.chunk', created, model };
    this.#frames = new ChoiceFrames(fields, usageFrames);
  }

  begin(index: number): readonly string[] {
    const tool = this.#answer.tool;
    const delta =
      tool === null
        ? { role: 'assistant', content: '' }
        : {
            role: 'assistant',
            content: null,
            tool_calls: [{ index: 0, ...toolCallOf(this.#answer, tool, { index, arguments: '' }) }],
          };
    return [this.#frames.choice(this.#choice(index, JSON.stringify(delta), null))];
  }

  text(index: number, text: string): string {
    const quoted = JSON.stringify(text);
    const delta =
      this.#answer.tool === null
        ? `{"content":${quoted}}`
        : `{"tool_calls":[{"index":0,"function":{"arguments":${quoted}}}]}`;
    const usage = this.#usageFrames.isContinuous ? openAiUsage(this.#usage()) : null;
    return this.#frames.choice(this.#choice(index, delta, null), usage);
  }

  finish(index: number, reason: EndReason): readonly string[] {
    return [this.#frames.choice(this.#choice(index, '{}', finishReason(this.#answer, reason)))];
  }

  end(): readonly string[] {
    return this.#frames.end(openAiUsage(this.#usage()));
  }

  #choice(index: number, delta: string, reason: string | null): string {
    const quoted = reason === null ? 'null' : `"${reason}"`;
    return `{"index":${index},"delta":${delta},"logprobs":null,"finish_reason":${quoted}}`;
  }
}
