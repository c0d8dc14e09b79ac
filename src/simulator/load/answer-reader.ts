import { frameData, parseFrame } from '../../protocol/sse/frame.ts';
import { SseFrameSplitter } from '../../protocol/sse/frame-splitter.ts';
import { isJsonObject, readCount, readObject, readString } from '../server/json-value.ts';
import type { JsonObject } from '../server/json-value.ts';
import { errorMessageOf } from './load-failure.ts';

/** Token counts as the server reports them; null where it does not. */
export interface ServerUsage {
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
  readonly cachedTokens: number | null;
}

const NO_USAGE: ServerUsage = Object.freeze({
  promptTokens: null,
  completionTokens: null,
  cachedTokens: null,
});

/** Reads a streamed answer of OpenAI's chat or completions API and notes when tokens came. */
export class AnswerReader {
  readonly #splitter = new SseFrameSplitter();
  readonly #texts: string[] = [];
  /** Times between chunks with text, in milliseconds. */
  readonly gapsMs: number[] = [];
  /** When the first chunk with text came; null before. */
  firstAtMs: number | null = null;
  lastAtMs = 0;
  usage: ServerUsage = NO_USAGE;
  /** What an error inside the stream says. */
  error: string | null = null;
  #isComplete = false;

  /** Chunks with text so far: tokens, when the server sends one at a time. */
  get chunks(): number {
    return this.#texts.length;
  }

  /** The end was announced, by a reason or by `[DONE]`. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  get text(): string {
    return this.#texts.join('');
  }

  /** Takes bytes that came at `nowMs`. */
  push(bytes: Buffer, nowMs: number): void {
    for (const piece of this.#splitter.push(bytes)) {
      if (piece.isFrame) this.#frame(piece.bytes, nowMs);
    }
  }

  /** The stream has ended; a last frame may lack its blank line. */
  finish(nowMs: number): void {
    const rest = this.#splitter.flush();
    if (rest !== null) this.#frame(rest, nowMs);
  }

  #frame(bytes: Buffer, nowMs: number): void {
    const data = frameData(bytes, parseFrame(bytes)).toString('utf8');
    if (data === '') return;
    if (data === '[DONE]') {
      this.#isComplete = true;
      return;
    }
    let json: unknown;
    try {
      json = JSON.parse(data);
    } catch {
      this.error ??= `an event is not JSON: ${errorMessageOf(data)}`;
      return;
    }
    if (isJsonObject(json)) this.#event(json, data, nowMs);
  }

  #event(event: JsonObject, data: string, nowMs: number): void {
    if (event['error'] !== undefined && event['error'] !== null) {
      this.error ??= errorMessageOf(data);
      return;
    }
    const usage = readObject(event, 'usage');
    if (usage !== null) this.usage = readUsage(usage);
    const choices = event['choices'];
    const choice: unknown = Array.isArray(choices) ? choices[0] : null;
    if (!isJsonObject(choice)) return;
    if (typeof choice['finish_reason'] === 'string') this.#isComplete = true;
    const text = textOf(choice);
    if (text !== null && text !== '') this.#token(text, nowMs);
  }

  #token(text: string, nowMs: number): void {
    if (this.firstAtMs === null) this.firstAtMs = nowMs;
    else this.gapsMs.push(nowMs - this.lastAtMs);
    this.lastAtMs = nowMs;
    this.#texts.push(text);
  }
}

/** Text of a choice; what a model thinks aloud is generated like everything else. */
function textOf(choice: JsonObject): string | null {
  const delta = readObject(choice, 'delta');
  if (delta === null) return readString(choice, 'text');
  const content = readString(delta, 'content');
  if (content !== null && content !== '') return content;
  return readString(delta, 'reasoning_content') ?? readString(delta, 'reasoning');
}

function readUsage(usage: JsonObject): ServerUsage {
  const details = readObject(usage, 'prompt_tokens_details');
  return {
    promptTokens: readCount(usage, 'prompt_tokens'),
    completionTokens: readCount(usage, 'completion_tokens'),
    cachedTokens: details === null ? null : readCount(details, 'cached_tokens'),
  };
}
