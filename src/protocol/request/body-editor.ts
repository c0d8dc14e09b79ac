import type { BodyReader, Span } from './body-reader.ts';
import { MAX_USAGE_EDIT_BYTES } from './request-fields.ts';

/** What shall change in a request body. */
export interface BodyEdits {
  /** The new model name, or null to keep the client's. */
  readonly model: string | null;
  /** Ask for the usage report should this turn out to be a stream. */
  readonly includeUsage: boolean;
}

interface Edit {
  readonly span: Span;
  readonly bytes: Uint8Array;
}

interface Held {
  readonly bytes: Uint8Array;
  readonly start: number;
}

/**
 * Turns received chunks into the chunks to send. Everything but the edited values passes as it
 * came, without a copy; bytes are held back only from a place on that may still need an edit.
 *
 * When the original length is known the new one must be known before the body is. So room for the
 * usage request is reserved and filled with spaces before the closing brace if it turns out not to
 * be needed.
 */
export class BodyEditor {
  /** Bytes of the edited body; null when the original's length is unknown. */
  readonly contentLength: number | null;
  /** Nothing can change: chunks may be forwarded without asking. */
  readonly isIdentity: boolean;
  readonly #reader: BodyReader;
  readonly #originalLength: number | null;
  /** Edits not yet applied, in the order of the body. */
  readonly #edits: Edit[] = [];
  #isUsageOpen: boolean;
  #usageInjected = false;
  #isPadded = false;
  #addedBytes = 0;
  #held: Held[] = [];
  #receivedBytes = 0;
  /** Offset in the original of the next byte to send. */
  #cursor = 0;

  /** `reader` must have read the model; the chunks it has taken so far are the first to `edit`. */
  constructor(
    reader: BodyReader,
    edits: BodyEdits,
    options: { readonly contentLength: number | null },
  ) {
    this.#reader = reader;
    this.#originalLength = options.contentLength;
    this.#isUsageOpen = edits.includeUsage && reader.modelEncoding === 'json';
    this.#addModelEdit(edits.model);
    this.#settleUsage();
    this.isIdentity = this.#edits.length === 0 && !this.#isUsageOpen;
    const reserved = this.#isUsageOpen ? MAX_USAGE_EDIT_BYTES : 0;
    this.contentLength =
      options.contentLength === null ? null : options.contentLength + this.#addedBytes + reserved;
  }

  /**
   * The request now asks for usage that the client did not ask for: its extra frame is to be
   * removed.
   */
  get usageInjected(): boolean {
    return this.#usageInjected;
  }

  /** Takes a chunk that the reader has already taken; returns what can be sent now. */
  edit(chunk: Uint8Array): readonly Uint8Array[] {
    const start = this.#receivedBytes;
    this.#receivedBytes += chunk.length;
    if (this.isIdentity) return [chunk];
    this.#settleUsage();
    this.#addPadding();
    this.#held.push({ bytes: chunk, start });
    return this.#release(this.#limit());
  }

  /** The body has ended and the reader has been told so. */
  finish(): readonly Uint8Array[] {
    if (this.isIdentity) return [];
    this.#settleUsage();
    this.#isUsageOpen = false;
    return this.#release(this.#receivedBytes);
  }

  #addModelEdit(model: string | null): void {
    const span = this.#reader.modelSpan;
    if (model === null || span === null || model === this.#reader.model) return;
    const text = this.#reader.modelEncoding === 'json' ? JSON.stringify(model) : model;
    this.#addEdit(span, text);
  }

  /** Decides on the usage request as soon as the reader knows enough. */
  #settleUsage(): void {
    if (!this.#isUsageOpen) return;
    const request = this.#reader.usageRequest;
    const isStream = this.#reader.streamDecision;
    if (isStream === false || request.kind === 'settled') {
      this.#isUsageOpen = false;
    } else if (isStream === true && request.kind === 'edit') {
      this.#isUsageOpen = false;
      this.#usageInjected = true;
      this.#addEdit(request.span, request.text);
    }
  }

  #addEdit(span: Span, text: string): void {
    const bytes = Buffer.from(text);
    this.#addedBytes += bytes.length - (span.end - span.start);
    this.#edits.push({ span, bytes });
    this.#edits.sort((a, b) => a.span.start - b.span.start);
  }

  #addPadding(): void {
    const close = this.#reader.closeOffset;
    if (this.#isPadded || close === null || this.contentLength === null) return;
    this.#isPadded = true;
    const edited = (this.#originalLength ?? 0) + this.#addedBytes;
    const missing = this.contentLength - edited;
    if (missing > 0) this.#addEdit({ start: close, end: close }, ' '.repeat(missing));
  }

  /** Offset from which on the body may still need an edit. */
  #limit(): number {
    if (!this.#isUsageOpen) return this.#receivedBytes;
    const request = this.#reader.usageRequest;
    if (request.kind === 'settled') return this.#receivedBytes;
    const from = request.kind === 'edit' ? request.span.start : request.holdFrom;
    return Math.min(from ?? this.#receivedBytes, this.#receivedBytes);
  }

  #release(limit: number): readonly Uint8Array[] {
    const out: Uint8Array[] = [];
    const kept: Held[] = [];
    for (const held of this.#held) {
      this.#applyTo(held, limit, out);
      if (held.start + held.bytes.length > limit) kept.push(held);
    }
    this.#held = kept;
    return out;
  }

  /**
   * Sends what of one chunk lies between the cursor and `limit`, with the edits that begin there.
   */
  #applyTo(held: Held, limit: number, out: Uint8Array[]): void {
    const end = Math.min(limit, held.start + held.bytes.length);
    for (;;) {
      const edit = this.#edits[0];
      if (edit === undefined || edit.span.start >= end) break;
      pushPart(held, this.#cursor, edit.span.start, out);
      out.push(edit.bytes);
      this.#cursor = edit.span.end;
      this.#edits.shift();
    }
    pushPart(held, this.#cursor, end, out);
    this.#cursor = Math.max(this.#cursor, end);
  }
}

function pushPart(held: Held, from: number, to: number, out: Uint8Array[]): void {
  const start = Math.max(0, from - held.start);
  const end = to - held.start;
  if (start >= end) return;
  const isWhole = start === 0 && end === held.bytes.length;
  out.push(isWhole ? held.bytes : held.bytes.subarray(start, end));
}
