import {
  ACTION,
  FIRST_ACTION,
  CLASSES,
  FIRST_STRING_STATE,
  MODE,
  SCALAR_STATES,
  STATE,
  STATE_MASK,
  STRING_FLAG,
  TRANSITIONS,
} from './json-grammar.ts';
import { type PromptKernel, sharedPromptKernel, WINDOW_BYTES } from '../wasm/prompt-kernel.ts';
import type { KeyTable } from './key-table.ts';
import { skipStringRun } from './string-run.ts';

/**
 * Deepest nesting that is followed; deeper documents are refused, as engines' parsers do sooner or
 * later.
 */
export const MAX_DEPTH = 512;

/** Longest raw scalar, in bytes, whose text is handed to the sink. */
export const MAX_TEXT_BYTES = 4096;

/** What a value is, told by its first byte. */
export type ValueKind = 'string' | 'number' | 'true' | 'false' | 'null' | 'object' | 'array';

/**
 * Why a document was refused: a byte the grammar does not allow, nesting too deep, or its early
 * end.
 */
export interface JsonFailure {
  readonly reason: 'unexpected' | 'too_deep' | 'truncated';
  /** Offset from the start of the document, in bytes. */
  readonly offset: number;
}

/**
 * Hears of the root value and of the members of objects down to the watched depth; offsets are
 * bytes from the start of the document. `depth` counts the containers around a value: 0 for the
 * root, 1 for a member of the root object. Elements of arrays are not reported.
 */
export interface JsonSink {
  /**
   * A key was read; `key` is its index in the key table, -1 for any other. Its value comes next.
   */
  onKey(depth: number, key: number): void;
  /** A value begins at `start`. Returns whether `onValueEnd` shall get its text (scalars only). */
  onValueStart(depth: number, kind: ValueKind, start: number): boolean;
  /**
   * The value ended before `end`. `text` is its raw JSON text when it was asked for, null when not
   * or when it is longer than `MAX_TEXT_BYTES`.
   */
  onValueEnd(depth: number, end: number, text: string | null): void;
}

const KIND_BITS = 32;
const NO_CAPTURE = -1;

/**
 * A resumable JSON scanner: accepts over any split into chunks exactly what `JSON.parse` accepts
 * for the same text, up to `MAX_DEPTH`. A byte order mark is refused, as `JSON.parse` does. Bytes
 * from 0x80 up are allowed inside strings only and are not checked to be valid UTF-8: the engine
 * that gets the same bytes decides. Allocates nothing per token. Hot: bench `long-prompt`.
 */
export class JsonScanner {
  readonly #sink: JsonSink;
  readonly #keys: KeyTable;
  readonly #watchDepth: number;
  readonly #kernel: PromptKernel | null;
  #state: number = STATE.value;
  #depth = 0;
  /**
   * One bit per open container, lowest = innermost: 1 for an object. 32 levels, older ones spilled.
   */
  #kinds = 0;
  readonly #spilledKinds: number[] = [];
  /**
   * Part of the table in use: whether values at the present position are reported, else where they
   * lie.
   */
  #mode: number = MODE.watched;
  /** Offset in the document of the current chunk's first byte. */
  #base = 0;
  /** Index in the current chunk where the text to capture goes on, or NO_CAPTURE. */
  #captureFrom = NO_CAPTURE;
  #captureLimit = 0;
  #carry: Buffer | null = null;
  #isCaptureTooLong = false;
  #failure: JsonFailure | null = null;

  /** Values are reported in objects down to `watchDepth`. Without a kernel all is slower. */
  constructor(
    sink: JsonSink,
    keys: KeyTable,
    watchDepth: number,
    kernel: PromptKernel | null = sharedPromptKernel(),
  ) {
    this.#sink = sink;
    this.#keys = keys;
    this.#watchDepth = watchDepth;
    this.#kernel = kernel;
  }

  get failure(): JsonFailure | null {
    return this.#failure;
  }

  /** The root value is closed; only white space may follow. */
  get isComplete(): boolean {
    return this.#state === STATE.done && this.#failure === null;
  }

  /** Bytes taken so far. */
  get offset(): number {
    return this.#base;
  }

