import { must } from '../core/assert.ts';
import type { Clock } from '../core/clock.ts';
import type { Endpoint } from '../pool/endpoint.ts';
import type { Fleet, Served } from '../pool/fleet.ts';
import type { Booking } from '../pool/ledger.ts';
import type { LoadTable } from '../pool/load-table.ts';
import type { TokenUsage } from '../protocol/token-usage.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';
import type {
  AnswerHeader,
  FirstTokenObservation,
  PickInput,
  PromptBlocks,
  RankedEndpoint,
} from '../scheduler/types.ts';
import type { DecisionLog, DecisionRecord } from '../telemetry/decision-log.ts';
import type { CounterSeries } from '../telemetry/series.ts';
import { cacheSaltOf } from './cache-salt.ts';
import type { RequestObserver, Reservation, TokenEstimate } from './ports.ts';
import type { AttemptResult, RequestSeries } from './request-metrics.ts';
import type { RetryBudget } from './retry-budget.ts';
import type { TokenEstimator } from './token-estimator.ts';
import type { AttemptFailure, FlightResult, NextStep, RequestHead } from './types.ts';

/** What all flights share. */
export interface FlightServices {
  readonly fleet: Fleet;
  readonly scheduler: Scheduler;
  readonly clock: Clock;
  readonly estimator: TokenEstimator;
  readonly decisions: DecisionLog;
  readonly retryBudget: RetryBudget;
  /** Attempts per request, the first included. */
  readonly attemptsMax: number;
  readonly retriesDenied: { readonly budget: CounterSeries; readonly noEndpoint: CounterSeries };
  /** Hears of the end of every flight; null when nobody wants to. */
  readonly observer: RequestObserver | null;
}

/** What one flight is made from: the outcome of resolve, limit, admit and schedule. */
export interface FlightPlan {
  readonly head: RequestHead;
  readonly served: Served;
  readonly ranked: readonly RankedEndpoint[];
  /** What the ranking was made from. */
  readonly input: PickInput;
  readonly estimate: TokenEstimate;
  readonly reservation: Reservation;
  readonly series: RequestSeries;
  readonly record: DecisionRecord;
  /** Clock time at which the director first saw the request. */
  readonly startedAtMs: number;
}

/** What an endpoint had to do before a request when it was booked there. */
interface WorkAhead {
  /** Prompt tokens of the request itself that were believed to be cached. */
  readonly cachedTokens: number;
  /** Prompt tokens of other requests that were not prefilled yet. */
  readonly prefillTokens: number;
  /** Requests in the engine, those of others that it reports included. */
  readonly requests: number;
  /** Whether the request's adapter was not seen on the endpoint. */
  readonly isAdapterCold: boolean;
}

/**
 * One request under way: which endpoint has it, what is booked for it, and what comes next when an
 * attempt fails. The transport reports events; nothing here touches a socket.
 *
 *     start ─► attempt ──first byte──► answering ──finish──► ended
 *                │  ▲                                          ▲
 *              failed └─ retry: next endpoint booked           │
 *                └──── give-up ────────────────── finish ──────┘
 */
export class Flight {
  readonly head: RequestHead;
  readonly #services: FlightServices;
  readonly #plan: FlightPlan;
  #endpoint: Endpoint;
  #booking: Booking;
  #ahead: WorkAhead;
  /** The scheduler's number for the prompt on the endpoint; 0 when it wants no more of it. */
  #promptTicket = 0;
  #rank = 0;
  #attemptStartedAtMs: number;
  #firstByteAtMs = -1;
  /** Whether an attempt is under way whose result is not recorded yet. */
  #isTrying = true;
  #isEnded = false;
  #firstToken: FirstTokenObservation | null = null;
  /** The prompt's blocks as they were asked for last. */
  #lastBlocks: PromptBlocks | null = null;

