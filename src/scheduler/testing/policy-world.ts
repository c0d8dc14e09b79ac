import assert from 'node:assert/strict';
import { Heap } from '../../core/heap.ts';
import { AdapterResidency } from '../../pool/residency.ts';
import type { AdapterReport } from '../../protocol/engines/dialect.ts';
import { EMPTY_REPORT } from '../../protocol/engines/report.ts';
import { EngineModel, type EngineModelOptions } from '../../simulator/engine/engine-model.ts';
import type { Sequence } from '../../simulator/engine/sequence.ts';
import type { Scheduler } from '../scheduler.ts';
import type { FirstTokenObservation, LatencyObjective, PickInput } from '../types.ts';
import { createTestInput, createTestLoad } from './pick-world.ts';
import { createWorldPrompt, type PromptSegment, type WorldPrompt } from './world-prompts.ts';

/** One request of a workload. */
export interface WorldRequest {
  readonly atMs: number;
  readonly segments: readonly PromptSegment[];
  readonly outputTokens: number;
  readonly adapter: string | null;
  readonly objective: LatencyObjective;
}

/** What became of a request; times are NaN until they are known. */
export interface WorldOutcome {
  readonly request: WorldRequest;
  readonly promptTokens: number;
  slot: number;
  predictedTtftMs: number;
  predictedTpotMs: number;
  ttftMs: number;
  tpotMs: number;
  /** From arrival to the last token. */
  totalMs: number;
  cachedTokens: number;
  /** Tokens the policy believed to be cached. */
  believedCachedTokens: number;
}

/** What a world is made of. */
export interface PolicyWorldOptions {
  readonly engines: readonly EngineModelOptions[];
  readonly scheduler: Scheduler;
  /** Each engine's report is this old at most; engines are asked one after the other. */
  readonly scrapeIntervalMs: number;
}

