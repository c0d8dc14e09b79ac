import type { PromptBlocks } from './prompt-blocks.ts';

/** Why a request body is refused; `code` is a code of the error table. */
export interface ReaderFailure {
  readonly code: 'invalid_json' | 'model_missing' | 'invalid_multipart';
  /** One sentence for the client. */
  readonly message: string;
  /** Where in the body, in bytes. */
  readonly offset: number;
}

/** Bytes `[start, end)` of the body. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * What a JSON body says about the usage report of its stream, should it be one. `settled`: no edit
 * is wanted. `edit`: `text` in the place of `span` asks for usage. `open`: not known yet, and bytes
 * from `holdFrom` on may belong to the edit.
 */
export type UsageRequest =
  | { readonly kind: 'settled' }
  | { readonly kind: 'open'; readonly holdFrom: number | null }
  | { readonly kind: 'edit'; readonly span: Span; readonly text: string };

/** Reads what the gateway must know from a request body while its chunks come in. */
export interface BodyReader {
  /** Takes the next bytes; never throws. After a failure they are only counted. */
  push(chunk: Uint8Array): void;
  /** The body has ended: sets `failure` when it is truncated or has no model. */
  finish(): void;
  readonly failure: ReaderFailure | null;
  /** The document is complete: only white space (or a multipart epilogue) may follow. */
  readonly isComplete: boolean;
  readonly receivedBytes: number;
  /** The model with escapes resolved; null until it has been read. */
  readonly model: string | null;
  /** `"stream": true` was seen. */
  readonly stream: boolean;
  /** First valid one of the API's output limits, in tokens; null when none was seen. */
  readonly maxTokens: number | null;
  /** Bytes of the API's prompt fields seen so far. */
  readonly promptBytes: number;
  /**
   * Whole blocks of the prompt read so far; `salt` is what the caller knows of the model behind
   * (pool, upstream model, adapter). May be called again when more has arrived: then there are more
   * blocks and the first ones are the same. None while `tools` is being read; tools or a system
   * prompt that come after the first blocks were given are left out. Costs 5 ns per block.
   */
  promptBlocks(salt: string): PromptBlocks;

  /** Bytes of the model's value, quotes included in JSON; null until it has been read. */
  readonly modelSpan: Span | null;
  /** How a replacement for the model's value is written. */
  readonly modelEncoding: 'json' | 'raw';
  /** Whether this is a stream: null while it may still turn out to be one. */
  readonly streamDecision: boolean | null;
  /** The edit that asks the engine for stream usage. */
  readonly usageRequest: UsageRequest;
  /** Offset of the byte that closes the document; null until it was seen and in multipart. */
  readonly closeOffset: number | null;
}
