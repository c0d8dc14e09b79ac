import { JsonScanner, type JsonSink, type ValueKind } from '../json/json-scanner.ts';
import { KeyTable } from '../json/key-table.ts';

const KEYS = new KeyTable(['model', 'message', 'response']);
const MODEL_KEY = 0;
const WATCH_DEPTH = 2;
const NO_MARKS: readonly number[] = [];

/**
 * Remembers where `model` strings stand: at the top, in `message` (Anthropic) or `response`
 * (Responses).
 */
class ModelSink implements JsonSink {
  /** Offsets in the document: start, end, start, end, … */
  marks: number[] = [];
  #isParent = false;
  #isModel = false;
  #isOpen = false;

  /** Hands the marks over as distances from `base`. */
  takeMarks(base: number): readonly number[] {
    const marks = this.marks;
    if (marks.length === 0) return NO_MARKS;
    this.marks = [];
    for (let i = 0; i < marks.length; i++) marks[i] = (marks[i] as number) - base;
    return marks;
  }

  /** The next events are of another document. */
  reset(): void {
    this.#isParent = false;
    this.#isModel = false;
    this.#isOpen = false;
  }

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
 * Finds the `model` strings of a JSON document as its chunks pass. Text that is not JSON has none.
 */
export class ModelFinder {
  readonly #sink = new ModelSink();
  readonly #scanner: JsonScanner = new JsonScanner(this.#sink, KEYS, WATCH_DEPTH);
  #isInside = false;

  /** The bytes taken so far end inside a model string. */
  get isInside(): boolean {
    return this.#isInside;
  }

  /**
   * Takes the next bytes and returns the indices in them at which a model string begins or ends, in
   * turn; the first is an end when the last bytes ended inside one.
   */
  take(bytes: Buffer): readonly number[] {
    const base = this.#scanner.offset;
    this.#scanner.push(bytes);
    const marks = this.#sink.marks;
    const failure = this.#scanner.failure;
    const endsInside = this.#isInside === (marks.length % 2 === 0);
    // A document that breaks off inside a name is passed on from there.
    if (failure !== null && endsInside) marks.push(Math.max(base, failure.offset));
    this.#isInside = failure === null && endsInside;
    return this.#sink.takeMarks(base);
  }

  /** The next bytes begin another document. */
  reset(): void {
    this.#scanner.reset();
    this.#sink.reset();
    this.#isInside = false;
  }
}

/**
 * Replaces the `model` strings of a JSON document as its chunks pass: nothing is held back, as the
 * bytes of an old name are dropped and the new one is written where it began.
 */
export class ModelRewriter {
  readonly #finder = new ModelFinder();
  readonly #replacement: Buffer;

  /** `replacement` is the new name as JSON text, quotes included. */
  constructor(replacement: Buffer) {
    this.#replacement = replacement;
  }

  /** Returns the same buffer when nothing in it changes, null when all of it goes. */
  push(chunk: Buffer): Buffer | null {
    let isInside = this.#finder.isInside;
    const marks = this.#finder.take(chunk);
    if (marks.length === 0) return isInside ? null : chunk;
    const out: Buffer[] = [];
    let kept = 0;
    for (const mark of marks) {
      if (isInside) kept = mark;
      else out.push(chunk.subarray(kept, mark), this.#replacement);
      isInside = !isInside;
    }
    if (!isInside) out.push(chunk.subarray(kept));
    return Buffer.concat(out);
  }
}
