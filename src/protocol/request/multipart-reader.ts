import type { ApiDefinition } from '../api-table.ts';
import { NO_PROMPT_BLOCKS, type PromptBlocks } from './prompt-blocks.ts';
import type { BodyReader, ReaderFailure, Span, UsageRequest } from './body-reader.ts';
import { parseBoundary, parsePartName } from './multipart-headers.ts';

/** Most bytes of one part's headers. */
export const MAX_PART_HEADER_BYTES: number = 16 * 1024;
/** Most bytes of a field whose value is read; as long as the longest model name in JSON. */
const MAX_FIELD_BYTES = 4096;
const CRLF = Buffer.from('\r\n');
const HEADERS_END = Buffer.from('\r\n\r\n');
const SETTLED: UsageRequest = { kind: 'settled' };
const NOTHING: Buffer = Buffer.alloc(0);

/** `preamble` -> (`delimiter` -> `headers` -> `body`)* -> `delimiter` -> `epilogue`. */
type Phase = 'preamble' | 'delimiter' | 'headers' | 'body' | 'epilogue';

/**
 * Reads the form fields `model` and `stream` of a multipart/form-data body (RFC 7578, RFC 2046 5.1)
 * in one streaming pass. Keeps at most one part's headers or a delimiter's length of the body.
 */
export class MultipartReader implements BodyReader {
  readonly modelEncoding = 'raw';
  readonly streamDecision = false;
  readonly usageRequest: UsageRequest = SETTLED;
  readonly closeOffset = null;
  readonly #promptFields: readonly string[];
  /** CRLF, two dashes and the boundary; the first one of a body may lack the CRLF. */
  readonly #delimiter: Buffer;
  #failure: ReaderFailure | null = null;
  #receivedBytes = 0;
  #phase: Phase = 'preamble';
  /** Bytes received and not consumed; `#restOffset` is the offset of the first. */
  #rest: Buffer = NOTHING;
  #restOffset = 0;
  #partName = '';
  #partStart = 0;
  #value: Buffer | null = null;
  #hasModel = false;
  #model: string | null = null;
  #modelSpan: Span | null = null;
  #stream = false;
  #promptBytes = 0;

  constructor(api: ApiDefinition, contentType: string) {
    this.#promptFields = api.promptFields;
    const boundary = parseBoundary(contentType);
    this.#delimiter = Buffer.from(`\r\n--${boundary ?? ''}`, 'latin1');
    if (boundary === null) {
      this.#fail('invalid_multipart', 'The multipart content type has no valid boundary.', 0);
    }
    // A delimiter that opens the body has no line end of its own before it.
    this.#rest = CRLF;
    this.#restOffset = -CRLF.length;
  }