  /** Scans the next bytes of the document. After a failure they are only counted. */
  push(bytes: Uint8Array): void {
    if (bytes.length > WINDOW_BYTES) {
      this.#pushWindows(bytes);
      return;
    }
    if (this.#failure === null) {
      if (this.#kernel !== null) this.#kernel.unload();
      this.#scan(bytes);
      if (this.#captureFrom !== NO_CAPTURE) this.#keepCapture(bytes);
    }
    this.#base += bytes.length;
  }

  /** The document has ended. */
  finish(): void {
    if (this.#failure !== null) return;
    if (this.#depth === 0 && isNumberEnd(this.#state)) this.#endScalar(EMPTY, 0);
    if (this.#state !== STATE.done) this.#fail('truncated', 0);
  }

  /** Forgets the document; the next bytes begin another one. */
  reset(): void {
    this.#state = STATE.value;
    this.#mode = MODE.watched;
    this.#depth = 0;
    this.#kinds = 0;
    this.#spilledKinds.length = 0;
    this.#base = 0;
    this.#failure = null;
    this.#dropCapture();
  }

  #pushWindows(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; from += WINDOW_BYTES) {
      this.push(bytes.subarray(from, from + WINDOW_BYTES));
    }
  }

  #scan(bytes: Uint8Array): void {
    const length = bytes.length;
    let index = this.#state >= FIRST_STRING_STATE ? this.#skipString(bytes, 0) : 0;
    if (this.#mode !== MODE.watched) index = this.#walk(bytes, index);
    let row = this.#mode | this.#state;
    while (index < length) {
      const next = TRANSITIONS[row | (CLASSES[bytes[index] as number] as number)] as number;
      if (next < STRING_FLAG) {
        row = next;
        index++;
      } else if (next < FIRST_ACTION) {
        row = next ^ STRING_FLAG;
        index = this.#skipString(bytes, index + 1);
      } else {
        index = this.#act(next, bytes, index);
        if (this.#mode !== MODE.watched) index = this.#walk(bytes, index);
        row = this.#mode | this.#state;
        if (this.#state >= FIRST_STRING_STATE) index = this.#skipString(bytes, index);
      }
    }
    this.#state = row & STATE_MASK;
  }

  #skipString(bytes: Uint8Array, from: number): number {
    const kernel = this.#kernel;
    if (kernel === null) return skipStringRun(bytes, from);
    kernel.load(bytes);
    return kernel.skipString(from, bytes.length);
  }

  /** Goes on to where the sink or this object's own stack is needed next. */
  #walk(bytes: Uint8Array, from: number): number {
    const kernel = this.#kernel;
    // Only from here down nothing more is watched.
    if (kernel === null || this.#depth < this.#watchDepth || from >= bytes.length) return from;
    kernel.load(bytes);
    const row = this.#mode | this.#state;
    const index = kernel.walk(from, bytes.length, { row, depth: MAX_DEPTH - this.#depth });
    const levels = kernel.walkedLevels;
    for (let level = 1; level <= levels; level++) this.#enter(kernel.walkedKind(level));
    this.#state = kernel.walkedRow & STATE_MASK;
    return index;
  }

  /** Carries out one action at `index`, sets the state and returns the index to go on from. */
  #act(action: number, bytes: Uint8Array, index: number): number {
    switch (action) {
      case ACTION.keyStart:
        this.#startCapture(index + 1, this.#keys.maxRawBytes);
        this.#state = STATE.keyString;
        return index + 1;
      case ACTION.keyEnd:
        this.#sink.onKey(this.#depth, this.#takeKey(bytes, index));
        this.#state = STATE.colon;
        return index + 1;
      case ACTION.stringStart:
        this.#startValue('string', index);
        this.#state = STATE.string;
        return index + 1;
      case ACTION.scalarStart:
        return this.#startScalar(bytes, index);
      case ACTION.valueEnd:
        this.#endScalar(bytes, index + 1);
        return index + 1;
      case ACTION.numberEnd:
        this.#endScalar(bytes, index);
        return index;
      default:
        return this.#actOnContainer(action, bytes, index);
    }
  }

  #actOnContainer(action: number, bytes: Uint8Array, index: number): number {
    switch (action) {
      case ACTION.openObject:
        this.#startValue('object', index);
        return this.#open(1, bytes, index);
      case ACTION.openArray:
        this.#startValue('array', index);
        return this.#open(0, bytes, index);
      case ACTION.closeObject:
      case ACTION.closeArray:
        this.#close();
        this.#reportEnd(index + 1, null);
        this.#state = this.#stateAfterValue();
        return index + 1;
      default:
        this.#fail('unexpected', index);
        return bytes.length;
    }
  }

  #open(kind: number, bytes: Uint8Array, index: number): number {
    if (this.#depth === MAX_DEPTH) {
      this.#fail('too_deep', index);
      return bytes.length;
    }
    this.#enter(kind);
    this.#state = kind === 1 ? STATE.objectFirst : STATE.arrayFirst;
    return index + 1;
  }

  #enter(kind: number): void {
    if (this.#depth > 0 && this.#depth % KIND_BITS === 0) this.#spilledKinds.push(this.#kinds);
    this.#kinds = (this.#kinds << 1) | kind;
    this.#depth++;
    this.#mode = this.#modeOf(kind);
  }

  #close(): void {
    this.#depth--;
    if (this.#depth > 0 && this.#depth % KIND_BITS === 0) {
      this.#kinds = this.#spilledKinds.pop() ?? 0;
    } else {
      this.#kinds >>>= 1;
    }
    this.#mode = this.#depth === 0 ? MODE.watched : this.#modeOf(this.#kinds & 1);
  }

  #modeOf(kind: number): number {
    if (kind === 0) return MODE.array;
    return this.#depth <= this.#watchDepth ? MODE.watched : MODE.object;
  }

  #stateAfterValue(): number {
    if (this.#depth === 0) return STATE.done;
    return (this.#kinds & 1) === 1 ? STATE.objectAfter : STATE.arrayAfter;
  }

  #startValue(kind: ValueKind, index: number): void {
    if (this.#mode !== MODE.watched) return;
    if (this.#sink.onValueStart(this.#depth, kind, this.#base + index)) {
      this.#startCapture(index, MAX_TEXT_BYTES);
    }
  }

  #startScalar(bytes: Uint8Array, index: number): number {
    const state = SCALAR_STATES[CLASSES[bytes[index] as number] as number] as number;
    this.#startValue(scalarKind(state), index);
    this.#state = state;
    return index + 1;
  }

  #endScalar(bytes: Uint8Array, end: number): void {
    const text = this.#captureFrom === NO_CAPTURE ? null : this.#takeText(bytes, end);
    this.#reportEnd(end, text);
    this.#state = this.#stateAfterValue();
  }

