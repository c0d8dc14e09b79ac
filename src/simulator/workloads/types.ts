import type { LatencyObjective } from '../../scheduler/types.ts';
import type { ArrivalSpec } from './arrival-spec.ts';

/**
 * A run of tokens; token `index` of it has the id `id * 2^21 + index`, so that equal ids are equal
 * content. `id` is an integer from 0 to 2^32 - 1, `tokens` from 1 to 2^21.
 */
export interface PromptSegment {
  readonly id: number;
  readonly tokens: number;
}

/** One request of a workload or trace. Everything of it is known before it is sent. */
export interface LabRequest {
  /** When it is to be sent, in milliseconds from the start of the run. */
  readonly atMs: number;
  /** Number of the conversation it belongs to; requests of none have numbers of their own. */
  readonly session: number;
  readonly tenant: string;
  /** Adapter asked for; null for the base model. */
  readonly adapter: string | null;
  /** The prompt in order; engines and gateway find out by themselves what of it they know. */
  readonly segments: readonly PromptSegment[];
  /** Sum of the segments' tokens; at least 1. */
  readonly promptTokens: number;
  /** Tokens that will be generated, and the segment they make: a next turn may contain it. */
  readonly output: PromptSegment;
  /** Bound that the client states in its request; null when it states none. */
  readonly maxTokens: number | null;
  /** What the request's headers ask of the answer's speed. */
  readonly objective: LatencyObjective;
  /** Request headers by lower-case name, such as a session's; null for none. */
  readonly headers: Readonly<Record<string, string>> | null;
}

/**
 * Requests in order of time. Not all need be known at the start: a turn of a conversation follows
 * the answer before it, and a closed loop sends when an answer has come.
 */
export interface TrafficSource {
  /**
   * When the next request is to be sent, in milliseconds; infinite while everything that is left
   * waits for an answer, and at the end.
   */
  nextAtMs(): number;
  /** Takes the request that `nextAtMs` announced. */
  take(): LabRequest;
  /** The request has ended, in whatever way, at `atMs`. Called once for each that was taken. */
  noteEnded(request: LabRequest, atMs: number): void;
  /** Requests in all as far as that is known; null when it is not. For progress. */
  readonly expectedCount: number | null;
}

/** What a good answer is. Null where nothing is asked. Times in milliseconds. */
export interface GoodputObjective {
  readonly ttftMs: number | null;
  /**
   * Mean gap between tokens of one answer: inference-perf judges a request by the mean of its gaps
   * as well.
   */
  readonly tpotMs: number | null;
  /** From sending to the last token. */
  readonly e2eMs: number | null;
}

/** How much traffic a source makes. */
export interface TrafficOptions {
  readonly seed: number;
  /** Multiplies the arrival rate, or the number of clients of a closed loop. More than 0. */
  readonly load: number;
  /** No request or conversation begins later than this. */
  readonly durationMs: number;
}

/** A named kind of traffic with the setting it is meant for. */
export interface Workload {
  readonly name: string;
  /** One sentence for help. */
  readonly summary: string;
  readonly objective: GoodputObjective;
  /** Adapters that its requests name. */
  readonly adapters: readonly string[];
  /** What a run uses when nothing is said. */
  readonly defaults: {
    readonly profile: string;
    readonly replicas: number;
    readonly durationMs: number;
    /** Requests that begin before this do not count. */
    readonly warmUpMs: number;
  };
  /** What a load of 1 means, such as `12 requests/s` or `40 conversations`. */
  readonly loadUnit: string;
  /** How requests come when it is not the workload's own way; null: its own. */
  readonly arrivals: ArrivalSpec | null;
  /**
   * The same requests at other times; throws a `WorkloadError` for arrivals that this workload
   * cannot have.
   */
  withArrivals(arrivals: ArrivalSpec): Workload;
  createTraffic(options: TrafficOptions): TrafficSource;
}
