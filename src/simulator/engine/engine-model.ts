import { assert } from '../../core/assert.ts';
import { AdapterStore, type AdapterOptions } from './adapter-store.ts';
import { Batch, type BatchLimits } from './batch.ts';
import { BlockPool } from './block-pool.ts';
import { EngineCounters, type EndReason } from './counters.ts';
import type { PromptDigest } from './prompt-digest.ts';
import { Sequence, type EngineRequest } from './sequence.ts';
import { SequenceBlocks } from './sequence-blocks.ts';
import { stepDurationMs, type StepCosts } from './step-time.ts';

/** Everything that decides how an engine behaves; times are engine milliseconds. */
export interface EngineModelOptions extends BatchLimits {
  readonly costs: StepCosts;
  readonly kvBlocks: number;
  readonly blockSizeTokens: number;
  /** Longest prompt plus output; also bounded by what the KV cache holds. */
  readonly maxModelLenTokens: number;
  /** Sequences that may wait beyond those that could start at once. */
  readonly maxQueue: number;
  readonly isPrefixCaching: boolean;
  readonly adapters: AdapterOptions;
  /** From `wake` to the first step after a sleep of level 1. */
  readonly wakeMs: number;
  /** The same after level 2, when weights come from storage. */
  readonly deepWakeMs: number;
  /**
   * Longest stretch that a caller who steps late catches up on. A process that was stopped for
   * longer loses the rest, as a real engine would. Exact callers never need any.
   */
  readonly maxCatchUpMs: number;
}

/** Why a request was not taken. */
export type Refusal =
  | 'queue_full'
  | 'context_too_long'
  | 'asleep'
  | 'adapter_unknown'
  | 'no_adapter_slots';

/** Answer to `submit`. */
export type Submission =
  | { readonly ok: true; readonly sequence: Sequence }
  | { readonly ok: false; readonly reason: Refusal };

/**
 * Hears of every step that has ended: how long it took, and how many sequences got a token after
 * one they had before, for which the duration is the gap between the two.
 */
export type StepListener = (durationMs: number, decodeSequences: number) => void;

/** How deep an engine sleeps: 1 keeps weights in host memory, 2 drops them (vLLM's levels). */
export type SleepLevel = 1 | 2;

/**
 * A continuous-batching model server as a state machine without timers: the caller asks
 * `nextStepAtMs()` and calls `step(nowMs)` then. Equal calls give equal results, so that the same
 * code serves HTTP in real time and a simulation in virtual time. A process that dies is a model
 * that is dropped: what follows is a new one, with empty caches and counters at zero.
 */
export class EngineModel {
  readonly options: EngineModelOptions;
  readonly counters: EngineCounters = new EngineCounters();
  readonly adapters: AdapterStore;
  /** Longest prompt plus output that is accepted, in tokens. */
  readonly contextTokens: number;
  /** Called before the tokens of the step are handed out; null for nobody. */
  onStep: StepListener | null = null;
  readonly #pool: BlockPool;
  readonly #batch: Batch;
  #isStepping = false;
  #isEmitting = false;
  #stepEndMs = 0;
  #stepStartMs = 0;
  /** When the work that waits for a step came, or the last step ended. */
  #readyMs = 0;
  /** No step starts before this time: an adapter is being loaded, or the engine wakes. */
  #busyUntilMs = 0;
  #sleepLevel: SleepLevel | null = null;
  #slowdown = 1;