interface WorldEvent {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

interface Booking {
  readonly outcome: WorldOutcome;
  readonly slot: number;
  readonly uncachedTokens: number;
  readonly expectedTokens: number;
  isPrefilled: boolean;
  firstToken: FirstTokenObservation | null;
}

/** Weight of a new answer's length in the length expected of the next. */
const LENGTH_WEIGHT = 0.02;
const LENGTH_START = 256;

/**
 * Simulated engines behind one policy, in virtual time: requests arrive, are picked and booked one
 * by one, and the policy observes first tokens and ends at once but load reports with the delay
 * of scrapes. Ledger and observations are those of the pool and the director.
 */
export class PolicyWorld {
  readonly load: ReturnType<typeof createTestLoad>;
  readonly outcomes: WorldOutcome[] = [];
  /** Runs after each booking. */
  onBooked: (outcome: WorldOutcome) => void = () => undefined;
  readonly #options: PolicyWorldOptions;
  readonly #models: EngineModel[];
  readonly #slowdowns: Float64Array;
  readonly #residency: AdapterResidency[];
  readonly #isRestarted: boolean[];
  readonly #open: Set<Booking>[];
  readonly #members: Int32Array;
  readonly #adapterColumns = new Map<string, Uint8Array>();
  readonly #events = new Heap<WorldEvent>(
    (a, b) => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order),
  );
  #order = 0;
  #nowMs = 0;
  #expectedTokens = LENGTH_START;
  #loadsBeforeRestart = 0;

  constructor(options: PolicyWorldOptions) {
    const { engines } = options;
    this.#options = options;
    this.load = createTestLoad(engines.length);
    this.#slowdowns = new Float64Array(engines.length).fill(1);
    this.#models = engines.map((_, slot) => this.#createModel(slot));
    this.#residency = engines.map(() => new AdapterResidency());
    this.#isRestarted = engines.map(() => false);
    this.#open = engines.map(() => new Set());
    this.#members = Int32Array.from(engines, (_, slot) => slot);
    engines.forEach((engine, slot) => {
      this.load.kvBlockCount[slot] = engine.kvBlocks;
      this.load.kvBlockTokens[slot] = engine.blockSizeTokens;
      this.load.adapterSlots[slot] = engine.adapters.slots > 0 ? engine.adapters.slots : Number.NaN;
      options.scheduler.noteCapacity(slot, {
        blockTokens: engine.blockSizeTokens,
        blockCount: engine.kvBlocks,
      });
      this.at((options.scrapeIntervalMs * (slot + 1)) / engines.length, () => this.#scrape(slot));
    });
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  get models(): readonly EngineModel[] {
    return this.#models;
  }

  /** Adapter loads of all engines, restarted ones included. */
  get adapterLoads(): number {
    return this.#models.reduce(
      (sum, { adapters }) => sum + adapters.loads,
      this.#loadsBeforeRestart,
    );
  }

  /** Prompt tokens that engines looked up in their caches, and those they found. */
  get prefixHitShare(): number {
    let hits = 0;
    let queries = 0;
    for (const { counters } of this.#models) {
      hits += counters.prefixHitTokens;
      queries += counters.prefixQueriedTokens;
    }
    return hits / Math.max(1, queries);
  }

  /** Runs `action` at a time that has not passed. */
  at(atMs: number, action: () => void): void {
    this.#events.push({ atMs, order: this.#order++, run: action });
  }

  /** Lets the requests arrive at their times. */
  arrive(requests: readonly WorldRequest[]): void {
    for (const request of requests) this.at(request.atMs, () => this.send(request));
  }

  /** Makes every step of the engine take `factor` times as long as it was configured. */
  slowDown(slot: number, factor: number): void {
    this.#slowdowns[slot] = factor;
    this.#models[slot]!.setSlowdown(factor);
  }

  /** The engine's process ends and is new: caches are lost; its requests are sent anew. */
  restart(slot: number): void {
    this.#loadsBeforeRestart += this.#models[slot]!.adapters.loads;
    this.#models[slot] = this.#createModel(slot);
    this.#isRestarted[slot] = true;
    const lost = [...this.#open[slot]!];
    for (const booking of lost) this.#release(booking);
    for (const { outcome } of lost) this.#dispatch(outcome);
  }

  /** A request arrives now. */
  send(request: WorldRequest): WorldOutcome {
    const outcome: WorldOutcome = {
      request,
      promptTokens: request.segments.reduce((sum, { tokens }) => sum + tokens, 0),
      slot: -1,
      predictedTtftMs: Number.NaN,
      predictedTpotMs: Number.NaN,
      ttftMs: Number.NaN,
      tpotMs: Number.NaN,
      totalMs: Number.NaN,
      cachedTokens: 0,
      believedCachedTokens: 0,
    };
    this.outcomes.push(outcome);
    this.#dispatch(outcome);
    return outcome;
  }

  /** Advances to `untilMs`, or until every request is answered when that is infinite. */
  run(untilMs: number = Number.POSITIVE_INFINITY): void {
    for (;;) {
      let nextMs = this.#events.peek()?.atMs ?? Number.POSITIVE_INFINITY;
      const eventMs = nextMs;
      for (const model of this.#models) nextMs = Math.min(nextMs, model.nextStepAtMs());
      if (nextMs > untilMs || this.#isIdle(untilMs)) break;
      this.#nowMs = nextMs;
      if (eventMs === nextMs) this.#events.pop()!.run();
      else this.#stepEngines(nextMs);
    }
    if (untilMs < Number.POSITIVE_INFINITY) this.#nowMs = untilMs;
  }

  /** Only scrapes are left. */
  #isIdle(untilMs: number): boolean {
    return (
      untilMs === Number.POSITIVE_INFINITY &&
      this.#events.size === this.#models.length &&
      this.#open.every((open) => open.size === 0)
    );
  }

  #stepEngines(nowMs: number): void {
    for (const model of this.#models) if (model.nextStepAtMs() <= nowMs) model.step(nowMs);
  }

  #createModel(slot: number): EngineModel {
    const model = new EngineModel(this.#options.engines[slot]!);
    model.setSlowdown(this.#slowdowns[slot]!);
    return model;
  }

  #scrape(slot: number): void {
    const model = this.#models[slot]!;
    const { load } = this;
    load.lastWaiting[slot] = model.waiting;
    load.reportedWaiting[slot] = model.waiting;
    load.lastRunning[slot] = model.running;
    load.kvCacheUsage[slot] = model.kvUsage;
    if (this.#isRestarted[slot] === true) {
      this.#isRestarted[slot] = false;
      this.#residency[slot]!.clear();
      this.#options.scheduler.noteRestart(slot);
    }
    this.#reportAdapters(slot);
    this.at(this.#nowMs + this.#options.scrapeIntervalMs, () => this.#scrape(slot));
  }

  /** As vLLM does: adapters that run or wait are named, idle ones are not. */
  #reportAdapters(slot: number): void {
    const adapters: AdapterReport[] = [];
    for (const { name, running, waiting } of this.#models[slot]!.adapters.views()) {
      if (running + waiting > 0) adapters.push({ name, state: running > 0 ? 'active' : 'waiting' });
    }
    this.load.adaptersActive[slot] = adapters.filter(({ state }) => state === 'active').length;
    this.load.adaptersWaiting[slot] = adapters.length - this.load.adaptersActive[slot];
    const adapterSlots = this.load.adapterSlots[slot]!;
    this.#residency[slot]!.takeReport(
      { ...EMPTY_REPORT, adapters, adapterSlots: adapterSlots > 0 ? adapterSlots : null },
      this.#nowMs,
    );
    this.#showResidency(slot);
  }

  #showResidency(slot: number): void {
    for (const [adapter, column] of this.#adapterColumns) {
      column[slot] = this.#residency[slot]!.levelOf(adapter);
    }
  }

  #residencyOf(adapter: string | null): Uint8Array | null {
    if (adapter === null) return null;
    let column = this.#adapterColumns.get(adapter);
    if (column === undefined) {
      column = new Uint8Array(this.#members.length);
      this.#adapterColumns.set(adapter, column);
    }
    return column;
  }

  #dispatch(outcome: WorldOutcome): void {
    const { request } = outcome;
    const { scheduler } = this.#options;
    const prompt = createWorldPrompt(request.segments, request.adapter ?? '');
    const residency = this.#residencyOf(request.adapter);
    const input = createTestInput(this.load, {
      members: this.#members,
      residency,
      promptTokens: prompt.tokens,
      outputTokens: Math.ceil(this.#expectedTokens),
      nowMs: this.#nowMs,
      blocks: prompt.blocks,
      objective: request.objective,
    });
    const picked = scheduler.pick(input).ranked[0]!;
    const { slot } = picked;
    const share = prompt.blocks.count === 0 ? 0 : picked.matchedBlocks / prompt.blocks.count;
    outcome.slot = slot;
    outcome.predictedTtftMs = picked.predictedTtftMs;
    outcome.predictedTpotMs = picked.predictedTpotMs;
    outcome.believedCachedTokens = Math.floor(share * prompt.tokens);
    const ahead = {
      cachedTokens: outcome.believedCachedTokens,
      prefillTokensAhead: this.load.prefillTokensInFlight[slot]!,
      requestsAhead: this.load.requestsInFlight[slot]!,
      isAdapterCold: residency !== null && residency[slot] === 0,
    };
    scheduler.noteBooked(slot, input);
    const booking = this.#book(outcome, input);
    if (request.adapter !== null) {
      this.#residency[slot]!.noteUse(request.adapter, this.#nowMs);
      this.#showResidency(slot);
    }
    this.#submit(booking, prompt, ahead);
    this.onBooked(outcome);
  }

  #book(outcome: WorldOutcome, input: PickInput): Booking {
    const { slot } = outcome;
    const booking: Booking = {
      outcome,
      slot,
      uncachedTokens: input.promptTokens - outcome.believedCachedTokens,
      expectedTokens: input.outputTokens,
      isPrefilled: false,
      firstToken: null,
    };
    this.#open[slot]!.add(booking);
    this.load.requestsInFlight[slot]! += 1;
    this.load.tokensInFlight[slot]! += booking.uncachedTokens + booking.expectedTokens;
    this.load.prefillTokensInFlight[slot]! += booking.uncachedTokens;
    return booking;
  }

  #submit(
    booking: Booking,
    prompt: WorldPrompt,
    ahead: Omit<FirstTokenObservation, 'nowMs' | 'ttftMs' | 'promptTokens'>,
  ): void {
    const { slot, outcome } = booking;
    const { request } = outcome;
    const sentAtMs = this.#nowMs;
    const model = this.#models[slot]!;
    if (request.adapter !== null) model.adapters.register(request.adapter);
    const submission = model.submit(
      {
        prompt: prompt.digest,
        output: { length: request.outputTokens, endReason: 'stop', idAt: (index) => index },
        adapter: request.adapter,
        listener: {
          onToken: (sequence, atMs) => {
            if (sequence.outputTokens !== 1) return;
            outcome.ttftMs = atMs - request.atMs;
            this.#releasePrompt(booking);
            booking.firstToken = {
              ...ahead,
              nowMs: atMs,
              ttftMs: atMs - sentAtMs,
              promptTokens: prompt.tokens,
            };
            this.#options.scheduler.noteFirstToken(slot, booking.firstToken);
          },
          onEnd: (sequence, _reason, atMs) =>
            this.#finish(booking, { sequence, atMs, prompt, ahead }),
        },
      },
      this.#nowMs,
    );
    assert.ok(submission.ok, submission.ok ? '' : `engine ${slot}: ${submission.reason}`);
  }

  #finish(
    booking: Booking,
    end: {
      readonly sequence: Sequence;
      readonly atMs: number;
      readonly prompt: WorldPrompt;
      readonly ahead: { readonly requestsAhead: number };
    },
  ): void {
    const { outcome, slot } = booking;
    const { sequence, atMs, prompt, ahead } = end;
    const tokens = sequence.outputTokens;
    this.#release(booking);
    outcome.totalMs = atMs - outcome.request.atMs;
    outcome.cachedTokens = sequence.cachedTokens;
    if (tokens > 1) outcome.tpotMs = (atMs - sequence.firstTokenAtMs) / (tokens - 1);
    this.#expectedTokens += (tokens - this.#expectedTokens) * LENGTH_WEIGHT;
    this.#options.scheduler.noteFinished(slot, {
      nowMs: atMs,
      promptTokens: prompt.tokens,
      completionTokens: tokens,
      cachedTokens: sequence.cachedTokens,
      tpotMs: tokens > 1 ? outcome.tpotMs : null,
      batch: (ahead.requestsAhead + this.load.requestsInFlight[slot]!) / 2 + 1,
      kvCacheUsage: this.load.kvCacheUsage[slot]!,
      blocks: prompt.blocks,
      firstToken: booking.firstToken,
    });
  }

  #releasePrompt(booking: Booking): void {
    if (booking.isPrefilled) return;
    booking.isPrefilled = true;
    this.load.tokensInFlight[booking.slot]! -= booking.uncachedTokens;
    this.load.prefillTokensInFlight[booking.slot]! -= booking.uncachedTokens;
  }

  #release(booking: Booking): void {
    if (!this.#open[booking.slot]!.delete(booking)) return;
    this.#releasePrompt(booking);
    this.load.requestsInFlight[booking.slot]! -= 1;
    this.load.tokensInFlight[booking.slot]! -= booking.expectedTokens;
  }
}
