import { CLASSES, TRANSITIONS } from '../json/json-grammar.ts';
import { SaltMemory } from './salt-memory.ts';
import type { PromptKey } from './prompt-key.ts';
import { PROMPT_MODULE } from './prompt-module.ts';

/** Most bytes that the kernel takes at a time: as much as Node reads from a socket at once. */
export const WINDOW_BYTES: number = 64 * 1024;

/** What prompt.wat exports; the numbers are addresses in its memory. */
interface PromptExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly key: { readonly value: number };
  readonly chain: { readonly value: number };
  readonly hashes: { readonly value: number };
  readonly input: { readonly value: number };
  readonly classes: { readonly value: number };
  readonly transitions: { readonly value: number };
  readonly levels: { readonly value: number };
  readonly walked: { readonly value: number };
  walk(at: number, end: number, row: number, depth: number): number;
  skip(at: number, end: number): number;
  hash(at: number, end: number): void;
  finish(at: number, length: number): void;
}

/** The part of the WebAssembly API in use; Node's types do not have it. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

const WORDS_PER_HASH = 2;
const HASH_BYTES = 8;
const BLOCK_BYTES = 256;

/**
 * The WebAssembly module with its memory: chunks are copied in, then looked through and hashed.
 * Calls are synchronous and leave nothing behind that a later one needs, so all readers share one.
 * Copying 64 KiB takes 1.5 us, skipping them 6 to 20 us, hashing them 4 us. Hot: bench
 * `long-prompt`.
 */
export class PromptKernel {
  readonly #exports: PromptExports;
  readonly #memory: Buffer;
  readonly #input: number;
  readonly #inputWords: Uint32Array;
  readonly #chain: Uint32Array;
  readonly #hashes: Uint32Array;
  readonly #levels: Uint8Array;
  readonly #walked: Uint32Array;
  /** What was worked out with the key in use, and may be wanted again. */
  readonly salts: SaltMemory = new SaltMemory();
  #loaded: Uint8Array | null = null;
  #key: PromptKey | null = null;

  constructor(exports: PromptExports) {
    const { buffer } = exports.memory;
    this.#exports = exports;
    this.#memory = Buffer.from(buffer);
    this.#input = exports.input.value;
    this.#inputWords = new Uint32Array(buffer, exports.input.value, WINDOW_BYTES / 4);
    this.#chain = new Uint32Array(buffer, exports.chain.value, WORDS_PER_HASH);
    this.#hashes = new Uint32Array(buffer, exports.hashes.value);
    this.#levels = new Uint8Array(buffer, exports.levels.value);
    this.#walked = new Uint32Array(buffer, exports.walked.value);
    this.#memory.set(CLASSES, exports.classes.value);
    new Uint16Array(buffer, exports.transitions.value).set(TRANSITIONS);
  }

  /** The next `load` copies, even the same object: its bytes may be others by then. */
  unload(): void {
    this.#loaded = null;
  }

  /** Copies `chunk`, at most `WINDOW_BYTES`, unless that was done since the last `unload`. */
  load(chunk: Uint8Array): void {
    if (this.#loaded === chunk) return;
    this.#memory.set(chunk, this.#input);
    this.#loaded = chunk;
  }

  /**
   * Index in the loaded chunk of the first byte in `[from, end)` that the body of a JSON string
   * cannot pass over: its closing quote, a control character, or an escape that is wrong or does
   * not end before `end`; `end` when there is none.
   */
  skipString(from: number, end: number): number {
    return this.#exports.skip(this.#input + from, this.#input + end) - this.#input;
  }

  /**
   * Follows the grammar (json-grammar.ts) through the loaded chunk from `row` at `from`, inside a
   * container whose values are not reported. Stops before `end` at the end of that container, at a
   * byte that is not allowed and at a container more than `depth` levels deeper; returns its index.
   */
  walk(from: number, end: number, place: { readonly row: number; readonly depth: number }): number {
    const { row, depth } = place;
    return this.#exports.walk(this.#input + from, this.#input + end, row, depth) - this.#input;
  }

  /** Row where the last walk stopped. */
  get walkedRow(): number {
    return this.#walked[0] as number;
  }

  /** Containers that the last walk opened and did not close. */
  get walkedLevels(): number {
    return this.#walked[1] as number;
  }

  /** Kind of such a container, from 1 for the outermost: 1 for an object, 0 for an array. */
  walkedKind(level: number): number {
    return this.#levels[level] as number;
  }

  /** Hashes depend on `key` from here on. */
  useKey(key: PromptKey): void {
    if (this.#key === key) return;
    this.#memory.set(key.bytes, this.#exports.key.value);
    this.#key = key;
    this.salts.clear();
  }

  /** Puts `bytes`, at most one block, before the loaded chunk: they have negative indices. */
  prepend(bytes: Uint8Array): void {
    this.#memory.set(bytes, this.#input - bytes.length);
  }

  /** Where hashing goes on from. */
  setChain(low: number, high: number): void {
    this.#chain[0] = low;
    this.#chain[1] = high;
  }

  get chainLow(): number {
    return this.#chain[0] as number;
  }

  get chainHigh(): number {
    return this.#chain[1] as number;
  }

  /**
   * Takes the whole blocks in `[from, end)` of the loaded chunk into the chain; returns a view,
   * good until the next call, that begins with the chain after each block, low word first.
   */
  hashBlocks(from: number, end: number): Uint32Array {
    this.#exports.hash(this.#input + from, this.#input + end);
    return this.#hashes;
  }

  /** Takes the last bytes, fewer than a block, and their number into the chain. */
  finishChain(from: number, end: number): void {
    this.#exports.finish(this.#input + from, end - from);
  }

  /** Puts a hash in place `index` of the input, in the stead of a chunk. */
  putHash(index: number, low: number, high: number): void {
    this.#inputWords[index * WORDS_PER_HASH] = low;
    this.#inputWords[index * WORDS_PER_HASH + 1] = high;
  }

  /** Puts a text behind the first `hashes` hashes, cut to the window; returns the end of both. */
  putText(hashes: number, text: string): number {
    const from = hashes * HASH_BYTES;
    const size = this.#memory.write(text, this.#input + from, WINDOW_BYTES - from, 'utf8');
    return from + size;
  }

  /** Begins a new chain with the first `end` bytes of what was put in, as all there is. */
  digest(end: number): void {
    this.#loaded = null;
    this.setChain(0, 0);
    const whole = end - (end % BLOCK_BYTES);
    this.hashBlocks(0, whole);
    this.finishChain(whole, end);
  }
}

/** Undefined until it is first asked for; null where processor or flags allow none. */
let shared: PromptKernel | null | undefined;

/**
 * The kernel of this process, made at the first call in about a millisecond. Null where V8 has no
 * WebAssembly with vectors (an x86 processor without SSE4.1, `--jitless`).
 */
export function sharedPromptKernel(): PromptKernel | null {
  if (shared === undefined) shared = createPromptKernel();
  return shared;
}

function createPromptKernel(): PromptKernel | null {
  try {
    const module = new WebAssembly.Module(Buffer.from(PROMPT_MODULE, 'base64'));
    return new PromptKernel(new WebAssembly.Instance(module).exports as PromptExports);
  } catch {
    return null;
  }
}
