import type { PromptBlocks } from '../scheduler/types.ts';
import type { DecisionRecord } from '../telemetry/decision-log.ts';
import type { Refusal, RequestHead } from './types.ts';

/** What a request is expected to cost, in tokens. */
export interface TokenEstimate {
  readonly promptTokens: number;
  readonly outputTokens: number;
}

/** Budget that a request holds between its reservation and its settlement. */
export interface Reservation {
  /** Replaces the estimate by what was really used; called exactly once. */
  settle(used: TokenEstimate): void;
}

/** Token and request budgets of tenants. */
export interface LimitPort {
  reserve(head: RequestHead, estimate: TokenEstimate): Reservation | Refusal;
}

/** Decides when an admitted request may go on. */
export interface AdmissionPort {
  /** Calls `decide` exactly once, now or later: null lets the request go on. */
  admit(head: RequestHead, decide: (refusal: Refusal | null) => void): void;
}

const UNLIMITED: Reservation = Object.freeze({
  settle(): void {},
});

/** No budgets: every reservation succeeds. */
export const NO_LIMITS: LimitPort = Object.freeze({ reserve: (): Reservation => UNLIMITED });

/** No queue: every request goes on at once. */
export const ADMIT_ALL: AdmissionPort = Object.freeze({
  admit(_head: RequestHead, decide: (refusal: Refusal | null) => void): void {
    decide(null);
  },
});

/** A request that was given an endpoint, at its end. */
export interface EndedFlight {
  readonly head: RequestHead;
  /** Complete: nothing is added any more. */
  readonly record: DecisionRecord;
  /** `Clock.now` when the director first saw the request. */
  readonly startedAtMs: number;
}

/** A request that was refused before any endpoint was tried. */
export interface RefusedRequest {
  readonly head: RequestHead;
  readonly refusal: Refusal;
  /** Name of the route; null when the client's is not known. */
  readonly model: string | null;
  /** Where it would have gone first; null when that is not known. */
  readonly pool: string | null;
  /** Estimate; null when the model is not known. */
  readonly promptTokens: number | null;
  /** `Clock.now` when the director first saw the request, and when it refused it. */
  readonly startedAtMs: number;
  readonly refusedAtMs: number;
}

/**
 * Hears of every request once, at its end, such as to record it. Called in the request's own time:
 * it must be quick, must not throw, and keeps of what it is given no more than a flight's record,
 * the credential and the blocks, none of which changes any more.
 */
export interface RequestObserver {
  /** `blocks`: the prompt's as the served model's cache has them; null without a prefix cache. */
  onEnded(ended: EndedFlight, blocks: PromptBlocks | null): void;
  onRefused(refused: RefusedRequest): void;
}
