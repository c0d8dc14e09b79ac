import { PromptHasher, TokenChain } from '../engine/prompt-digest.ts';
import { isJsonObject, readArray, readString, type JsonObject } from './json-value.ts';
import { MARKERS, markerId, tokenizeText, type Marker } from './tokenizer.ts';

/** Tokens that a picture or a sound takes, whatever its size. */
const MEDIA_TOKENS = 64;

/** Receives token ids in prompt order. */
export interface TokenSink {
  add(tokenId: number): void;
}

/** Sink that keeps the ids, for `/tokenize`. */
export class TokenCollector implements TokenSink {
  readonly ids: number[] = [];

  add(tokenId: number): void {
    this.ids.push(tokenId);
  }
}

/**
 * Writes a conversation as tokens: per message a role marker, its text and an end marker, and last
 * the marker after which the answer begins. A longer conversation starts with the tokens of the
 * shorter one, answers included, so that its KV blocks are found in the cache.
 */
export class ChatPrompt {
  readonly #sink: TokenSink;
  readonly #add: (tokenId: number) => void;

  constructor(sink: TokenSink) {
    this.#sink = sink;
    this.#add = (tokenId) => {
      sink.add(tokenId);
    };
  }

  /** Plain text without markers. */
  text(text: string): void {
    tokenizeText(text, this.#add);
  }

  /** Tool definitions stand before everything else, as in the chat templates of most models. */
  tools(tools: readonly unknown[]): void {
    if (tools.length === 0) return;
    this.#sink.add(markerId('system'));
    this.text(JSON.stringify(tools));
    this.#sink.add(markerId('end'));
  }

  /** One message: `content` is a string or parts, in OpenAI's or Anthropic's form. */
  message(role: string, content: unknown, toolCalls: readonly unknown[] = []): void {
    this.#sink.add(markerId(markerOf(role)));
    this.content(content);
    for (const call of toolCalls) this.#toolCall(call);
    this.#sink.add(markerId('end'));
  }

  /** The marker that the answer follows. */
  answer(): void {
    this.#sink.add(markerId('assistant'));
  }

  /** Text of a string or of content parts. */
  content(content: unknown): void {
    if (typeof content === 'string') {
      this.text(content);
      return;
    }
    if (!Array.isArray(content)) return;
    for (const part of content as readonly unknown[]) this.#part(part);
  }

  #part(part: unknown): void {
    if (typeof part === 'string') {
      this.text(part);
      return;
    }
    if (!isJsonObject(part)) return;
    const text = readString(part, 'text');
    if (text !== null) this.text(text);
    else if (part['type'] === 'tool_use') this.#toolUse(part);
    else if (part['type'] === 'tool_result') this.content(part['content']);
    else this.#media(JSON.stringify(part));
  }

  // The arguments come first: they are what was generated, and so what the cache holds.
  #toolCall(call: unknown): void {
    if (!isJsonObject(call)) return;
    const fn = isJsonObject(call['function']) ? call['function'] : {};
    this.text(readString(fn, 'arguments') ?? '');
    this.text(readString(fn, 'name') ?? '');
  }

  #toolUse(part: JsonObject): void {
    this.text(JSON.stringify(part['input'] ?? {}));
    this.text(readString(part, 'name') ?? '');
  }

  #media(source: string): void {
    const chain = new TokenChain();
    chain.addText(source);
    for (let index = 0; index < MEDIA_TOKENS; index += 1) {
      chain.add(index);
      this.#sink.add(chain.low >>> 0);
    }
  }
}

function markerOf(role: string): Marker {
  if (role === 'developer') return 'system';
  if (role === 'function') return 'tool';
  return MARKERS.find((marker) => marker === role) ?? 'user';
}

/** Writes an OpenAI chat request: tools, messages, answer marker. */
export function writeChat(sink: TokenSink, body: JsonObject): void {
  const prompt = new ChatPrompt(sink);
  prompt.tools(readArray(body, 'tools'));
  for (const message of readArray(body, 'messages')) {
    if (!isJsonObject(message)) continue;
    const role = readString(message, 'role') ?? 'user';
    prompt.message(role, message['content'], readArray(message, 'tool_calls'));
  }
  prompt.answer();
}

/** A hasher whose blocks are shared only within one adapter and one `cache_salt` of the client. */
export function createPromptHasher(
  blockSizeTokens: number,
  adapter: string | null,
  body: JsonObject,
): PromptHasher {
  const salt = JSON.stringify([adapter, readString(body, 'cache_salt')]);
  return new PromptHasher(blockSizeTokens, salt);
}
