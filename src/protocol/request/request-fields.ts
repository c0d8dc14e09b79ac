import type { JsonSink, ValueKind } from '../json/json-scanner.ts';
import { MAX_TEXT_BYTES } from '../json/json-scanner.ts';
import type { ReaderFailure, Span, UsageRequest } from './body-reader.ts';
import type { FieldPlan, FieldRole } from './field-plan.ts';
import type { PromptHasher } from './prompt-hasher.ts';

const USAGE_MEMBER = '"include_usage":true';
const USAGE_OPTIONS = `{${USAGE_MEMBER}}`;
const USAGE_FIELD = `,"stream_options":${USAGE_OPTIONS}`;
const SINGLE_FIELDS = { model: 1, stream: 2, stream_options: 4, include_usage: 8 } as const;
const SETTLED: UsageRequest = { kind: 'settled' };
const OPEN: UsageRequest = { kind: 'open', holdFrom: null };

/** Most bytes that asking for stream usage can add to a body. */
export const MAX_USAGE_EDIT_BYTES: number = USAGE_FIELD.length;

/**
 * Collects the fields of a request while a scanner reports them. A field that the gateway acts upon
 * (`model`, `stream`, `stream_options`, `include_usage`) may be given once only: parsers differ in
 * which of two they take, and the choice made on the first could not be taken back when a second
 * one comes.
 */
export class RequestFields implements JsonSink {
  readonly #plan: FieldPlan;
  readonly #hasher: PromptHasher | null;
  #role: FieldRole = 'none';
  /** Of the prompt plan; -1 for none. */
  #part = -1;
  /** Of the root's member that is being read. */
  #kind: ValueKind = 'null';
  #start = 0;
  /** Bits of `SINGLE_FIELDS`. */
  #seenFields = 0;
  /** The same of an `include_usage` that is being read; the start is null before its value. */
  #memberKind: ValueKind = 'null';
  #memberStart: number | null = null;
  #isIncludeUsage = false;
  #isInOptions = false;
  #finishedPromptBytes = 0;
  #promptStart: number | null = null;
  #options: Span | null = null;
  #optionsKind: ValueKind | null = null;
  #optionMembers = 0;
  #includeUsage: { readonly kind: ValueKind; readonly span: Span } | null = null;
  failure: ReaderFailure | null = null;
  model: string | null = null;
  modelSpan: Span | null = null;
  maxTokens: number | null = null;
  /** Null until `stream` was seen. */
  stream: boolean | null = null;
  closeOffset: number | null = null;

  constructor(plan: FieldPlan, hasher: PromptHasher | null) {
    this.#plan = plan;
    this.#hasher = hasher;
  }

  onKey(depth: number, key: number): void {
    if (depth === 1) {
      this.#role = this.#plan.roles[key] ?? 'none';
      this.#part = this.#plan.parts[key] ?? -1;
    } else if (this.#isInOptions) {
      this.#optionMembers++;
      this.#isIncludeUsage = key === this.#plan.includeUsageKey;
    }
  }