  #reportEnd(end: number, text: string | null): void {
    if (this.#mode === MODE.watched) this.#sink.onValueEnd(this.#depth, this.#base + end, text);
  }

  #takeKey(bytes: Uint8Array, end: number): number {
    const from = this.#captureFrom;
    const carry = this.#carry;
    const isTooLong = this.#isCaptureTooLong;
    this.#dropCapture();
    if (isTooLong) return -1;
    if (carry === null) return this.#keys.find(bytes, from, end);
    const whole = Buffer.concat([carry, bytes.subarray(from, end)]);
    return this.#keys.find(whole, 0, whole.length);
  }

  #startCapture(index: number, limit: number): void {
    this.#captureFrom = index;
    this.#captureLimit = limit;
  }

  #dropCapture(): void {
    this.#captureFrom = NO_CAPTURE;
    this.#carry = null;
    this.#isCaptureTooLong = false;
  }

  #takeText(bytes: Uint8Array, end: number): string | null {
    const from = this.#captureFrom;
    const carry = this.#carry;
    const size = end - from + (carry === null ? 0 : carry.length);
    const isTooLong = this.#isCaptureTooLong || size > this.#captureLimit;
    this.#dropCapture();
    if (isTooLong) return null;
    if (carry === null && bytes instanceof Buffer) return bytes.toString('utf8', from, end);
    return Buffer.concat([carry ?? EMPTY, bytes.subarray(from, end)]).toString('utf8');
  }

  /** The chunk ends inside a text to capture: its part is copied, as the chunk may be reused. */
  #keepCapture(bytes: Uint8Array): void {
    const part = bytes.subarray(this.#captureFrom);
    const kept = this.#carry === null ? 0 : this.#carry.length;
    this.#captureFrom = 0;
    if (this.#isCaptureTooLong || kept + part.length > this.#captureLimit) {
      this.#isCaptureTooLong = true;
      this.#carry = null;
    } else {
      this.#carry = this.#carry === null ? Buffer.from(part) : Buffer.concat([this.#carry, part]);
    }
  }

  #fail(reason: JsonFailure['reason'], index: number): void {
    this.#failure = { reason, offset: this.#base + index };
    this.#dropCapture();
  }
}

const EMPTY = new Uint8Array(0);

function isNumberEnd(state: number): boolean {
  return (
    state === STATE.zero ||
    state === STATE.integer ||
    state === STATE.fraction ||
    state === STATE.exponentDigits
  );
}

function scalarKind(state: number): ValueKind {
  if (state === STATE.true1) return 'true';
  if (state === STATE.false1) return 'false';
  return state === STATE.null1 ? 'null' : 'number';
}
