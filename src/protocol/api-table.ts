/** Whose conventions a path follows: error shape, error frames, model list. */
export type ApiFamily = 'openai' | 'anthropic';

/** Closed set of API kinds; the `api` label of metrics. */
export type ApiId =
  | 'chat-completions'
  | 'completions'
  | 'responses'
  | 'embeddings'
  | 'rerank'
  | 'score'
  | 'messages'
  | 'count-tokens'
  | 'tokenize'
  | 'detokenize'
  | 'transcriptions'
  | 'other';

/** What the gateway must know of one POST path to read and relay it. */
export interface ApiDefinition {
  readonly id: ApiId;
  readonly path: string;
  readonly family: ApiFamily;
  readonly body: 'json' | 'multipart';
  /** Top-level fields whose bytes count as the prompt. */
  readonly promptFields: readonly string[];
  /** Engines keep what they computed for the prompt, for others that begin alike. */
  readonly hasPrefixCache: boolean;
  /** Top-level integer fields that bound the output, in tokens. */
  readonly maxTokensFields: readonly string[];
  /**
   * How a stream reports its usage: `option` when `stream_options.include_usage` asks for it,
   * `always` when the API does so by itself, `none` when it has none.
   */
  readonly streamUsage: 'option' | 'always' | 'none';
  /**
   * How a finished stream ends: a `[DONE]` line, a named last event, or just the end of the body.
   */
  readonly streamEnd: 'done-line' | 'message_stop' | 'response-event' | 'none';
}

function json(
  id: ApiId,
  path: string,
  fields: Partial<Omit<ApiDefinition, 'id' | 'path'>>,
): ApiDefinition {
  return {
    id,
    path,
    family: 'openai',
    body: 'json',
    promptFields: [],
    hasPrefixCache: false,
    maxTokensFields: [],
    streamUsage: 'none',
    streamEnd: 'none',
    ...fields,
  };
}

/** Every POST path with its own rules; any other `/v1/…` path is relayed as `other`. */
export const APIS: readonly ApiDefinition[] = Object.freeze([
  json('chat-completions', '/v1/chat/completions', {
    promptFields: ['messages', 'tools'],
    hasPrefixCache: true,
    maxTokensFields: ['max_completion_tokens', 'max_tokens'],
    streamUsage: 'option',
    streamEnd: 'done-line',
  }),
  json('completions', '/v1/completions', {
    promptFields: ['prompt'],
    hasPrefixCache: true,
    maxTokensFields: ['max_tokens'],
    streamUsage: 'option',
    streamEnd: 'done-line',
  }),
  json('responses', '/v1/responses', {
    promptFields: ['input', 'instructions', 'tools'],
    hasPrefixCache: true,
    maxTokensFields: ['max_output_tokens'],
    streamUsage: 'always',
    streamEnd: 'response-event',
  }),
  json('embeddings', '/v1/embeddings', { promptFields: ['input'] }),
  json('rerank', '/v1/rerank', { promptFields: ['query', 'documents'] }),
  json('score', '/v1/score', {
    promptFields: ['text_1', 'text_2', 'queries', 'documents', 'items'],
  }),
  json('messages', '/v1/messages', {
    family: 'anthropic',
    promptFields: ['system', 'messages', 'tools'],
    hasPrefixCache: true,
    maxTokensFields: ['max_tokens'],
    streamUsage: 'always',
    streamEnd: 'message_stop',
  }),
  json('count-tokens', '/v1/messages/count_tokens', {
    family: 'anthropic',
    promptFields: ['system', 'messages', 'tools'],
  }),
  json('tokenize', '/tokenize', { promptFields: ['prompt', 'messages'] }),
  json('detokenize', '/detokenize', { promptFields: ['tokens'] }),
  json('transcriptions', '/v1/audio/transcriptions', { body: 'multipart', streamEnd: 'done-line' }),
]);

const BY_PATH: ReadonlyMap<string, ApiDefinition> = new Map(APIS.map((api) => [api.path, api]));

/** A segment of dots, which a server behind may follow out of `/v1` (RFC 3986 section 5.2.4). */
const DOT_SEGMENT = /\/(?:\.|%2e){1,2}(?:\/|$)/i;

const OTHER = json('other', '/v1/…', {
  promptFields: ['messages', 'prompt', 'input', 'system', 'tools'],
  hasPrefixCache: true,
  maxTokensFields: ['max_completion_tokens', 'max_tokens', 'max_output_tokens'],
  streamEnd: 'none',
});

/**
 * The rules for a POST to `path` (without its query), or null when the gateway has no such path.
 */
export function findApi(path: string): ApiDefinition | null {
  const known = BY_PATH.get(path);
  if (known !== undefined) return known;
  return path.startsWith('/v1/') && !DOT_SEGMENT.test(path) ? OTHER : null;
}
