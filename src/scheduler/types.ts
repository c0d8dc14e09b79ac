import type { LoadTable } from './ports.ts';

/** What a pick is made from: one request and the endpoints that serve its model. */
export interface PickInput {
  readonly load: LoadTable;
  /** Slots (indices into the load table) of the endpoints that serve the model. */
  readonly members: Int32Array;
  /**
   * For an adapter, how present it is on each member: 0 served but not seen resident, 1 resident
   * and idle, 2 serving requests now. Null when the request is for a base model.
   */
  readonly residency: Uint8Array | null;
  /** Estimated prompt tokens. */
  readonly promptTokens: number;
  /** Estimated output tokens. */
  readonly outputTokens: number;
}

/**
 * Rates candidates from 0 (worst) to 1 (best). `positions` are the surviving indices into
 * `input.members`; the score of `positions[i]` goes to `scores[i]`. Only the first `count` entries
 * are meaningful. Called for every request and endpoint: no allocation.
 */
export interface Scorer {
  /** Name shown in decision records. */
  readonly type: string;
  score(input: PickInput, candidates: CandidateSet, scores: Float64Array): void;
}

/** The candidates that are left: `positions[0 … count)` index `PickInput.members`. */
export interface CandidateSet {
  readonly positions: Int32Array;
  readonly count: number;
}

/** A scorer and its share in the total. */
export interface WeightedScorer {
  readonly scorer: Scorer;
  readonly weight: number;
}

/** One endpoint of the ordered answer. */
export interface RankedEndpoint {
  readonly slot: number;
  /** Weighted mean of the scores, 0 to 1. */
  readonly score: number;
  /** Unweighted score of each scorer, in the profile's order. */
  readonly reasons: readonly number[];
}

/** The answer of a pick, best endpoint first. */
export interface Ranking {
  readonly ranked: readonly RankedEndpoint[];
  /** How many endpoints serve the model. */
  readonly candidateCount: number;
  /** How many of them may be picked now. */
  readonly availableCount: number;
}