  constructor(options: EngineModelOptions) {
    assert(options.maxNumBatchedTokens >= options.maxNumSeqs, 'a step must hold every sequence');
    assert(options.costs.baseMs > 0, 'a step takes time');
    this.options = options;
    this.contextTokens = Math.min(
      options.maxModelLenTokens,
      options.kvBlocks * options.blockSizeTokens,
    );
    this.adapters = new AdapterStore(options.adapters);
    this.#pool = new BlockPool(options.kvBlocks);
    const blocks = new SequenceBlocks(this.#pool, options.blockSizeTokens, {
      prefixCaching: options.isPrefixCaching,
    });
    this.#batch = new Batch(options, { blocks, adapters: this.adapters, counters: this.counters });
  }

  /** Sequences being prefilled or decoded. */
  get running(): number {
    return this.#batch.running;
  }

  /** Sequences that have not started, preempted ones included. */
  get waiting(): number {
    return this.#batch.waiting.size;
  }

  /** Share of KV blocks that sequences hold, 0 to 1; cached blocks nobody holds count as free. */
  get kvUsage(): number {
    return 1 - this.#pool.freeCount / this.#pool.count;
  }

  get freeBlocks(): number {
    return this.#pool.freeCount;
  }

  /** Blocks that a later prompt could hit. */
  get cachedBlocks(): number {
    return this.#pool.hashedCount;
  }

  get isAsleep(): boolean {
    return this.#sleepLevel !== null;
  }

  /** How deep it sleeps; null while awake. */
  get sleepLevel(): SleepLevel | null {
    return this.#sleepLevel;
  }

  /** Prompt tokens that the cache holds now: for whoever may look inside. Changes nothing. */
  cachedTokensOf(prompt: PromptDigest): number {
    return this.#batch.cachedTokensOf(prompt);
  }

  /** Calls `visit` for every sequence: decoding, prefilling, waiting, each in its order. */
  visitSequences(visit: (sequence: Sequence) => void): void {
    for (const sequence of this.#batch.decoding) visit(sequence);
    for (const sequence of this.#batch.prefilling) visit(sequence);
    let waiting = this.#batch.waiting.first;
    while (waiting !== null) {
      visit(waiting);
      waiting = waiting.next;
    }
  }

  /** Takes a request into the waiting queue, or says why not. */
  submit(request: EngineRequest, nowMs: number): Submission {
    const refusal = this.#refusalOf(request);
    if (refusal !== null) {
      this.counters.rejections += 1;
      return { ok: false, reason: refusal };
    }
    const sequence = new Sequence(request, this.options.blockSizeTokens, nowMs);
    if (!this.#isStepping && !this.#hasWork()) this.#readyMs = nowMs;
    this.#batch.enqueue(sequence);
    return { ok: true, sequence };
  }

  /** Ends a sequence at once and frees what it holds; one that has ended is ignored. */
  cancel(sequence: Sequence): void {
    if (sequence.state === 'ended') return;
    if (sequence.state === 'waiting') this.#batch.dequeue(sequence);
    else this.#batch.releaseRunning(sequence);
    sequence.state = 'ended';
    this.counters.ended.cancelled += 1;
    // While tokens are being handed out the lists are being walked; `#finishStep` sweeps them.
    if (!this.#isEmitting) this.#batch.removeEnded();
  }

  /** Engine time at which `step` has something to do; infinite when there is nothing. */
  nextStepAtMs(): number {
    if (this.#isStepping) return this.#stepEndMs;
    if (this.isAsleep || !this.#hasWork()) return Number.POSITIVE_INFINITY;
    return Math.max(this.#readyMs, this.#busyUntilMs);
  }

  /** Ends the step that is due and starts the next one. Does nothing before `nextStepAtMs()`. */
  step(nowMs: number): void {
    if (nowMs < this.nextStepAtMs()) return;
    if (this.#isStepping) this.#finishStep();
    if (this.isAsleep || !this.#hasWork()) return;
    const startMs = Math.max(this.#readyMs, this.#busyUntilMs, nowMs - this.options.maxCatchUpMs);
    if (startMs > nowMs) {
      this.#readyMs = startMs;
      return;
    }
    this.#batch.plan(startMs);
    assert(this.#batch.running > 0, 'a step with work runs something');
    this.#isStepping = true;
    this.#stepStartMs = startMs;
    this.#stepEndMs =
      startMs +
      this.#batch.adapterMs +
      stepDurationMs(this.options.costs, this.#batch.shape) * this.#slowdown;
    this.counters.steps += 1;
  }

  /** Steps that begin from now on take `factor` times as long; 1 is as configured, above 0. */
  setSlowdown(factor: number): void {
    assert(factor > 0 && factor < Number.POSITIVE_INFINITY, 'a slowdown is above 0 and finite');
    this.#slowdown = factor;
  }

  /**
   * Makes an adapter known and loads it; returns the engine time at which it is ready, or a
   * refusal.
   */
  loadAdapter(name: string, nowMs: number): number | 'already_loaded' | 'no_adapter_slots' {
    if (!this.adapters.register(name)) return 'already_loaded';
    const costMs = this.adapters.preload(name);
    // Every slot is in use: the adapter is known and loads when a request needs it.
    if (costMs < 0) return this.options.adapters.slots === 0 ? 'no_adapter_slots' : nowMs;
    this.#busyUntilMs = Math.max(this.#busyUntilMs, nowMs) + costMs;
    return this.#busyUntilMs;
  }

  /** Forgets an adapter that no sequence uses. */
  unloadAdapter(name: string): 'removed' | 'unknown' | 'in_use' {
    return this.adapters.unregister(name);
  }

  /** Drops the KV cache and stops; sequences go back to the queue and start over after `wake`. */
  sleep(level: SleepLevel): void {
    if (this.isAsleep) return;
    this.#isStepping = false;
    this.#batch.preemptAll();
    this.#pool.forgetAll();
    if (level === 2) this.adapters.unloadAll();
    this.#sleepLevel = level;
  }

  /** Ends the sleep; returns the engine time at which steps go on. */
  wake(nowMs: number): number {
    if (this.#sleepLevel === null) return nowMs;
    const wakeMs = this.#sleepLevel === 1 ? this.options.wakeMs : this.options.deepWakeMs;
    this.#sleepLevel = null;
    this.#readyMs = nowMs;
    this.#busyUntilMs = Math.max(this.#busyUntilMs, nowMs + wakeMs);
    return this.#busyUntilMs;
  }

  /** Forgets all cached prefixes. */
  resetPrefixCache(): void {
    this.#pool.forgetAll();
  }

  #hasWork(): boolean {
    return this.#batch.running > 0 || this.#batch.waiting.size > 0;
  }

  #refusalOf(request: EngineRequest): Refusal | null {
    assert(request.prompt.tokens > 0, 'a prompt has at least one token');
    if (this.isAsleep) return 'asleep';
    const adapter = request.adapter;
    if (adapter !== null && !this.adapters.has(adapter)) return 'adapter_unknown';
    if (adapter !== null && this.options.adapters.slots === 0) return 'no_adapter_slots';
    if (request.prompt.tokens + request.output.length > this.contextTokens) {
      return 'context_too_long';
    }
    const free = Math.max(0, this.options.maxNumSeqs - this.#batch.running);
    return this.#batch.waiting.size >= this.options.maxQueue + free ? 'queue_full' : null;
  }

  #finishStep(): void {
    const atMs = this.#stepEndMs;
    const batch = this.#batch;
    this.#isStepping = false;
    this.#isEmitting = true;
    this.#readyMs = atMs;
    const decoded = batch.decoding.length;
    const durationMs = atMs - this.#stepStartMs;
    this.counters.busyMs += durationMs;
    if (decoded > 0) this.counters.interTokenLatency.observe(durationMs / 1000, decoded);
    if (this.onStep !== null) this.onStep(durationMs, decoded);
    for (let index = 0; index < decoded; index += 1) {
      const sequence = batch.decoding[index] as Sequence;
      // A listener of an earlier sequence may have cancelled this one.
      if (sequence.state !== 'decoding') continue;
      sequence.computedTokens += 1;
      this.#emit(sequence, atMs);
    }
    this.#finishChunks(atMs);
    this.#isEmitting = false;
    batch.removeEnded();
  }

  #finishChunks(atMs: number): void {
    const batch = this.#batch;
    for (const sequence of batch.prefilling) {
      if (sequence.state !== 'prefilling' || sequence.chunkTokens === 0) continue;
      sequence.computedTokens += sequence.chunkTokens;
      sequence.chunkTokens = 0;
      if (sequence.computedTokens < sequence.knownTokens) continue;
      sequence.state = 'decoding';
      batch.decoding.push(sequence);
      if (sequence.outputTokens === 0) this.#noteFirst(sequence, atMs);
      if (sequence.request.output.length === 0) this.#end(sequence, atMs);
      else this.#emit(sequence, atMs);
    }
  }

  #noteFirst(sequence: Sequence, atMs: number): void {
    sequence.firstTokenAtMs = atMs;
    this.counters.promptTokens += sequence.request.prompt.tokens;
    this.counters.timeToFirstToken.observe((atMs - sequence.arrivalMs) / 1000);
  }

  #emit(sequence: Sequence, atMs: number): void {
    sequence.extend();
    this.counters.generationTokens += 1;
    sequence.listener.onToken(sequence, atMs);
    if (sequence.state === 'ended') return;
    if (sequence.outputTokens >= sequence.outputLength) this.#end(sequence, atMs);
  }

  #end(sequence: Sequence, atMs: number): void {
    const { output, prompt, listener } = sequence.request;
    const reason: EndReason = output.endReason;
    const counters = this.counters;
    this.#batch.releaseRunning(sequence);
    sequence.state = 'ended';
    counters.ended[reason] += 1;
    counters.requestLatency.observe((atMs - sequence.arrivalMs) / 1000);
    counters.requestPromptTokens.observe(prompt.tokens);
    counters.requestGenerationTokens.observe(sequence.outputTokens);
    if (sequence.outputTokens > 1) {
      const seconds = (atMs - sequence.firstTokenAtMs) / 1000;
      counters.timePerOutputToken.observe(seconds / (sequence.outputTokens - 1));
    }
    listener.onEnd(sequence, reason, atMs);
  }
}
