import type { ApiDefinition } from '../api-table.ts';
import type { BytePatterns } from '../json/byte-patterns.ts';
import { parseJson } from '../json/parse-json.ts';
import { frameData, parseFrame, type SseFrame } from '../sse/frame.ts';
import { SseFrameSplitter } from '../sse/frame-splitter.ts';
import { ModelFinder } from './model-values.ts';
import type { ResponseBody } from './response-body.ts';
import { isLastFrame, triggersFor } from './stream-end.ts';
import { isUsageObjectAt, UsageFinder } from './usage-finder.ts';
import type { UsageRecord } from './usage-shapes.ts';

const USAGE_KEY_BYTES = 7;
const QUOTE = 0x22;
const LINE_END: Buffer = Buffer.from('\n');
const LF = 0x0a;
const CR = 0x0d;

/** What shall change in an event stream. */
export interface SseEdits {
  /** The new model name as JSON text, or null to keep the engine's. */
  readonly model: Buffer | null;
  /** Remove the frame that holds nothing but the usage. */
  readonly stripUsageFrame: boolean;
}

/**
 * Follows an event stream. A chunk of whole frames in which nothing is to be read or changed is
 * returned as it is. When frames may change, a frame is held until it is whole; otherwise bytes
 * never wait.
 */
export class SseResponse implements ResponseBody {
  readonly #api: ApiDefinition;
  readonly #edits: SseEdits;
  readonly #isObserver: boolean;
  readonly #triggers: BytePatterns;
  readonly #splitter: SseFrameSplitter = new SseFrameSplitter();
  readonly #finder: UsageFinder;
  readonly #modelFinder = new ModelFinder();
  #sawEnd = false;
  #hasFlushed = false;

  constructor(api: ApiDefinition, record: UsageRecord, edits: SseEdits) {
    this.#api = api;
    this.#edits = edits;
    this.#isObserver = edits.model === null && !edits.stripUsageFrame;
    this.#triggers = triggersFor(api);
    this.#finder = new UsageFinder(record);
  }

  get sawEnd(): boolean {
    return this.#sawEnd;
  }

  get atFrameBoundary(): boolean {
    if (this.#isObserver) return this.#splitter.isAtBoundary;
    return !this.#hasFlushed && !this.#splitter.isInLongFrame;
  }

  /** Hot: bench `stream`. */
  push(chunk: Buffer): Buffer | null {
    const isPlain =
      this.#edits.model === null &&
      this.#splitter.isIdle &&
      endsFrame(chunk) &&
      !this.#hasTrigger(chunk);
    return isPlain ? chunk : this.#pushFrames(chunk);
  }

  finish(): Buffer | null {
    const rest = this.#splitter.flush();
    if (rest === null) return null;
    const edited = this.#takeFrame(rest);
    this.#hasFlushed ||= edited !== null;
    return this.#isObserver ? null : edited;
  }

  #hasTrigger(chunk: Buffer): boolean {
    let at = this.#triggers.indexIn(chunk, 0);
    while (at >= 0 && chunk[at] === QUOTE && !isUsageObjectAt(chunk, at + USAGE_KEY_BYTES)) {
      at = this.#triggers.indexIn(chunk, at + USAGE_KEY_BYTES);
    }
    return at >= 0;
  }

  #pushFrames(chunk: Buffer): Buffer | null {
    const wasIdle = this.#splitter.isIdle;
    const out: Buffer[] = [];
    let isChanged = false;
    for (const piece of this.#splitter.push(chunk)) {
      const bytes = piece.isFrame ? this.#takeFrame(piece.bytes) : this.#takePart(piece.bytes);
      if (bytes !== null) out.push(bytes);
      isChanged ||= bytes !== piece.bytes;
    }
    if (this.#isObserver || (!isChanged && wasIdle && this.#splitter.isIdle)) return chunk;
    const [first] = out;
    if (first === undefined) return null;
    return out.length === 1 ? first : Buffer.concat(out);
  }

  /** A part of a frame that is too long to be held passes as it is; its usage is still read. */
  #takePart(bytes: Buffer): Buffer {
    this.#finder.push(bytes);
    return bytes;
  }

  /** Reads a whole frame; returns what is to be forwarded of it. */
  #takeFrame(bytes: Buffer): Buffer | null {
    this.#finder.reset();
    const frame = parseFrame(bytes);
    if (frame.data.length === 0 && frame.event === null) return bytes;
    const data = frameData(bytes, frame);
    const countBefore = this.#finder.foundCount;
    this.#finder.push(data);
    this.#finder.reset();
    this.#sawEnd ||= isLastFrame(this.#api, frame.event, data);
    const hasUsage = this.#finder.foundCount > countBefore;
    if (this.#edits.stripUsageFrame && hasUsage && isUsageOnly(data)) return null;
    return this.#edits.model === null ? bytes : this.#rename(bytes, frame, this.#edits.model);
  }

  /** The document may lie on several data lines, which the standard joins with an LF. */
  #rename(bytes: Buffer, frame: SseFrame, model: Buffer): Buffer {
    const out: Buffer[] = [];
    let kept = 0;
    this.#modelFinder.reset();
    for (const { start, end } of frame.data) {
      if (start !== frame.data[0]?.start) this.#modelFinder.take(LINE_END);
      const marks = this.#modelFinder.take(bytes.subarray(start, end));
      for (let i = 1; i < marks.length; i += 2) {
        out.push(bytes.subarray(kept, start + (marks[i - 1] as number)), model);
        kept = start + (marks[i] as number);
      }
    }
    if (out.length === 0) return bytes;
    out.push(bytes.subarray(kept));
    return Buffer.concat(out);
  }
}

/** Whether a chunk ends with a blank line by itself: LF LF or CR LF CR LF. */
function endsFrame(chunk: Buffer): boolean {
  const length = chunk.length;
  if (length < 2 || chunk[length - 1] !== LF) return false;
  if (chunk[length - 2] === LF) return true;
  return length >= 4 && chunk[length - 2] === CR && chunk[length - 3] === LF;
}

/**
 * The extra frame of `include_usage`: a usage object and `choices: []`, so nothing of the answer.
 */
function isUsageOnly(data: Buffer): boolean {
  const value = parseJson(data.toString('utf8'));
  if (typeof value !== 'object' || value === null || !('choices' in value)) return false;
  const hasUsage = 'usage' in value && typeof value.usage === 'object' && value.usage !== null;
  return hasUsage && Array.isArray(value.choices) && value.choices.length === 0;
}
