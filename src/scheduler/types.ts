import type { PromptBlocks } from '../protocol/request/prompt-blocks.ts';
import type { LoadTable } from './ports.ts';

export type { PromptBlocks } from '../protocol/request/prompt-blocks.ts';

/** What the caller wants of the answer's speed; null where nothing is asked. */
export interface LatencyObjective {
  /** Milliseconds to the first output token. */
  readonly ttftMs: number | null;
  /** Milliseconds per output token after the first. */
  readonly tpotMs: number | null;
}

/** No objective at all. */
export const NO_OBJECTIVE: LatencyObjective = Object.freeze({ ttftMs: null, tpotMs: null });

/** What is known of endpoints beside their load; slots as in the load table. */
export interface EndpointTraits {
  /** `host:port` and base path; the same after a restart of the gateway. */
  idOf(slot: number): string;
  /** The same object until the labels change, so that verdicts on it may be kept. */
  labelsOf(slot: number): Readonly<Record<string, string>>;
}

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
  /** `Clock.now` of the pick. */
  readonly nowMs: number;
  /** Null when the request has no prompt or it was not hashed. */
  readonly blocks: PromptBlocks | null;
  readonly objective: LatencyObjective;
  readonly traits: EndpointTraits;
  /** Value of the request header with this lower-case name; null without it. */
  header(name: string): string | null;
}

/** The candidates that are left: `positions[0 … count)` index `PickInput.members`, ascending. */
export interface CandidateSet {
  readonly positions: Int32Array;
  readonly count: number;
}

/** What plugins of all kinds have. Hooks are called outside picks and must be quick. */
export interface Plugin {
  /** Type in the registry. */
  readonly type: string;
  /** Name of this instance in its profile, shown in decision records. */
  readonly name: string;
  /** The request of `input` was booked on `slot`, by this profile's choice or as a fallback. */
  noteBooked?(slot: number, input: PickInput): void;
  /** A header to send with the answer of `slot` so that the next request of its client matches. */
  answerHeader?(slot: number, input: PickInput): AnswerHeader | null;
}

/** A header that a plugin wants in the answer to the client. */
export interface AnswerHeader {
  readonly name: string;
  readonly value: string;
}

/** Removes candidates. */
export interface Filter extends Plugin {
  /**
   * Whether what it removes is only less wanted: such endpoints still fill the places of the answer
   * that are left over, so that a request whose first choice fails has somewhere to go.
   */
  readonly isPreference?: boolean;
  /**
   * Writes the kept positions, in their order, to the front of `candidates.positions` and returns
   * how many they are. Called for every request: no allocation.
   */
  keep(input: PickInput, candidates: CandidateSet): number;
}

/**
 * Rates candidates from 0 (worst) to 1 (best). `positions` are the surviving indices into
 * `input.members`; the score of `positions[i]` goes to `scores[i]`. Only the first `count` entries
 * are meaningful. Called for every request and endpoint: no allocation.
 */
export interface Scorer extends Plugin {
  score(input: PickInput, candidates: CandidateSet, scores: Float64Array): void;
}

/** Orders candidates by their weighted mean scores. */
export interface Picker extends Plugin {
  /**
   * Writes indices into `candidates.positions` and `totals`, best first and each at most once,
   * into `out`; returns how many, at most `out.length`. `totals` is scratch space afterwards.
   */
  order(input: PickInput, candidates: CandidateSet, totals: Float64Array, out: Int32Array): number;
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
  /**
   * Unweighted score of each scorer, in the order of `Ranking.scorers`; NaN where it failed, and
   * for fallbacks that a filter set aside.
   */
  readonly reasons: readonly number[];
  /** Milliseconds to the first token by the latency model; filled in by the scheduler. */
  predictedTtftMs: number;
  /** Milliseconds per output token by the latency model; filled in by the scheduler. */
  predictedTpotMs: number;
  /** Leading prompt blocks it is believed to hold. */
  readonly matchedBlocks: number;
}

/** What one filter removed. */
export interface Removal {
  /** Name of the filter's instance. */
  readonly filter: string;
  readonly count: number;
  /** The first of the removed slots, at most `REMOVED_SLOTS_MAX`. */
  readonly slots: readonly number[];
}

/** Removed slots that are named per filter; more are only counted. */
export const REMOVED_SLOTS_MAX = 16;

/** The answer of a pick, best endpoint first. */
export interface Ranking {
  readonly ranked: readonly RankedEndpoint[];
  /** How many endpoints serve the model. */
  readonly candidateCount: number;
  /** How many of them may be picked now, before filters. */
  readonly availableCount: number;
  /** Filters that removed any, in their order. */
  readonly removed: readonly Removal[];
  /** Names of the scorers, in the order of `RankedEndpoint.reasons`. */
  readonly scorers: readonly string[];
}

/** The first output token of a request came. */
export interface FirstTokenObservation {
  readonly nowMs: number;
  /** From sending the request to its first token. */
  readonly ttftMs: number;
  readonly promptTokens: number;
  /** Prompt tokens predicted to be cached at the pick. */
  readonly cachedTokens: number;
  /** Prompt tokens not yet prefilled that were ahead of it on the endpoint at the pick. */
  readonly prefillTokensAhead: number;
  /** Requests in the endpoint's engine at the pick, those of others included. */
  readonly requestsAhead: number;
  /** Whether the request needed an adapter that was not seen resident at the pick. */
  readonly isAdapterCold: boolean;
}

/** A request was answered in full. */
export interface FinishedObservation {
  readonly nowMs: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** Prompt tokens that were cached, as the engine reported; null when it did not. */
  readonly cachedTokens: number | null;
  /** Milliseconds per output token after the first; null with fewer than two tokens. */
  readonly tpotMs: number | null;
  /** Mean requests in flight on the endpoint while decoding. */
  readonly batch: number;
  /** KV-cache use of the endpoint, 0 to 1; NaN when unknown. */
  readonly kvCacheUsage: number;
  readonly blocks: PromptBlocks | null;
  /** What was said of its first token; null when it was not timed. */
  readonly firstToken: FirstTokenObservation | null;
}
