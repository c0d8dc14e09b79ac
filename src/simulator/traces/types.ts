import type { LabRequest } from '../workloads/types.ts';

/**
 * Kinds of trace files. `mooncake`: JSON lines with timestamp, input_length, output_length and
 * hash_ids; `azure`: CSV with TIMESTAMP, ContextTokens and GeneratedTokens; `penstock`: recordings.
 */
export type TraceFormat = 'mooncake' | 'azure' | 'penstock';

/** How a trace is to be read: plain data. What is not given has the default that is said. */
export interface ReadTraceOptions {
  /** Found by content when not given. */
  readonly format?: TraceFormat | undefined;
  /** Divides all times: at 2, what took an hour takes half of one. Above 0; 1 by default. */
  readonly speed?: number | undefined;
  /** Reads this many requests at most, from the start; all by default. */
  readonly limit?: number | undefined;
  /** `drop`: every request asks for the base model. `keep` by default. */
  readonly adapters?: 'keep' | 'drop' | undefined;
  /** Tokens of one hash id in Mooncake's format; 512 by default. */
  readonly blockTokens?: number | undefined;
}

/** How far reading has come. */
export interface TraceProgress {
  readonly bytesRead: number;
  readonly bytes: number;
  readonly requests: number;
}

/** What reading does beside giving a trace. */
export interface ReadTraceHooks {
  /** Called about every megabyte. */
  readonly onProgress?: ((progress: TraceProgress) => void) | undefined;
  /** Aborts reading; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** What a trace holds, for a person. */
export interface TraceStats {
  readonly requests: number;
  /** From the first request to the last, speed-up included. */
  readonly spanMs: number;
  readonly requestsPerSecond: number;
  readonly promptTokensMean: number;
  readonly promptTokensMax: number;
  readonly outputTokensMean: number;
  readonly outputTokensMax: number;
  /** Share of prompt tokens in blocks seen before: what an endless shared cache would hit. */
  readonly repeatedShare: number;
  readonly tenants: number;
}

/** A trace in memory: requests in order of time, made when asked for. */
export interface Trace {
  /** The file's name without its folder. */
  readonly name: string;
  readonly format: TraceFormat;
  readonly count: number;
  /** `index` from 0 to `count - 1`. The same index gives equal requests. */
  requestAt(index: number): LabRequest;
  /** When the request is sent, in milliseconds from the start, without making it. */
  atMsOf(index: number): number;
  readonly stats: TraceStats;
  /** Adapters that requests name, sorted. */
  readonly adapters: readonly string[];
  /** What was left out or guessed, in sentences. */
  readonly warnings: readonly string[];
}
