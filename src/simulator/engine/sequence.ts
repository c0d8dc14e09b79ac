import { TokenChain, type PromptDigest } from './prompt-digest.ts';
import type { EndReason } from './counters.ts';

/**
 * The tokens that the model will answer with, known in advance since nothing is really computed.
 */
export interface OutputPlan {
  /** Tokens to generate; 0 for a request that only reads its prompt (an embedding). */
  readonly length: number;
  /** What ends it: its own stop, or the caller's token limit. */
  readonly endReason: 'stop' | 'length';
  /** Id of output token `index`; the same for every call. */
  idAt(index: number): number;
}

/** Hears what happens to one sequence. Calls come from inside `step`; `cancel` is allowed there. */
export interface SequenceListener {
  /** One more token exists; `sequence.outputTokens` counts it. */
  onToken(sequence: Sequence, atMs: number): void;
  /** Nothing follows. Not called for a sequence that its holder cancelled. */
  onEnd(sequence: Sequence, reason: EndReason, atMs: number): void;
}

/** One generation, as handed to the engine model. */
export interface EngineRequest {
  readonly prompt: PromptDigest;
  readonly output: OutputPlan;
  /** Adapter to run with; null for the base model. Its name must be part of the prompt's salt. */
  readonly adapter: string | null;
  readonly listener: SequenceListener;
}

/**
 * Where a sequence is in its life: waiting ─► prefilling ─► decoding ─► ended; preemption goes
 * back.
 */
export type SequenceState = 'waiting' | 'prefilling' | 'decoding' | 'ended';

/**
 * A request inside the engine. Fields are written by the engine model only; holders read them.
 * Arrays are sized once for the longest the sequence can get, so that a token allocates nothing.
 */
export class Sequence {
  readonly request: EngineRequest;
  readonly arrivalMs: number;
  // What every token asks for, out of the request: each step of the way there costs a cache line.
  readonly promptTokens: number;
  readonly outputLength: number;
  readonly listener: SequenceListener;
  state: SequenceState = 'waiting';
  /** Output tokens so far. */
  outputTokens = 0;
  /** Prompt tokens found in the prefix cache at the first admission. */
  cachedTokens = 0;
  preemptions = 0;
  /** Engine time of the first admission and of the first token; NaN before. */
  admittedAtMs: number = Number.NaN;
  firstTokenAtMs: number = Number.NaN;
  /** Rank among admissions; the highest is preempted first. */
  admission = 0;
  /** Tokens whose KV is in the cache. */
  computedTokens = 0;
  /** Prompt tokens that the running step computes for this sequence. */
  chunkTokens = 0;
  readonly blocks: Int32Array;
  blockCount = 0;
  /** Two words per full block whose tokens are known. */
  readonly hashes: Int32Array;
  readonly #chain = new TokenChain();
  readonly #blockSizeTokens: number;
  /** Output tokens that are in the chain; those of the block that is not full follow with it. */
  #hashedOutput = 0;
  /** Tokens that the newest block still takes. */
  #untilFull: number;
  /** Links of the waiting list. */
  previous: Sequence | null = null;
  next: Sequence | null = null;

  constructor(request: EngineRequest, blockSizeTokens: number, arrivalMs: number) {
    this.request = request;
    this.arrivalMs = arrivalMs;
    this.promptTokens = request.prompt.tokens;
    this.outputLength = request.output.length;
    this.listener = request.listener;
    this.#blockSizeTokens = blockSizeTokens;
    this.#untilFull = blockSizeTokens - (this.promptTokens % blockSizeTokens);
    const blocks = Math.ceil((this.promptTokens + this.outputLength) / blockSizeTokens);
    this.blocks = new Int32Array(blocks);
    this.hashes = new Int32Array(blocks * 2);
    this.hashes.set(request.prompt.blockHashes);
    this.#chain.low = request.prompt.stateLow;
    this.#chain.high = request.prompt.stateHigh;
  }

  /** Prompt and output tokens that exist; KV of the newest output token is not yet computed. */
  get knownTokens(): number {
    return this.promptTokens + this.outputTokens;
  }

  /** Appends the next planned output token. */
  extend(): void {
    this.outputTokens += 1;
    this.#untilFull -= 1;
    if (this.#untilFull === 0) this.#closeBlock();
  }

  /** Hashes the output tokens of the block that is now full: in one go, as that is far cheaper. */
  #closeBlock(): void {
    const { output } = this.request;
    const chain = this.#chain;
    for (let index = this.#hashedOutput; index < this.outputTokens; index += 1) {
      chain.add(output.idAt(index));
    }
    this.#hashedOutput = this.outputTokens;
    this.#untilFull = this.#blockSizeTokens;
    const word = (this.knownTokens / this.#blockSizeTokens - 1) * 2;
    this.hashes[word] = chain.low;
    this.hashes[word + 1] = chain.high;
  }
}

/** First-in first-out list of sequences with removal from anywhere; links live in the sequences. */
export class SequenceList {
  #first: Sequence | null = null;
  #last: Sequence | null = null;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get first(): Sequence | null {
    return this.#first;
  }

  append(sequence: Sequence): void {
    sequence.previous = this.#last;
    sequence.next = null;
    if (this.#last === null) this.#first = sequence;
    else this.#last.next = sequence;
    this.#last = sequence;
    this.#size += 1;
  }

  prepend(sequence: Sequence): void {
    sequence.previous = null;
    sequence.next = this.#first;
    if (this.#first === null) this.#last = sequence;
    else this.#first.previous = sequence;
    this.#first = sequence;
    this.#size += 1;
  }

  remove(sequence: Sequence): void {
    if (sequence.previous === null) this.#first = sequence.next;
    else sequence.previous.next = sequence.next;
    if (sequence.next === null) this.#last = sequence.previous;
    else sequence.next.previous = sequence.previous;
    sequence.previous = null;
    sequence.next = null;
    this.#size -= 1;
  }
}