  constructor(services: FlightServices, plan: FlightPlan) {
    this.head = plan.head;
    this.#services = services;
    this.#plan = plan;
    this.#attemptStartedAtMs = plan.startedAtMs;
    const first = must(plan.ranked[0], 'a flight needs an endpoint');
    this.#endpoint = services.fleet.endpointAt(first.slot);
    this.#ahead = this.#lookAhead(first);
    this.#booking = this.#book(first);
  }

  /** The endpoint that has the request now. */
  get endpoint(): Endpoint {
    return this.#endpoint;
  }

  /** Model name to send upstream. */
  get upstreamModel(): string {
    return this.#plan.served.model;
  }

  /** Headers that scheduling plugins want in the answer, such as a session's token. */
  get answerHeaders(): readonly AnswerHeader[] {
    return this.#services.scheduler.answerHeaders(this.#endpoint.slot, this.#plan.input);
  }

  /** In one line of printable ASCII: the endpoint's rank, score, and what each scorer said. */
  get why(): string {
    const { record } = this.#plan;
    const ranked = must(record.ordered[this.#rank], 'ranked endpoint');
    const { endpoint, score, reasons, predictedTtftMs, matchedBlocks } = ranked;
    const parts = [
      `endpoint=${endpoint}`,
      `rank=${this.#rank + 1}/${record.ordered.length}`,
      `candidates=${record.availableCount}/${record.candidateCount}`,
      `score=${score.toFixed(3)}`,
      ...Object.entries(reasons).map(([scorer, value]) => `${scorer}=${value?.toFixed(3) ?? '-'}`),
      `blocks=${matchedBlocks}/${record.promptBlocks}`,
    ];
    if (predictedTtftMs !== null) parts.push(`ttft-ms=${predictedTtftMs.toFixed(0)}`);
    return parts.join('; ');
  }

  /** Milliseconds since the director first saw the request. */
  get ageMs(): number {
    return this.#services.clock.now() - this.#plan.startedAtMs;
  }

  /**
   * The attempt failed before any byte of an answer. On `retry` the flight has moved to its next
   * endpoint and booked there; `mayRetry` is false when the transport cannot send the request
   * again.
   */
  failAttempt(failure: AttemptFailure, options: { readonly mayRetry: boolean }): NextStep {
    this.#recordAttempt(failure, this.#services.clock.now());
    this.#release();
    this.#services.fleet.recordFailure(this.#endpoint.slot);
    if (!options.mayRetry || this.#plan.record.attempts.length >= this.#services.attemptsMax) {
      return 'give-up';
    }
    const next = this.#findNext();
    if (next < 0) {
      this.#services.retriesDenied.noEndpoint.add(1);
      return 'give-up';
    }
    if (!this.#services.retryBudget.tryTake()) {
      this.#services.retriesDenied.budget.add(1);
      return 'give-up';
    }
    this.#rank = next;
    const ranked = must(this.#plan.ranked[next], 'ranked endpoint');
    this.#endpoint = this.#services.fleet.endpointAt(ranked.slot);
    this.#ahead = this.#lookAhead(ranked);
    this.#booking = this.#book(ranked);
    this.#attemptStartedAtMs = this.#services.clock.now();
    this.#isTrying = true;
    return 'retry';
  }

  /**
   * The first byte of the answer's body is here: the prompt has been prefilled, or `status` says
   * that the endpoint refused it.
   */
  noteFirstByte(status: number): void {
    if (this.#firstByteAtMs >= 0) return;
    this.#firstByteAtMs = this.#services.clock.now();
    this.#plan.record.ttftMs = this.#firstByteAtMs - this.#plan.startedAtMs;
    this.#booking.releasePrompt();
    // A stream may run for minutes: its start already shows that the endpoint works.
    this.#services.fleet.recordSuccess(this.#endpoint.slot);
    // An error comes at once, whatever the load, and leaves nothing in the endpoint's cache.
    if (status < 400) this.#teachFirstToken();
  }

  /** The request has ended in whatever way; further calls do nothing. */
  finish(result: FlightResult): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    const nowMs = this.#services.clock.now();
    this.#release();
    this.#judgeEndpoint(result, nowMs);
    if (result.outcome === 'completed' && result.usage !== null)
      this.#teachEnd(result.usage, nowMs);
    this.#settle(result.usage);
    this.#measure(result, nowMs);
    this.#completeRecord(result, nowMs);
    const { observer } = this.#services;
    if (observer !== null) observer.onEnded(this.#plan, this.#lastBlocks ?? this.#allBlocks());
  }

  /** Books the work that is really ahead: cached prompt tokens are not prefilled again. */
  #book({ slot }: RankedEndpoint): Booking {
    const { promptTokens, outputTokens } = this.#plan.estimate;
    const { fleet, scheduler } = this.#services;
    this.#promptTicket = scheduler.noteBooked(slot, this.#plan.input);
    const uncachedTokens = promptTokens - this.#ahead.cachedTokens;
    return fleet.book(slot, uncachedTokens, outputTokens, this.#plan.served);
  }

  /** The endpoint has the request no longer. Further calls do nothing. */
  #release(): void {
    this.#booking.release();
    this.#services.scheduler.noteLeft(this.#promptTicket);
    this.#promptTicket = 0;
  }

  /** What an endpoint has to do before this request, and what of its prompt it holds already. */
  #lookAhead({ slot, matchedBlocks }: RankedEndpoint): WorkAhead {
    const { load, blocks, promptTokens } = this.#plan.input;
    const share = blocks === null || blocks.count === 0 ? 0 : matchedBlocks / blocks.count;
    return {
      cachedTokens: Math.min(promptTokens, Math.floor(share * promptTokens)),
      prefillTokens: load.prefillTokensInFlight[slot] as number,
      requests: requestsOn(slot, load),
      isAdapterCold: isAdapterColdOn(slot, this.#plan.input),
    };
  }

  #teachFirstToken(): void {
    const { scheduler } = this.#services;
    const { input } = this.#plan;
    const { slot } = this.#endpoint;
    const blocks = this.#allBlocks();
    // The pick was made before the whole prompt was here; the endpoint holds all of it now.
    if (blocks !== null && blocks.count > (input.blocks === null ? 0 : input.blocks.count)) {
      scheduler.noteLeft(this.#promptTicket);
      this.#promptTicket = scheduler.noteBooked(slot, { ...input, blocks });
    }
    if (!this.head.isStream) return;
    this.#firstToken = {
      nowMs: this.#firstByteAtMs,
      ttftMs: this.#firstByteAtMs - this.#attemptStartedAtMs,
      promptTokens: input.promptTokens,
      cachedTokens: this.#ahead.cachedTokens,
      prefillTokensAhead: this.#ahead.prefillTokens,
      requestsAhead: this.#ahead.requests,
      isAdapterCold: this.#ahead.isAdapterCold,
    };
    scheduler.noteFirstToken(slot, this.#firstToken);
  }

  #teachEnd(usage: TokenUsage, nowMs: number): void {
    const { scheduler } = this.#services;
    const { slot } = this.#endpoint;
    const { completionTokens } = usage;
    const isTimed = this.head.isStream && this.#firstByteAtMs >= 0 && completionTokens > 1;
    const { load } = this.#plan.input;
    scheduler.noteFinished(slot, {
      nowMs,
      promptTokens: usage.promptTokens,
      completionTokens,
      cachedTokens: usage.cachedTokens,
      tpotMs: isTimed ? (nowMs - this.#firstByteAtMs) / (completionTokens - 1) : null,
      // Ours was released just now; the mean of start and end stands for the time in between.
      batch: (this.#ahead.requests + requestsOn(slot, load)) / 2 + 1,
      kvCacheUsage: load.kvCacheUsage[slot] as number,
      blocks: this.#allBlocks(),
      firstToken: this.#firstToken,
    });
  }

  #allBlocks(): PromptBlocks | null {
    if (this.#plan.input.blocks === null) return null;
    this.#lastBlocks = this.head.promptBlocks(cacheSaltOf(this.#plan.served));
    return this.#lastBlocks;
  }

  /** Rank of the next endpoint that may still be picked, or -1. */
  #findNext(): number {
    const { ranked } = this.#plan;
    const { isAvailable } = this.#services.fleet.load;
    for (let rank = this.#rank + 1; rank < ranked.length; rank += 1) {
      const { slot } = ranked[rank] as RankedEndpoint;
      if (isAvailable[slot] === 1) return rank;
    }
    return -1;
  }

  /**
   * Tells the fleet how the endpoint did; attempts that failed have been told before. One that was
   * given up by the client, a deadline or a drain says nothing of the endpoint: clients choose
   * their deadlines and could get any endpoint ejected.
   */
  #judgeEndpoint({ outcome, failure }: FlightResult, nowMs: number): void {
    if (!this.#isTrying) return;
    const { fleet } = this.#services;
    const { slot } = this.#endpoint;
    if (outcome === 'completed') fleet.recordSuccess(slot);
    else if (failure !== null) fleet.recordFailure(slot);
    this.#recordAttempt(outcome === 'completed' ? 'answered' : (failure ?? 'cancelled'), nowMs);
  }

  #recordAttempt(result: AttemptResult, nowMs: number): void {
    this.#isTrying = false;
    this.#plan.series.byAttempt[result].add(1);
    this.#plan.record.attempts.push({
      endpoint: this.#endpoint.id,
      result,
      ms: nowMs - this.#attemptStartedAtMs,
    });
  }

