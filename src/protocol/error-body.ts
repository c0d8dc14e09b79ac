import { ERRORS, type ErrorCode } from '../core/errors.ts';
import { anthropicErrorBody } from './anthropic/error-shape.ts';
import type { ApiDefinition, ApiFamily } from './api-table.ts';
import { openAiErrorBody, responsesErrorEvent } from './openai/error-shape.ts';

/** One error as the client sees it; the logged cause stays outside. */
export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  /** The request field at fault, or null; only OpenAI's shape has a place for it. */
  readonly param: string | null;
  /** Shown in Anthropic's shape; OpenAI clients read it from the `x-request-id` header. */
  readonly requestId: string;
}

/** The whole JSON body of an error answer in the shape of the API family that was called. */
export function encodeErrorBody(family: ApiFamily, error: WireError): Buffer {
  return Buffer.from(JSON.stringify(errorObject(family, error)));
}

/**
 * The SSE frame that ends a broken stream so that the official SDKs raise: chat and completions get
 * an `error` object in a data frame (and no `[DONE]`), Responses and Anthropic an `error` event. It
 * begins at a line start: when the bytes before it do not end on a blank line, send one first.
 */
export function encodeStreamError(api: ApiDefinition, error: WireError): Buffer {
  if (api.id === 'responses') return eventFrame(responsesErrorEvent(error));
  const body = errorObject(api.family, error);
  return api.family === 'anthropic' ? eventFrame(body) : dataFrame(body);
}

function errorObject(family: ApiFamily, error: WireError): object {
  return family === 'anthropic'
    ? anthropicErrorBody(ERRORS[error.code].status, error.message, error.requestId)
    : openAiErrorBody(error);
}

function dataFrame(data: object): Buffer {
  return Buffer.from(`data: ${JSON.stringify(data)}\n\n`);
}

function eventFrame(data: object): Buffer {
  return Buffer.from(`event: error\ndata: ${JSON.stringify(data)}\n\n`);
}
