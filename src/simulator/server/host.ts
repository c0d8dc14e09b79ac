import type { EngineModel, Refusal } from '../engine/engine-model.ts';
import type { EngineDriver } from './driver.ts';
import type { ApiError, Exchange } from './exchange.ts';
import type { ResolvedEngineOptions } from './engine-options.ts';
import type { FaultSettings } from './faults.ts';
import type { ServedModels } from './served-models.ts';

/** What request handlers share. */
export interface EngineHost {
  readonly model: EngineModel;
  readonly driver: EngineDriver;
  readonly served: ServedModels;
  readonly options: ResolvedEngineOptions;
  /** Unix seconds, with fractions, at which the server was made. */
  readonly startedSeconds: number;
  /** Failures that are injected now. */
  faults(): FaultSettings;
  injectFaults(changes: Partial<FaultSettings>): void;
  /** A new id with the given prefix, unique within this server. */
  newId(prefix: string): string;
  /** Unix time in whole seconds. */
  nowSeconds(): number;
}

/** An error that a caller made: vLLM's `BadRequestError`. */
export function badRequest(message: string, param: string | null = null): ApiError {
  return { status: 400, type: 'BadRequestError', message, code: null, param };
}

/** No such model or adapter. */
export function modelNotFound(model: string): ApiError {
  return {
    status: 404,
    type: 'NotFoundError',
    message: `The model \`${model}\` does not exist.`,
    code: 'model_not_found',
    param: 'model',
  };
}

/** The answer to a request that the engine refused. */
export function refusalError(refusal: Refusal, host: EngineHost): ApiError {
  switch (refusal) {
    case 'context_too_long':
      return {
        ...badRequest(
          `This model's maximum context length is ${host.model.contextTokens} tokens; ` +
            'prompt and requested output are longer.',
          'messages',
        ),
        code: 'context_length_exceeded',
      };
    case 'queue_full':
      return unavailable('The waiting queue is full; try again later.');
    case 'asleep':
      return unavailable('The engine is asleep; wake it with POST /wake_up.');
    case 'adapter_unknown':
      return { ...modelNotFound('adapter'), message: 'The adapter has been unloaded.' };
    case 'no_adapter_slots':
      return badRequest('This server runs without adapter slots; start it with --max-loras.');
  }
}

/** The engine cannot take work now. */
export function unavailable(message: string): ApiError {
  return { status: 503, type: 'ServiceUnavailableError', message, code: null, param: null };
}

/** Sends an error as OpenAI-compatible engines do. */
export function sendOpenAiError(exchange: Exchange, error: ApiError): void {
  const { message, type, param, code, status } = error;
  exchange.sendJson(status, { error: { message, type, param, code: code ?? status } });
}

const ANTHROPIC_TYPES: Readonly<Record<number, string>> = Object.freeze({
  400: 'invalid_request_error',
  404: 'not_found_error',
  503: 'overloaded_error',
});

/** Sends an error in the shape of Anthropic's Messages API. */
export function sendAnthropicError(exchange: Exchange, error: ApiError): void {
  const type = ANTHROPIC_TYPES[error.status] ?? 'api_error';
  exchange.sendJson(error.status, { type: 'error', error: { type, message: error.message } });
}