  onValueStart(depth: number, kind: ValueKind, start: number): boolean {
    if (depth === 0) return this.#startRoot(kind, start);
    if (depth === 1) {
      this.#start = start;
      this.#kind = kind;
      if (this.#part >= 0 && this.#hasher !== null) this.#hasher.beginPart(this.#part, start);
      return this.#startField(kind, start);
    }
    if (this.#isIncludeUsage) {
      this.#memberStart = start;
      this.#memberKind = kind;
      this.#refuseSecond('include_usage', start);
    }
    return false;
  }

  onValueEnd(depth: number, end: number, text: string | null): void {
    if (depth === 0) this.closeOffset = end - 1;
    else if (depth === 1) this.#endField(end, text);
    else if (this.#isIncludeUsage) this.#endIncludeUsage(end);
  }

  /** Bytes of prompt fields when `receivedBytes` of the body have come. */
  promptBytes(receivedBytes: number): number {
    const open = this.#promptStart === null ? 0 : receivedBytes - this.#promptStart;
    return this.#finishedPromptBytes + open;
  }

  /** What would ask for usage if this is a stream. */
  usageRequest(): UsageRequest {
    if (this.stream === false || !this.#plan.hasUsageOption) return SETTLED;
    if (this.#optionsKind === null) return this.#usageFromClose();
    if (this.#optionsKind === 'object') return this.#usageFromOptions();
    if (this.#optionsKind !== 'null') return SETTLED;
    return this.#options === null
      ? { kind: 'open', holdFrom: this.#start }
      : edit(this.#options, USAGE_OPTIONS);
  }

  #usageFromOptions(): UsageRequest {
    if (this.#includeUsage !== null) return this.#usageFromMember();
    if (this.#options === null) return { kind: 'open', holdFrom: this.#memberStart };
    const close = this.#options.end - 1;
    const text = this.#optionMembers === 0 ? USAGE_MEMBER : `,${USAGE_MEMBER}`;
    return edit({ start: close, end: close }, text);
  }

  #usageFromClose(): UsageRequest {
    const close = this.closeOffset;
    if (close === null) return OPEN;
    return this.stream === true ? edit({ start: close, end: close }, USAGE_FIELD) : SETTLED;
  }

  /** False and null mean no usage; anything else but true is the engine's to refuse. */
  #usageFromMember(): UsageRequest {
    const member = this.#includeUsage;
    if (member === null || (member.kind !== 'false' && member.kind !== 'null')) return SETTLED;
    return edit(member.span, 'true');
  }

  #startRoot(kind: ValueKind, start: number): boolean {
    if (kind !== 'object') {
      this.#fail('invalid_json', `The body must be a JSON object, not ${named(kind)}.`, start);
    }
    return false;
  }

  #startField(kind: ValueKind, start: number): boolean {
    const role = this.#role;
    if (role === 'none') return false;
    if (role === 'max_tokens') return kind === 'number' && this.maxTokens === null;
    if (role === 'prompt') {
      this.#promptStart = start;
      return false;
    }
    this.#refuseSecond(role, start);
    if (role === 'stream_options') {
      this.#optionsKind = kind;
      this.#isInOptions = kind === 'object';
      this.#optionMembers = 0;
    }
    if (role !== 'model') return false;
    if (kind !== 'string') {
      this.#fail('model_missing', `"model" must be a string, not ${named(kind)}.`, start);
    }
    return kind === 'string';
  }

  #refuseSecond(field: keyof typeof SINGLE_FIELDS, start: number): void {
    const bit = SINGLE_FIELDS[field];
    if ((this.#seenFields & bit) !== 0) {
      this.#fail('invalid_json', `"${field}" is given twice.`, start);
    }
    this.#seenFields |= bit;
  }

  #endField(end: number, text: string | null): void {
    if (this.#part >= 0 && this.#hasher !== null) this.#hasher.endPart(end);
    this.#part = -1;
    switch (this.#role) {
      case 'model':
        this.#endModel(end, text);
        break;
      case 'stream':
        this.stream = this.#kind === 'true';
        break;
      case 'stream_options':
        this.#options = { start: this.#start, end };
        this.#isInOptions = false;
        break;
      case 'max_tokens':
        this.#endMaxTokens(text);
        break;
      case 'prompt':
        this.#finishedPromptBytes += end - (this.#promptStart ?? end);
        this.#promptStart = null;
        break;
      case 'none':
        break;
    }
    this.#role = 'none';
  }

  #endModel(end: number, text: string | null): void {
    if (this.#kind !== 'string') return;
    if (text === null) {
      const message = `"model" is longer than ${MAX_TEXT_BYTES} bytes.`;
      this.#fail('model_missing', message, this.#start);
      return;
    }
    const model = decodeString(text);
    if (model === '') {
      this.#fail('model_missing', '"model" is empty.', this.#start);
      return;
    }
    this.model = model;
    this.modelSpan = { start: this.#start, end };
  }

  #endMaxTokens(text: string | null): void {
    const value = Number(text ?? Number.NaN);
    if (this.maxTokens === null && Number.isSafeInteger(value) && value >= 0) {
      this.maxTokens = value;
    }
  }

  #endIncludeUsage(end: number): void {
    const start = this.#memberStart ?? end;
    this.#includeUsage = { kind: this.#memberKind, span: { start, end } };
    this.#isIncludeUsage = false;
  }

  #fail(code: ReaderFailure['code'], message: string, offset: number): void {
    this.failure ??= { code, message, offset };
  }
}

/** Names seldom have escapes, and then the text between the quotes is the value. */
function decodeString(text: string): string {
  return text.includes('\\') ? (JSON.parse(text) as string) : text.slice(1, -1);
}

function edit(span: Span, text: string): UsageRequest {
  return { kind: 'edit', span, text };
}

function named(kind: ValueKind): string {
  switch (kind) {
    case 'array':
    case 'object':
      return `an ${kind}`;
    case 'string':
    case 'number':
      return `a ${kind}`;
    case 'true':
    case 'false':
    case 'null':
      return kind;
  }
}
