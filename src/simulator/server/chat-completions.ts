import type { EndReason } from '../engine/counters.ts';
import { createPromptHasher, writeChat } from './chat-prompt.ts';
import type { Exchange } from './exchange.ts';
import { Generation, type Choice, type GenerationUsage } from './generation.ts';
import { modelNotFound, refusalError, sendOpenAiError, type EngineHost } from './host.ts';
import { readCount, readObject, readString, type JsonObject } from './json-value.ts';
import { cutAtStop, FixedOutput, type TextOutput } from './output-text.ts';
import { countChoices, planOutput, readStops } from './sampling.ts';
import type { SseStream } from './sse-stream.ts';
import { chooseTool, type ToolCall } from './tool-choice.ts';

/** What does not change between the chunks and bodies of one answer. */
interface ChatAnswer {
  readonly id: string;
  readonly created: number;
  readonly model: string;
  readonly tool: ToolCall | null;
}

/** Usage in OpenAI's form. */
export function openAiUsage(usage: GenerationUsage): object {
  return {
    prompt_tokens: usage.promptTokens,
    total_tokens: usage.promptTokens + usage.completionTokens,
    completion_tokens: usage.completionTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedTokens },
  };
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
  const answer: ChatAnswer = {
    id: host.newId('chatcmpl'),
    created: host.nowSeconds(),
    model: resolved.name,
    tool: chooseTool(body),
  };
  const choices = planChoices(host, body, resolved.adapter, answer.tool);
  if (body['stream'] === true) streamChat(exchange, host, { answer, choices, body });
  else completeChat(exchange, host, { answer, choices });
}

function planChoices(
  host: EngineHost,
  body: JsonObject,
  adapter: string | null,
  tool: ToolCall | null,
): readonly Choice[] {
  const hasher = createPromptHasher(host.model.options.blockSizeTokens, adapter, body);
  writeChat(hasher, body);
  const prompt = hasher.digest();
  const maxTokens = readCount(body, 'max_completion_tokens') ?? readCount(body, 'max_tokens');
  const room = Math.max(1, host.model.contextTokens - prompt.tokens);
  return Array.from({ length: countChoices(body) }, (_, index) => {
    const output: TextOutput =
      tool === null
        ? cutAtStop(
            planOutput(body, { prompt, index, maxTokens, room, seed: host.options.seed }),
            readStops(body),
          )
        : new FixedOutput(tool.arguments, { maxTokens });
    return { prompt, output, adapter };
  });
}

function finishReason(answer: ChatAnswer, reason: EndReason): string {
  if (reason === 'length') return 'length';
  return answer.tool === null ? 'stop' : 'tool_calls';
}

function completeChat(
  exchange: Exchange,
  host: EngineHost,
  work: { readonly answer: ChatAnswer; readonly choices: readonly Choice[] },
): void {
  const { answer, choices } = work;
  const texts = choices.map(() => '');
  const reasons = choices.map(() => '');
  const generation = new Generation(host.driver, {
    onText: (index, text) => {
      texts[index] += text;
    },
    onChoiceEnd: (index, reason) => {
      reasons[index] = finishReason(answer, reason);
    },
    onEnd: () => {
      exchange.sendJson(200, {
        id: answer.id,
        object: 'chat.completion',
        created: answer.created,
        model: answer.model,
        choices: texts.map((text, index) => ({
          index,
          message: chatMessage(answer, text, index),
          logprobs: null,
          finish_reason: reasons[index],
        })),
        usage: openAiUsage(generation.usage('first')),
      });
    },
  });
  const refusal = generation.start(choices);
  if (refusal !== null) {
    sendOpenAiError(exchange, refusalError(refusal, host));
    return;
  }
  exchange.onAbort(() => {
    generation.cancel();
  });
}

