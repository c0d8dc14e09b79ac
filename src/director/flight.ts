import { must } from '../core/assert.ts';
import type { Clock } from '../core/clock.ts';
import type { Endpoint } from '../pool/endpoint.ts';
import type { Fleet, Served } from '../pool/fleet.ts';
import type { Booking } from '../pool/ledger.ts';
import type { TokenUsage } from '../protocol/token-usage.ts';
import type { RankedEndpoint } from '../scheduler/types.ts';
import type { DecisionLog, DecisionRecord } from '../telemetry/decision-log.ts';
import type { CounterSeries } from '../telemetry/series.ts';
import type { Reservation, TokenEstimate } from './ports.ts';
import type { AttemptResult, RequestSeries } from './request-metrics.ts';
import type { RetryBudget } from './retry-budget.ts';
import type { TokenEstimator } from './token-estimator.ts';
import type { AttemptFailure, FlightResult, NextStep, RequestHead } from './types.ts';

/** What all flights share. */
export interface FlightServices {
  readonly fleet: Fleet;
  readonly clock: Clock;
  readonly estimator: TokenEstimator;
  readonly decisions: DecisionLog;
  readonly retryBudget: RetryBudget;
  /** Attempts per request, the first included. */
  readonly attemptsMax: number;
  readonly retriesDenied: { readonly budget: CounterSeries; readonly noEndpoint: CounterSeries };
}

/** What one flight is made from: the outcome of resolve, limit, admit and schedule. */
export interface FlightPlan {
  readonly head: RequestHead;
  readonly served: Served;
  readonly ranked: readonly RankedEndpoint[];
  readonly estimate: TokenEstimate;
  readonly reservation: Reservation;
  readonly series: RequestSeries;
  readonly record: DecisionRecord;
  /** Clock time at which the director first saw the request. */
  readonly startedAtMs: number;
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
  #rank = 0;
  #attemptStartedAtMs: number;
  #firstByteAtMs = -1;
  /** Whether an attempt is under way whose result is not recorded yet. */
  #isTrying = true;
  #isEnded = false;

  constructor(services: FlightServices, plan: FlightPlan) {
    this.head = plan.head;
    this.#services = services;
    this.#plan = plan;
    this.#attemptStartedAtMs = plan.startedAtMs;
    const first = must(plan.ranked[0], 'a flight needs an endpoint');
    this.#endpoint = services.fleet.endpointAt(first.slot);
    this.#booking = this.#book(first.slot);
  }

  /** The endpoint that has the request now. */
  get endpoint(): Endpoint {
    return this.#endpoint;
  }

  /** Model name to send upstream. */
  get upstreamModel(): string {
    return this.#plan.served.model;
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
    this.#recordAttempt(failure);
    this.#booking.release();
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
    const { slot } = must(this.#plan.ranked[next], 'ranked endpoint');
    this.#endpoint = this.#services.fleet.endpointAt(slot);
    this.#booking = this.#book(slot);
    this.#attemptStartedAtMs = this.#services.clock.now();
    this.#isTrying = true;
    return 'retry';
  }

  /** The first byte of the answer's body is here: the prompt has been prefilled. */
  noteFirstByte(): void {
    if (this.#firstByteAtMs >= 0) return;
    this.#firstByteAtMs = this.#services.clock.now();
    this.#plan.record.ttftMs = this.#firstByteAtMs - this.#plan.startedAtMs;
    this.#booking.releasePrompt();
    // A stream may run for minutes: its start already shows that the endpoint works.
    this.#services.fleet.recordSuccess(this.#endpoint.slot);
  }

  /** The request has ended in whatever way; further calls do nothing. */
  finish(result: FlightResult): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#booking.release();
    this.#judgeEndpoint(result);
    this.#settle(result.usage);
    this.#measure(result);
    this.#completeRecord(result);
  }

  #book(slot: number): Booking {
    const { promptTokens, outputTokens } = this.#plan.estimate;
    return this.#services.fleet.book(slot, promptTokens, outputTokens, this.#plan.served);
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
   * given up by the client, a deadline or a drain says nothing of the endpoint: clients choose their
   * deadlines and could get any endpoint ejected.
   */
  #judgeEndpoint({ outcome, failure }: FlightResult): void {
    if (!this.#isTrying) return;
    const { fleet } = this.#services;
    const { slot } = this.#endpoint;
    if (outcome === 'completed') fleet.recordSuccess(slot);
    else if (failure !== null) fleet.recordFailure(slot);
    this.#recordAttempt(outcome === 'completed' ? 'answered' : (failure ?? 'cancelled'));
  }

  #recordAttempt(result: AttemptResult): void {
    this.#isTrying = false;
    this.#plan.series.byAttempt[result].add(1);
    this.#plan.record.attempts.push({
      endpoint: this.#endpoint.id,
      result,
      ms: this.#services.clock.now() - this.#attemptStartedAtMs,
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

  #measure({ outcome, usage }: FlightResult): void {
    const { series, startedAtMs } = this.#plan;
    const endedAtMs = this.#services.clock.now();
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
      series.timePerOutputTokenSeconds.observe(perTokenMs / 1000);
    }
  }

  #completeRecord({ outcome, status, errorCode, usage }: FlightResult): void {
    const { record, startedAtMs } = this.#plan;
    record.outcome = outcome;
    record.status = status;
    record.errorCode = errorCode;
    record.durationMs = this.#services.clock.now() - startedAtMs;
    if (usage !== null) {
      record.promptTokens = usage.promptTokens;
      record.completionTokens = usage.completionTokens;
      record.cachedTokens = usage.cachedTokens;
    }
    this.#services.decisions.complete(record);
  }
}
