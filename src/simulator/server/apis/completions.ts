import type { EndReason } from '../../engine/counters.ts';
import { runAnswer, type StreamEncoder, type UsageReader } from '../answer.ts';
import type { Exchange } from '../exchange.ts';
import type { Choice } from '../generation.ts';
import { badRequest, modelNotFound, sendOpenAiError, type EngineHost } from '../host.ts';
import { readCount, readString, type JsonObject } from '../json-value.ts';
import { digestInput, readInputs } from '../prompt-input.ts';
import { countChoices, planAnswer } from '../sampling.ts';
import { ChoiceFrames, openAiUsage, readUsageFrames, type UsageFrames } from './openai-shapes.ts';

// What OpenAI's completions API generates when the caller does not say.
const DEFAULT_MAX_TOKENS = 16;

/** Answers `POST /v1/completions`: one choice per prompt and `n`. */
export function handleCompletions(exchange: Exchange, host: EngineHost, body: JsonObject): void {
  const resolved = host.served.resolve(readString(body, 'model'));
  if (resolved === null) {
    sendOpenAiError(exchange, modelNotFound(readString(body, 'model') ?? ''));
    return;
  }
  const inputs = readInputs(body['prompt']);
  if (inputs === null) {
    sendOpenAiError(exchange, badRequest('prompt must be text or token ids', 'prompt'));
    return;
  }
  const maxTokens = readCount(body, 'max_tokens') ?? DEFAULT_MAX_TOKENS;
  const choices = inputs.flatMap((input): readonly Choice[] => {
    const prompt = digestInput(host, input, { adapter: resolved.adapter, body });
    return Array.from({ length: countChoices(body) }, (_, index) => ({
      prompt,
      output: planAnswer(host, body, { prompt, index, maxTokens, tool: null }),
      adapter: resolved.adapter,
    }));
  });
  const fields = {
    id: host.newId('cmpl'),
    object: 'text_completion',
    created: host.nowSeconds(),
    model: resolved.name,
  };
  const usageFrames = readUsageFrames(body);
  runAnswer(exchange, host, {
    choices,
    isStream: body['stream'] === true,
    countedPrompts: inputs.length === 1 ? 'first' : 'all',
    sendError: sendOpenAiError,
    createStream: (usage) => new CompletionStream(fields, usage, usageFrames),
    createBody: (results, usage) => ({
      ...fields,
      choices: results.map((result, index) => ({
        index,
        text: result.text,
        logprobs: null,
        finish_reason: result.reason,
      })),
      usage: openAiUsage(usage),
    }),
  });
}

class CompletionStream implements StreamEncoder {
  readonly #usage: UsageReader;
  readonly #usageFrames: UsageFrames;
  readonly #frames: ChoiceFrames;

  constructor(fields: object, usage: UsageReader, usageFrames: UsageFrames) {
    this.#usage = usage;
    this.#usageFrames = usageFrames;
    this.#frames = new ChoiceFrames(fields, usageFrames);
  }

  begin(): readonly string[] {
    return [];
  }

  text(index: number, text: string): string {
    const usage = this.#usageFrames.isContinuous ? openAiUsage(this.#usage()) : null;
    return this.#frames.choice(this.#choice(index, JSON.stringify(text), 'null'), usage);
  }

  finish(index: number, reason: EndReason): readonly string[] {
    return [this.#frames.choice(this.#choice(index, '""', `"${reason}"`))];
  }

  end(): readonly string[] {
    return this.#frames.end(openAiUsage(this.#usage()));
  }

  #choice(index: number, text: string, reason: string): string {
    return `{"index":${index},"text":${text},"logprobs":null,"finish_reason":${reason}}`;
  }
}