function chatMessage(answer: ChatAnswer, text: string, index: number): object {
  if (answer.tool === null) return { role: 'assistant', content: text, tool_calls: [] };
  return {
    role: 'assistant',
    content: null,
    tool_calls: [toolCallOf(answer, answer.tool, { index, arguments: text })],
  };
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

function streamChat(
  exchange: Exchange,
  host: EngineHost,
  work: {
    readonly answer: ChatAnswer;
    readonly choices: readonly Choice[];
    readonly body: JsonObject;
  },
): void {
  const { answer, choices, body } = work;
  const streamOptions = readObject(body, 'stream_options') ?? {};
  const includesUsage = streamOptions['include_usage'] === true;
  const isContinuous = includesUsage && streamOptions['continuous_usage_stats'] === true;
  let stream: SseStream | null = null;
  const frames = new ChatFrames(answer, { hasUsageField: includesUsage });
  const started = choices.map(() => false);
  const begin = (index: number): void => {
    if (started[index] === true) return;
    started[index] = true;
    stream?.write(frames.delta(index, frames.opening(index)));
  };
  const generation: Generation = new Generation(host.driver, {
    onText: (index, text) => {
      begin(index);
      const usage = isContinuous ? openAiUsage(generation.usage('first')) : null;
      if (text.length > 0) stream?.write(frames.text(index, text, usage));
    },
    onChoiceEnd: (index, reason) => {
      begin(index);
      stream?.write(frames.delta(index, '{}', finishReason(answer, reason)));
    },
    onEnd: () => {
      if (includesUsage) stream?.write(frames.usage(openAiUsage(generation.usage('first'))));
      stream?.write('data: [DONE]\n\n');
      stream?.end();
    },
  });
  const refusal = generation.start(choices);
  if (refusal !== null) {
    sendOpenAiError(exchange, refusalError(refusal, host));
    return;
  }
  stream = exchange.startStream();
  exchange.onAbort(() => {
    generation.cancel();
  });
}

/** Builds the frames of one stream; all that is the same in each is built once. */
class ChatFrames {
  readonly #answer: ChatAnswer;
  readonly #head: string;
  readonly #tail: string;

  constructor(answer: ChatAnswer, options: { readonly hasUsageField: boolean }) {
    this.#answer = answer;
    const head = JSON.stringify({
      id: answer.id,
      object: 'chat.completion.chunk',
      created: answer.created,
      model: answer.model,
    });
    this.#head = `data: ${head.slice(0, -1)},"choices":[`;
    this.#tail = options.hasUsageField ? '],"usage":null}\n\n' : ']}\n\n';
  }

  /** First delta of a choice: the role, and the tool's name when it calls one. */
  opening(index: number): string {
    const tool = this.#answer.tool;
    if (tool === null) return '{"role":"assistant","content":""}';
    const call = toolCallOf(this.#answer, tool, { index, arguments: '' });
    return JSON.stringify({
      role: 'assistant',
      content: null,
      tool_calls: [{ index: 0, ...call }],
    });
  }

  /** A delta that carries one token's text. */
  text(index: number, text: string, usage: object | null): string {
    const quoted = JSON.stringify(text);
    const delta =
      this.#answer.tool === null
        ? `{"content":${quoted}}`
        : `{"tool_calls":[{"index":0,"function":{"arguments":${quoted}}}]}`;
    const choice = `{"index":${index},"delta":${delta},"logprobs":null,"finish_reason":null}`;
    if (usage === null) return this.#head + choice + this.#tail;
    return `${this.#head}${choice}],"usage":${JSON.stringify(usage)}}\n\n`;
  }

  delta(index: number, delta: string, finishReason: string | null = null): string {
    const reason = JSON.stringify(finishReason);
    return `${this.#head}{"index":${index},"delta":${delta},"logprobs":null,"finish_reason":${reason}}${this.#tail}`;
  }

  usage(usage: object): string {
    return `${this.#head}],"usage":${JSON.stringify(usage)}}\n\n`;
  }
}