  push(chunk: Uint8Array): void {
    this.#receivedBytes += chunk.length;
    if (this.#failure !== null || this.#phase === 'epilogue') return;
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    this.#rest = Buffer.concat([this.#rest, bytes]);
    while (this.#failure === null && this.#step());
  }

  finish(): void {
    if (this.#failure !== null) return;
    if (this.#phase !== 'epilogue') {
      const message = `The multipart body ends early, after ${this.#receivedBytes} bytes.`;
      this.#fail('invalid_multipart', message, this.#receivedBytes);
    } else if (this.#model === null) {
      const message = 'The form has no field "model".';
      this.#fail('model_missing', message, this.#receivedBytes);
    }
  }

  get failure(): ReaderFailure | null {
    return this.#failure;
  }

  get isComplete(): boolean {
    return this.#failure === null && this.#phase === 'epilogue';
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  get model(): string | null {
    return this.#model;
  }

  get stream(): boolean {
    return this.#stream;
  }

  get maxTokens(): number | null {
    return null;
  }

  get promptBytes(): number {
    return this.#promptBytes;
  }

  /** Forms carry no text that engines keep as a prefix. */
  promptBlocks(_salt: string): PromptBlocks {
    return NO_PROMPT_BLOCKS;
  }

  get modelSpan(): Span | null {
    return this.#modelSpan;
  }

  /** Does one piece of work; false when more bytes are needed first. */
  #step(): boolean {
    switch (this.#phase) {
      case 'preamble':
      case 'body':
        return this.#readToDelimiter();
      case 'delimiter':
        return this.#readDelimiterEnd();
      case 'headers':
        return this.#readHeaders();
      case 'epilogue':
        return false;
    }
  }

  #readToDelimiter(): boolean {
    const at = this.#rest.indexOf(this.#delimiter);
    if (at >= 0) {
      this.#takeBody(at);
      if (this.#phase === 'body') this.#endPart();
      this.#consume(this.#delimiter.length);
      this.#phase = 'delimiter';
      return true;
    }
    this.#takeBody(Math.max(0, this.#rest.length - this.#delimiter.length + 1));
    return false;
  }

  /**
   * After the boundary: two dashes end the body, a line end (blanks before it allowed) begins a
   * part.
   */
  #readDelimiterEnd(): boolean {
    if (this.#rest.length < 2) return false;
    if (this.#rest[0] === 0x2d && this.#rest[1] === 0x2d) {
      this.#phase = 'epilogue';
      this.#rest = NOTHING;
      return false;
    }
    const lineEnd = this.#rest.indexOf(CRLF);
    if (lineEnd < 0 && this.#rest.length <= MAX_PART_HEADER_BYTES) return false;
    if (lineEnd < 0 || /[^ \t]/.test(this.#rest.toString('latin1', 0, lineEnd))) {
      this.#fail('invalid_multipart', 'A multipart boundary line is broken.', this.#restOffset);
      return false;
    }
    // The line end stays: the headers may be empty, and then it is the first half of their end.
    this.#consume(lineEnd);
    this.#phase = 'headers';
    return true;
  }

  #readHeaders(): boolean {
    const end = this.#rest.indexOf(HEADERS_END);
    if (end < 0 ? this.#rest.length > MAX_PART_HEADER_BYTES : end > MAX_PART_HEADER_BYTES) {
      const message = `A part's headers are longer than ${MAX_PART_HEADER_BYTES} bytes.`;
      this.#fail('invalid_multipart', message, this.#restOffset);
      return false;
    }
    if (end < 0) return false;
    const name = parsePartName(this.#rest.toString('utf8', 0, end));
    if (name === null) {
      const message = 'A multipart part has no form-data name.';
      this.#fail('invalid_multipart', message, this.#restOffset);
      return false;
    }
    this.#consume(end + HEADERS_END.length);
    this.#beginPart(name);
    return true;
  }

  #beginPart(name: string): void {
    this.#phase = 'body';
    this.#partName = name;
    this.#partStart = this.#restOffset;
    if (name === 'model' && this.#hasModel) {
      this.#fail('invalid_multipart', 'The form field "model" is given twice.', this.#restOffset);
    }
    this.#value = name === 'model' || name === 'stream' ? NOTHING : null;
  }

  /** Consumes `size` bytes of preamble or part body. */
  #takeBody(size: number): void {
    if (this.#phase === 'body') {
      if (this.#promptFields.includes(this.#partName)) this.#promptBytes += size;
      if (this.#value !== null) this.#keepValue(size);
    }
    this.#consume(size);
  }

  #keepValue(size: number): void {
    const value = Buffer.concat([this.#value ?? NOTHING, this.#rest.subarray(0, size)]);
    if (value.length > MAX_FIELD_BYTES) {
      const message = `The form field "${this.#partName}" is longer than ${MAX_FIELD_BYTES} bytes.`;
      this.#fail('invalid_multipart', message, this.#partStart);
    } else {
      this.#value = value;
    }
  }

  #endPart(): void {
    if (this.#value === null || this.#failure !== null) return;
    const text = this.#value.toString('utf8');
    if (this.#partName === 'stream') {
      this.#stream = text.trim().toLowerCase() === 'true';
    } else if (text === '') {
      this.#fail('model_missing', 'The form field "model" is empty.', this.#partStart);
    } else {
      this.#hasModel = true;
      this.#model = text;
      this.#modelSpan = { start: this.#partStart, end: this.#restOffset };
    }
  }

  #consume(size: number): void {
    this.#rest = this.#rest.subarray(size);
    this.#restOffset += size;
  }

  #fail(code: ReaderFailure['code'], message: string, offset: number): void {
    this.#failure ??= { code, message, offset: Math.max(0, offset) };
  }
}
