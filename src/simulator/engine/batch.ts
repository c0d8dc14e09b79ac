import type { AdapterStore } from './adapter-store.ts';
import type { EngineCounters } from './counters.ts';
import type { PromptDigest } from './prompt-digest.ts';
import { SequenceList, type Sequence, type SequenceState } from './sequence.ts';
import type { SequenceBlocks } from './sequence-blocks.ts';
import { createStepShape, type StepCosts, type StepShape } from './step-time.ts';

/** Limits of one step, under vLLM's names. */
export interface BatchLimits {
  /** Sequences that run at once. */
  readonly maxNumSeqs: number;
  /** Tokens computed in one step, prefill and decode together; at least `maxNumSeqs`. */
  readonly maxNumBatchedTokens: number;
  /** Only its window matters here. */
  readonly costs: Pick<StepCosts, 'windowTokens'>;
}

/** What a batch works on. */
export interface BatchParts {
  readonly blocks: SequenceBlocks;
  readonly adapters: AdapterStore;
  readonly counters: EngineCounters;
}

/**
 * The sequences of an engine and the choice of what its next step computes:
 *
 *     waiting ──admit──► prefilling ──last chunk──► decoding ──► ended
 *        ▲                    │                        │
 *        └──── preempt ───────┴────────────────────────┘
 *
 * Every decoding sequence takes part in every step; what is left of the token budget goes to
 * unfinished prompts and then, oldest first, to waiting ones.
 */
export class Batch {
  readonly waiting: SequenceList = new SequenceList();
  decoding: Sequence[] = [];
  prefilling: Sequence[] = [];
  readonly shape: StepShape = createStepShape();
  /** Milliseconds that moving adapters adds to the planned step. */
  adapterMs = 0;
  readonly #limits: BatchLimits;
  readonly #parts: BatchParts;
  #admissions = 0;

  constructor(limits: BatchLimits, parts: BatchParts) {
    this.#limits = limits;
    this.#parts = parts;
  }

  get running(): number {
    return this.decoding.length + this.prefilling.length;
  }

  /** Prompt tokens that the cache holds now; takes and touches nothing. */
  cachedTokensOf({ blockHashes, tokens }: PromptDigest): number {
    return this.#parts.blocks.countCachedTokens(blockHashes, tokens);
  }

  /** Chooses the next step's work into `shape`; blocks and adapters are taken at once. */
  plan(nowMs: number): void {
    const shape = this.shape;
    const preemptionsBefore = this.#parts.counters.preemptions;
    shape.prefillTokens = 0;
    shape.prefillContextPairs = 0;
    shape.prefillWindowPairs = 0;
    shape.prefillContextTokens = 0;
    this.adapterMs = 0;
    this.#planDecoding();
    let budget = this.#limits.maxNumBatchedTokens - this.decoding.length;
    budget = this.#planPrefilling(budget);
    // As in vLLM: a step that had to preempt admits nobody, or the two would fight over blocks.
    if (this.#parts.counters.preemptions === preemptionsBefore) this.#admit(budget, nowMs);
  }

  enqueue(sequence: Sequence): void {
    this.waiting.append(sequence);
    this.#noteWaiting(sequence, 1);
  }

  /** Takes a sequence out of the waiting list. */
  dequeue(sequence: Sequence): void {
    this.waiting.remove(sequence);
    this.#noteWaiting(sequence, -1);
  }

  /** Gives back what a running sequence holds; the caller takes it off its list. */
  releaseRunning(sequence: Sequence): void {
    this.#parts.blocks.releaseAll(sequence);
    const adapter = sequence.request.adapter;
    if (adapter !== null) this.#parts.adapters.release(adapter);
  }

  /** Sends every running sequence back to the front of the queue, the oldest first in it. */
  preemptAll(): void {
    while (this.running > 0) this.#preempt(this.#newestRunning());
  }

  /** Drops sequences that have ended from the running lists. */
  removeEnded(): void {
    keepInState(this.decoding, 'decoding');
    keepInState(this.prefilling, 'prefilling');
  }

  #planDecoding(): void {
    const blocks = this.#parts.blocks;
    let index = 0;
    while (index < this.decoding.length) {
      const sequence = this.decoding[index] as Sequence;
      while (!blocks.growByOne(sequence)) {
        const victim = this.#newestRunning();
        const at = this.decoding.indexOf(victim);
        this.#preempt(victim);
        if (at >= 0 && at < index) index -= 1;
        if (victim === sequence) break;
      }
      if (sequence.state === 'decoding') index += 1;
    }
    const window = this.#limits.costs.windowTokens;
    let contextTokens = 0;
    let windowTokens = 0;
    // A second pass, since a sequence may have been preempted after it had got its block.
    for (const sequence of this.decoding) {
      blocks.registerOne(sequence);
      const known = sequence.knownTokens;
      contextTokens += known;
      windowTokens += known < window ? known : window;
    }
    this.shape.decodeSequences = this.decoding.length;
    this.shape.decodeContextTokens = contextTokens;
    this.shape.decodeWindowTokens = windowTokens;
  }

