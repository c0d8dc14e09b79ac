import { ERRORS, type ErrorCode } from '../../core/errors.ts';

/** OpenAI's error object: `{error: {message, type, param, code}}`. */
export interface OpenAiErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string;
  };
}

/** The part of an error that its OpenAI shape shows. */
export interface OpenAiErrorFacts {
  readonly code: ErrorCode;
  readonly message: string;
  readonly param: string | null;
}

/** OpenAI's whole-body shape; the same object is the data of an error frame in chat streams. */
export function openAiErrorBody(facts: OpenAiErrorFacts): OpenAiErrorBody {
  return {
    error: {
      message: facts.message,
      type: ERRORS[facts.code].type,
      param: facts.param,
      code: facts.code,
    },
  };
}

/** The `error` event of a Responses stream, whose fields lie flat in the event. */
export interface ResponsesErrorEvent {
  readonly type: 'error';
  readonly code: string;
  readonly message: string;
  readonly param: string | null;
  readonly sequence_number: number;
}

/**
 * The `error` event of the Responses API. Its sequence number is 0: the gateway does not count the
 * events it relays, and clients end the stream at this event.
 */
export function responsesErrorEvent(facts: OpenAiErrorFacts): ResponsesErrorEvent {
  return {
    type: 'error',
    code: facts.code,
    message: facts.message,
    param: facts.param,
    sequence_number: 0,
  };
}
