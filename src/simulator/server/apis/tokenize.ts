import { TokenCollector, writeChat } from '../chat-prompt.ts';
import type { Exchange } from '../exchange.ts';
import { badRequest, modelNotFound, sendOpenAiError, type EngineHost } from '../host.ts';
import { readArray, readString, type JsonObject } from '../json-value.ts';
import { detokenize, tokenBytes, tokenIds } from '../tokenizer.ts';

/** Answers `POST /tokenize` for `prompt`, `messages` or llama.cpp's `content`. */
export function handleTokenize(exchange: Exchange, host: EngineHost, body: JsonObject): void {
  if (host.served.resolve(readString(body, 'model')) === null) {
    sendOpenAiError(exchange, modelNotFound(readString(body, 'model') ?? ''));
    return;
  }
  const text = readString(body, 'prompt') ?? readString(body, 'content');
  if (text === null && readArray(body, 'messages').length === 0) {
    sendOpenAiError(exchange, badRequest('prompt or messages is required', 'prompt'));
    return;
  }
  const tokens = text === null ? chatTokens(body) : tokenIds(text);
  const withText = body['return_token_strs'] === true;
  exchange.sendJson(200, {
    count: tokens.length,
    max_model_len: host.model.contextTokens,
    tokens,
    token_strs: withText ? tokens.map((id) => tokenBytes(id).toString('utf8')) : null,
  });
}

/** Answers `POST /detokenize`. */
export function handleDetokenize(exchange: Exchange, host: EngineHost, body: JsonObject): void {
  if (host.served.resolve(readString(body, 'model')) === null) {
    sendOpenAiError(exchange, modelNotFound(readString(body, 'model') ?? ''));
    return;
  }
  const tokens = readArray(body, 'tokens');
  if (!tokens.every((id): id is number => typeof id === 'number')) {
    sendOpenAiError(exchange, badRequest('tokens must be numbers', 'tokens'));
    return;
  }
  const text = detokenize(tokens);
  exchange.sendJson(200, { prompt: text, content: text });
}

function chatTokens(body: JsonObject): readonly number[] {
  const collector = new TokenCollector();
  writeChat(collector, body);
  return collector.ids;
}
