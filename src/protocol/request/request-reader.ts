import type { ApiDefinition } from '../api-table.ts';
import { JsonScanner, MAX_DEPTH, type JsonFailure } from '../json/json-scanner.ts';
import { NO_PROMPT_BLOCKS, type PromptBlocks } from './prompt-blocks.ts';
import { PromptHasher } from './prompt-hasher.ts';
import { sharedPromptKernel, WINDOW_BYTES } from '../wasm/prompt-kernel.ts';
import type { PromptKey } from '../wasm/prompt-key.ts';
import type { BodyReader, ReaderFailure, Span, UsageRequest } from './body-reader.ts';
import { fieldPlanFor } from './field-plan.ts';
import { RequestFields } from './request-fields.ts';

/** Members of the root object and of `stream_options` are looked at, nothing deeper. */
const WATCH_DEPTH = 2;

/**
 * Reads a JSON request body in one streaming pass: what the choice of an endpoint needs, and
 * whether the whole is one valid JSON object. Hot: bench `long-prompt`.
 */
export class RequestReader implements BodyReader {
  readonly modelEncoding = 'json';
  readonly #fields: RequestFields;
  readonly #scanner: JsonScanner;
  readonly #hasher: PromptHasher | null;
  #failure: ReaderFailure | null = null;
  #receivedBytes = 0;

  /** Hashes the prompt with `promptKey`; without one it does not. */
  constructor(api: ApiDefinition, promptKey: PromptKey | null) {
    const plan = fieldPlanFor(api);
    const kernel = sharedPromptKernel();
    const isHashed = promptKey !== null && kernel !== null && plan.prompt.texts.length > 0;
    this.#hasher = isHashed ? new PromptHasher(plan.prompt, promptKey, kernel) : null;
    this.#fields = new RequestFields(plan, this.#hasher);
    this.#scanner = new JsonScanner(this.#fields, plan.keys, WATCH_DEPTH, kernel);
  }

  push(chunk: Uint8Array): void {
    for (let from = 0; from < chunk.length; from += WINDOW_BYTES) {
      this.#pushWindow(from === 0 ? firstWindow(chunk) : chunk.subarray(from, from + WINDOW_BYTES));
    }
  }

  finish(): void {
    if (this.#failure !== null) return;
    this.#scanner.finish();
    this.#checkFailure();
    if (this.#failure !== null || this.#fields.model !== null) return;
    this.#failure = {
      code: 'model_missing',
      message: 'The body has no top-level "model".',
      offset: this.#receivedBytes,
    };
  }

  get failure(): ReaderFailure | null {
    return this.#failure;
  }

  get isComplete(): boolean {
    return this.#failure === null && this.#scanner.isComplete;
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  get model(): string | null {
    return this.#fields.model;
  }

  get stream(): boolean {
    return this.#fields.stream === true;
  }

  get maxTokens(): number | null {
    return this.#fields.maxTokens;
  }

  get promptBytes(): number {
    return this.#fields.promptBytes(this.#receivedBytes);
  }

  promptBlocks(salt: string): PromptBlocks {
    return this.#hasher === null ? NO_PROMPT_BLOCKS : this.#hasher.blocks(salt);
  }

  get modelSpan(): Span | null {
    return this.#fields.modelSpan;
  }

  get streamDecision(): boolean | null {
    return this.#fields.stream ?? (this.#scanner.isComplete ? false : null);
  }

  get usageRequest(): UsageRequest {
    return this.#fields.usageRequest();
  }

  get closeOffset(): number | null {
    return this.#fields.closeOffset;
  }

  #pushWindow(window: Uint8Array): void {
    const base = this.#receivedBytes;
    this.#receivedBytes += window.length;
    if (this.#failure !== null) return;
    if (this.#hasher !== null) this.#hasher.startChunk(window, base);
    this.#scanner.push(window);
    if (this.#hasher !== null) this.#hasher.endChunk();
    this.#checkFailure();
  }

  /** The earlier of the two wins, so that the answer does not depend on how the body was split. */
  #checkFailure(): void {
    const field = this.#fields.failure;
    const syntax = this.#scanner.failure;
    if (field !== null && (syntax === null || field.offset <= syntax.offset)) {
      this.#failure = field;
    } else if (syntax !== null) {
      this.#failure = failureFrom(syntax);
    }
  }
}

function firstWindow(chunk: Uint8Array): Uint8Array {
  return chunk.length <= WINDOW_BYTES ? chunk : chunk.subarray(0, WINDOW_BYTES);
}

function failureFrom(failure: JsonFailure): ReaderFailure {
  return { code: 'invalid_json', message: describe(failure), offset: failure.offset };
}

function describe(failure: JsonFailure): string {
  switch (failure.reason) {
    case 'truncated':
      return failure.offset === 0
        ? 'The body is empty; a JSON object is expected.'
        : `The JSON body ends early, after ${failure.offset} bytes.`;
    case 'too_deep':
      return `The JSON body is nested deeper than ${MAX_DEPTH} levels at byte ${failure.offset}.`;
    case 'unexpected':
      return `The body is not valid JSON: unexpected character at byte ${failure.offset}.`;
  }
}
