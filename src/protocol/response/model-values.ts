import { JsonScanner, type JsonSink, type ValueKind } from '../json/json-scanner.ts';
import { KeyTable } from '../json/key-table.ts';

const KEYS = new KeyTable(['model', 'message', 'response']);
const MODEL_KEY = 0;
const WATCH_DEPTH = 2;

/**
 * Remembers where `model` strings stand: at the top, in `message` (Anthropic) or `response`
 * (Responses).
 */
class ModelSink implements JsonSink {
  /** Offsets in the document: start, end, start, end, … */
  readonly marks: number[] = [];
  #isParent = false;
  #isModel = false;
  #isOpen = false;

  onKey(depth: number, key: number): void {
    if (depth === 1) this.#isParent = key > MODEL_KEY;
    this.#isModel = key === MODEL_KEY && (depth === 1 || this.#isParent);
  }

  onValueStart(depth: number, kind: ValueKind, start: number): boolean {
    if (depth > 0 && this.#isModel && kind === 'string') {
      this.marks.push(start);
      this.#isOpen = true;
    }
    this.#isModel = false;
    return false;
  }

  onValueEnd(_depth: number, end: number): void {
    if (!this.#isOpen) return;
    this.marks.push(end);
    this.#isOpen = false;
  }
}

/**
 * Replaces the `model` strings of a JSON document as its chunks pass: nothing is held back, as the
 * bytes of an old name are dropped and the new one is written where it began. Text that is not JSON
 * passes.
 */
export class ModelRewriter {
  readonly #sink = new ModelSink();
  readonly #scanner: JsonScanner = new JsonScanner(this.#sink, KEYS, WATCH_DEPTH);
  readonly #replacement: Buffer;
  #isInside = false;

  /** `replacement` is the new name as JSON text, quotes included. */
  constructor(replacement: Buffer) {
    this.#replacement = replacement;
  }

  /**
   * Takes the next bytes; returns the same buffer when nothing in it changes, null when all of it
   * goes.
   */
  push(chunk: Buffer): Buffer | null {
    const base = this.#scanner.offset;
    this.#scanner.push(chunk);
    const marks = this.#sink.marks;
    this.#closeBrokenValue(marks, base);
    if (marks.length === 0) return this.#isInside ? null : chunk;
    const out: Buffer[] = [];
    let kept = 0;
    for (const mark of marks) {
      if (this.#isInside) kept = mark - base;
      else out.push(chunk.subarray(kept, mark - base), this.#replacement);
      this.#isInside = !this.#isInside;
    }
    if (!this.#isInside) out.push(chunk.subarray(kept));
    marks.length = 0;
    return out.length === 0 ? null : Buffer.concat(out);
  }
  /** A document that breaks off inside a model's name is passed on from there. */
  #closeBrokenValue(marks: number[], base: number): void {
    const failure = this.#scanner.failure;
    const endsInside = this.#isInside === (marks.length % 2 === 0);
    if (failure !== null && endsInside) marks.push(Math.max(base, failure.offset));
  }
}