  #settle(usage: TokenUsage | null): void {
    const { reservation, estimate } = this.#plan;
    reservation.settle(
      usage === null
        ? estimate
        : { promptTokens: usage.promptTokens, outputTokens: usage.completionTokens },
    );
    if (usage !== null) this.#services.estimator.learn(this.head, usage);
  }

  #measure({ outcome, usage }: FlightResult, endedAtMs: number): void {
    const { series, record, startedAtMs } = this.#plan;
    series.byOutcome[outcome].add(1);
    series.durationSeconds.observe((endedAtMs - startedAtMs) / 1000);
    if (usage !== null) {
      series.promptTokens.add(usage.promptTokens);
      series.completionTokens.add(usage.completionTokens);
      series.cachedPromptTokens.add(usage.cachedTokens ?? 0);
    }
    if (!this.head.isStream || this.#firstByteAtMs < 0) return;
    series.timeToFirstTokenSeconds.observe((this.#firstByteAtMs - startedAtMs) / 1000);
    if (usage !== null && usage.completionTokens > 1) {
      const perTokenMs = (endedAtMs - this.#firstByteAtMs) / (usage.completionTokens - 1);
      record.tpotMs = perTokenMs;
      series.timePerOutputTokenSeconds.observe(perTokenMs / 1000);
    }
  }

  #completeRecord({ outcome, status, errorCode, usage }: FlightResult, nowMs: number): void {
    const { record, startedAtMs } = this.#plan;
    record.outcome = outcome;
    record.status = status;
    record.errorCode = errorCode;
    record.durationMs = nowMs - startedAtMs;
    if (usage !== null) {
      record.promptTokens = usage.promptTokens;
      record.completionTokens = usage.completionTokens;
      record.cachedTokens = usage.cachedTokens;
    }
    this.#services.decisions.complete(record);
  }
}

/** Requests in an engine: ours, and those of others that it reports. */
function requestsOn(slot: number, load: LoadTable): number {
  return (load.requestsInFlight[slot] as number) + (load.foreignRequests[slot] as number);
}

function isAdapterColdOn(slot: number, { members, residency }: PickInput): boolean {
  return residency !== null && residency[members.indexOf(slot)] === 0;
}
