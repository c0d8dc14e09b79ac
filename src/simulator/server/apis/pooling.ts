import { runAnswer } from '../answer.ts';
import { embed, similarity } from '../embedding.ts';
import type { Exchange } from '../exchange.ts';
import type { GenerationUsage } from '../generation.ts';
import { badRequest, modelNotFound, sendOpenAiError, type EngineHost } from '../host.ts';
import { isJsonObject, readArray, readCount, readString, type JsonObject } from '../json-value.ts';
import { NO_OUTPUT } from '../output-text.ts';
import { digestInput, readInputs } from '../prompt-input.ts';
import { tokenIds } from '../tokenizer.ts';

/** Length of a vector unless `dimensions` says otherwise. */
const DEFAULT_DIMENSIONS = 256;
const MAX_DIMENSIONS = 4096;

/** Token ids that are read but not answered with tokens, and the body made of them. */
interface PoolingJob {
  readonly inputs: readonly (readonly number[])[];
  createBody(model: string, usage: GenerationUsage): object;
}

/** Answers `POST /v1/embeddings`: equal texts have equal vectors, similar texts similar ones. */
export function handleEmbeddings(exchange: Exchange, host: EngineHost, body: JsonObject): void {
  const inputs = readInputs(body['input']);
  const dimensions = readCount(body, 'dimensions') ?? DEFAULT_DIMENSIONS;
  if (inputs === null || dimensions < 1 || dimensions > MAX_DIMENSIONS) {
    const message = `input must be text or token ids, dimensions from 1 to ${MAX_DIMENSIONS}`;
    sendOpenAiError(exchange, badRequest(message, 'input'));
    return;
  }
  const isBase64 = body['encoding_format'] === 'base64';
  runPooling(exchange, host, body, {
    inputs,
    createBody: (model, usage) => ({
      id: host.newId('embd'),
      object: 'list',
      created: host.nowSeconds(),
      model,
      data: inputs.map((ids, index) => {
        const vector = embed(ids, dimensions);
        const embedding = isBase64
          ? Buffer.from(vector.buffer).toString('base64')
          : Array.from(vector);
        return { object: 'embedding', index, embedding };
      }),
      usage: poolingUsage(usage),
    }),
  });
}

/** Answers `POST /v1/rerank` in Jina's and Cohere's common form. */
export function handleRerank(exchange: Exchange, host: EngineHost, body: JsonObject): void {
  const query = readString(body, 'query');
  const documents = readArray(body, 'documents').map(documentText);
  if (query === null || documents.length === 0) {
    sendOpenAiError(exchange, badRequest('query and documents are required', 'documents'));
    return;
  }
  const queryIds = tokenIds(query);
  const topN = readCount(body, 'top_n') ?? documents.length;
  runPooling(exchange, host, body, {
    inputs: documents.map((text) => [...queryIds, ...tokenIds(text)]),
    createBody: (model, usage) => ({
      id: host.newId('rerank'),
      model,
      usage: { total_tokens: usage.promptTokens },
      results: documents
        .map((text, index) => ({
          index,
          document: { text },
          relevance_score: similarity(queryIds, tokenIds(text)),
        }))
        .sort((a, b) => b.relevance_score - a.relevance_score || a.index - b.index)
        .slice(0, topN),
    }),
  });
}

/**
 * Answers `POST /v1/score`: pairs of `text_1` (or `queries`) and `text_2` (`documents`, `items`).
 */
export function handleScore(exchange: Exchange, host: EngineHost, body: JsonObject): void {
  const first = textsOf(body['text_1'] ?? body['queries']);
  const second = textsOf(body['text_2'] ?? body['documents'] ?? body['items']);
  const isPaired = first.length === 1 || first.length === second.length;
  if (first.length === 0 || second.length === 0 || !isPaired) {
    const message = 'text_1 must be one text or as many as text_2';
    sendOpenAiError(exchange, badRequest(message, 'text_1'));
    return;
  }
  const pairs = second.map((text, index) => {
    const left = tokenIds(first[first.length === 1 ? 0 : index] as string);
    return { left, right: tokenIds(text) };
  });
  runPooling(exchange, host, body, {
    inputs: pairs.map((pair) => [...pair.left, ...pair.right]),
    createBody: (model, usage) => ({
      id: host.newId('score'),
      object: 'list',
      created: host.nowSeconds(),
      model,
      data: pairs.map((pair, index) => ({
        index,
        object: 'score',
        score: similarity(pair.left, pair.right),
      })),
      usage: poolingUsage(usage),
    }),
  });
}

function runPooling(exchange: Exchange, host: EngineHost, body: JsonObject, job: PoolingJob): void {
  const resolved = host.served.resolve(readString(body, 'model'));
  if (resolved === null) {
    sendOpenAiError(exchange, modelNotFound(readString(body, 'model') ?? ''));
    return;
  }
  const { adapter, name } = resolved;
  runAnswer(exchange, host, {
    choices: job.inputs.map((ids) => ({
      prompt: digestInput(host, ids, { adapter, body }),
      output: NO_OUTPUT,
      adapter,
    })),
    isStream: false,
    countedPrompts: 'all',
    sendError: sendOpenAiError,
    createStream: () => ({ begin: () => [], text: () => '', finish: () => [], end: () => [] }),
    createBody: (_results, usage) => job.createBody(name, usage),
  });
}

function poolingUsage(usage: GenerationUsage): object {
  return {
    prompt_tokens: usage.promptTokens,
    total_tokens: usage.promptTokens,
    completion_tokens: 0,
    prompt_tokens_details: { cached_tokens: usage.cachedTokens },
  };
}

function documentText(document: unknown): string {
  if (typeof document === 'string') return document;
  return isJsonObject(document) ? (readString(document, 'text') ?? '') : '';
}

function textsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? (value as readonly unknown[]).map(documentText) : [];
}