  /** Goes on with unfinished prompts, which are in order of admission; returns the budget left. */
  #planPrefilling(budgetTokens: number): number {
    let budget = budgetTokens;
    let index = 0;
    while (index < this.prefilling.length && budget > 0) {
      const sequence = this.prefilling[index] as Sequence;
      const chunk = Math.min(sequence.knownTokens - sequence.computedTokens, budget);
      if (this.#makeRoom(sequence, sequence.computedTokens + chunk)) {
        this.#planChunk(sequence, chunk);
        budget -= chunk;
      }
      index += 1;
    }
    return budget;
  }

  /**
   * Preempts newer prompts until `sequence` fits; false when it has to wait or was itself
   * preempted.
   */
  #makeRoom(sequence: Sequence, tokens: number): boolean {
    while (!this.#parts.blocks.grow(sequence, tokens)) {
      const victim = this.#newestRunning();
      // A newer sequence that decodes is in this step already: wait for it to go on.
      if (victim.state === 'decoding') return false;
      this.#preempt(victim);
      if (victim === sequence) return false;
    }
    return true;
  }

  #admit(budgetTokens: number, nowMs: number): void {
    const { adapters, blocks } = this.#parts;
    let budget = budgetTokens;
    let sequence = this.waiting.first;
    while (sequence !== null && budget > 0 && this.running < this.#limits.maxNumSeqs) {
      const following = sequence.next;
      const adapter = sequence.request.adapter;
      const adapterMs = adapter === null ? 0 : adapters.acquire(adapter);
      // No adapter slot: later requests may still go, as in vLLM.
      if (adapterMs >= 0) {
        const chunk = blocks.admit(sequence, budget);
        this.adapterMs += adapterMs;
        if (chunk === 0) {
          if (adapter !== null) adapters.release(adapter);
          return;
        }
        this.#start(sequence, chunk, nowMs);
        budget -= chunk;
      }
      sequence = following;
    }
  }

  #start(sequence: Sequence, chunk: number, nowMs: number): void {
    this.dequeue(sequence);
    this.#admissions += 1;
    sequence.admission = this.#admissions;
    sequence.state = 'prefilling';
    this.prefilling.push(sequence);
    if (Number.isNaN(sequence.admittedAtMs)) {
      const counters = this.#parts.counters;
      sequence.admittedAtMs = nowMs;
      sequence.cachedTokens = sequence.computedTokens;
      counters.prefixQueriedTokens += sequence.request.prompt.tokens;
      counters.prefixHitTokens += sequence.cachedTokens;
      counters.queueTime.observe((nowMs - sequence.arrivalMs) / 1000);
    }
    this.#planChunk(sequence, chunk);
  }

  #planChunk(sequence: Sequence, chunk: number): void {
    const tokens = sequence.computedTokens + chunk;
    this.#parts.blocks.registerFull(sequence, tokens);
    sequence.chunkTokens = chunk;
    const shape = this.shape;
    const window = this.#limits.costs.windowTokens;
    shape.prefillTokens += chunk;
    shape.prefillContextTokens += tokens;
    shape.prefillContextPairs += chunk * (sequence.computedTokens + chunk / 2);
    if (window === 0) return;
    shape.prefillWindowPairs +=
      pairsUpTo(tokens, window) - pairsUpTo(sequence.computedTokens, window);
  }

  #preempt(sequence: Sequence): void {
    const list = sequence.state === 'decoding' ? this.decoding : this.prefilling;
    list.splice(list.indexOf(sequence), 1);
    this.releaseRunning(sequence);
    sequence.state = 'waiting';
    sequence.preemptions += 1;
    this.#parts.counters.preemptions += 1;
    this.waiting.prepend(sequence);
    this.#noteWaiting(sequence, 1);
  }

  #newestRunning(): Sequence {
    let newest: Sequence | null = null;
    for (const sequence of this.decoding) {
      if (newest === null || sequence.admission > newest.admission) newest = sequence;
    }
    for (const sequence of this.prefilling) {
      if (newest === null || sequence.admission > newest.admission) newest = sequence;
    }
    return newest as Sequence;
  }

  #noteWaiting(sequence: Sequence, change: 1 | -1): void {
    const adapter = sequence.request.adapter;
    if (adapter !== null) this.#parts.adapters.addWaiting(adapter, change);
  }
}

/** Token pairs of causal attention over `tokens` tokens of which each sees `window` at most. */
function pairsUpTo(tokens: number, window: number): number {
  if (tokens <= window) return (tokens * tokens) / 2;
  return window * (tokens - window / 2);
}

/** Drops all others from the list, in place: it is done after every step and mostly drops none. */
function keepInState(list: Sequence[], state: SequenceState): void {
  let kept = 0;
  for (const sequence of list) {
    if (sequence.state !== state) continue;
    list[kept] = sequence;
    kept += 1;
  }
  // Setting a length costs far more than the walk, even one that changes nothing.
  if (kept < list.length) list.length = kept;
}
