import type { ApiDefinition } from '../api-table.ts';
import type { TokenUsage } from '../token-usage.ts';
import { JsonResponse } from './json-response.ts';
import type { ResponseBody } from './response-body.ts';
import { SseResponse } from './sse-response.ts';
import { UsageRecord } from './usage-shapes.ts';

/** What a response is and what shall change in it. */
export interface ResponseEditOptions {
  readonly api: ApiDefinition;
  /** `opaque` bodies (compressed, audio, errors of unknown form) pass unread. */
  readonly format: 'sse' | 'json' | 'opaque';
  /** The name that replaces every `model` value, or null to keep the engine's. */
  readonly modelForClient: string | null;
  /** Remove the usage frame of a stream, because the client did not ask for it. */
  readonly stripUsageFrame: boolean;
}

/**
 * Passes a response's bytes on, reads its token usage, and changes only what the options ask for.
 */
export class ResponseEditor {
  /** The edited body has as many bytes as the original, so `content-length` may be kept. */
  readonly isLengthPreserving: boolean;
  readonly #record: UsageRecord;
  readonly #body: ResponseBody;

  constructor(options: ResponseEditOptions) {
    this.#record = new UsageRecord(options.api.family);
    this.#body = createBody(options, this.#record);
    this.isLengthPreserving =
      options.format === 'opaque' ||
      (options.modelForClient === null && !(options.format === 'sse' && options.stripUsageFrame));
  }

  /** Token counts, once the response has told them. */
  get usage(): TokenUsage | null {
    return this.#record.usage;
  }

  /** SSE: the API's last event or `[DONE]` was seen, so the stream ended as it should. */
  get sawEnd(): boolean {
    return this.#body.sawEnd;
  }

  /**
   * SSE: all that was forwarded ends on a blank line, so that an error frame may follow at once.
   */
  get atFrameBoundary(): boolean {
    return this.#body.atFrameBoundary;
  }

  /**
   * Returns the bytes to forward now: the same buffer when untouched, null when there are none yet.
   */
  push(chunk: Buffer): Buffer | null {
    return this.#body.push(chunk);
  }

  /** The upstream has ended as it should: returns what was still held, or null. */
  finish(): Buffer | null {
    return this.#body.finish();
  }
}

const OPAQUE: ResponseBody = {
  push: (chunk) => chunk,
  finish: () => null,
  sawEnd: false,
  atFrameBoundary: false,
};

function createBody(options: ResponseEditOptions, record: UsageRecord): ResponseBody {
  if (options.format === 'opaque') return OPAQUE;
  const name = options.modelForClient;
  const model = name === null ? null : Buffer.from(JSON.stringify(name));
  if (options.format === 'json') return new JsonResponse(record, model);
  return new SseResponse(options.api, record, { model, stripUsageFrame: options.stripUsageFrame });
}
