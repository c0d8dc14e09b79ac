import type { GenerationUsage } from '../generation.ts';
import { readObject, type JsonObject } from '../json-value.ts';

/** Usage in the form of OpenAI's chat and completions APIs. */
export function openAiUsage(usage: GenerationUsage): object {
  return {
    prompt_tokens: usage.promptTokens,
    total_tokens: usage.promptTokens + usage.completionTokens,
    completion_tokens: usage.completionTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedTokens },
  };
}

/** What a stream's frames say about usage. */
export interface UsageFrames {
  /** A last frame carries usage and every other one `"usage":null`. */
  readonly isIncluded: boolean;
  /** Every text frame carries the usage so far (vLLM's `continuous_usage_stats`). */
  readonly isContinuous: boolean;
}

/** Reads `stream_options`. */
export function readUsageFrames(body: JsonObject): UsageFrames {
  const options = readObject(body, 'stream_options') ?? {};
  const isIncluded = options['include_usage'] === true;
  return { isIncluded, isContinuous: isIncluded && options['continuous_usage_stats'] === true };
}

/** The line that ends an OpenAI stream. */
const DONE_FRAME = 'data: [DONE]\n\n';

/** Builds `data:` frames around one `choices` entry; what is the same in each is built once. */
export class ChoiceFrames {
  readonly #head: string;
  readonly #tail: string;
  readonly #hasUsage: boolean;

  constructor(fields: object, usage: UsageFrames) {
    this.#hasUsage = usage.isIncluded;
    this.#head = `data: ${JSON.stringify(fields).slice(0, -1)},"choices":[`;
    this.#tail = usage.isIncluded ? '],"usage":null}\n\n' : ']}\n\n';
  }

  /** A frame with one choice, given as JSON text, and the usage so far or null. */
  choice(choice: string, usage: object | null = null): string {
    if (usage === null) return this.#head + choice + this.#tail;
    return `${this.#head}${choice}],"usage":${JSON.stringify(usage)}}\n\n`;
  }

  /** What ends the stream: the final usage in a frame without choices, if it is wanted. */
  end(usage: object): readonly string[] {
    if (!this.#hasUsage) return [DONE_FRAME];
    return [`${this.#head}],"usage":${JSON.stringify(usage)}}\n\n`, DONE_FRAME];
  }
}
