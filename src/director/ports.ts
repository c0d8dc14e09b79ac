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
