import type { Outcome } from '../../core/errors.ts';
import type { ApiId } from '../api-table.ts';

/** Version of the line format; readers refuse any other. */
export const RECORDING_VERSION = 2;

/**
 * Bits of a block's hash in a recording: eight characters of base64url, and a whole number that a
 * double holds exactly. Of ten million distinct blocks, two have one hash with a chance of 1 in 6.
 */
export const BLOCK_HASH_BITS = 48;

/** One more than the largest block hash. */
export const BLOCK_HASH_LIMIT: number = 2 ** BLOCK_HASH_BITS;

/** Characters of a block's hash. */
export const BLOCK_HASH_CHARS = 8;

/**
 * Longest line, its newline included: 4,096 blocks, the most that are kept of a prompt, take half
 * of it; the rest is room for long names.
 */
export const RECORDING_LINE_BYTES_MAX: number = 64 * 1024;

/** First line of every file and of every recording that was appended to one. */
export interface RecordingHeader {
  /** Random; hashes can be compared within one session, and with those of no other. */
  readonly session: string;
  /** Unix time in milliseconds at which `atMs` of the session's requests is 0. */
  readonly startedAtMs: number;
  /** 1 for the session's first file, one more after each change of file. */
  readonly part: number;
  /** Prompt bytes that one block stands for. */
  readonly blockBytes: number;
}

/** One request of a recording. Times in milliseconds, to a hundredth. */
export interface RecordedRequest {
  /** Arrival, from the start of the recording. */
  readonly atMs: number;
  readonly api: ApiId;
  /** Name that the client used; null for one that is not known here. */
  readonly model: string | null;
  /** Adapter it was served by; null for a base model. */
  readonly adapter: string | null;
  /** Pool it was sent to, or would have been; null when its model is not known. */
  readonly pool: string | null;
  /** Endpoint that had it last; null when it was sent to none. */
  readonly endpoint: string | null;
  /** Keyed hash of the client's credential; null without one. */
  readonly tenant: string | null;
  readonly stream: boolean;
  /** Size of the prompt as the gateway saw it when it chose, at most that of the body. */
  readonly promptBytes: number;
  readonly promptTokens: number;
  /** Whether the engine counted `promptTokens` or the gateway estimated them from the bytes. */
  readonly tokensFrom: 'usage' | 'estimate';
  /** The client's bound on output tokens; null without one. */
  readonly maxTokens: number | null;
  /** As the engine counted them; null when it did not say. */
  readonly outputTokens: number | null;
  /** Prompt tokens that the engine had in its prefix cache; null when it did not say. */
  readonly cachedTokens: number | null;
  /** To the first byte of a stream's body; null for other answers. */
  readonly ttftMs: number | null;
  /** Mean between tokens of a stream after its first; null for other answers and without usage. */
  readonly tpotMs: number | null;
  /** From arrival to the answer's last byte. */
  readonly durationMs: number;
  readonly outcome: Outcome;
  /** HTTP status that the client got; 0 for none. */
  readonly status: number;
  /** Endpoints that were tried. */
  readonly attempts: number;
  /**
   * Hashes of the prompt's whole blocks in order, each of all the prompt up to the block's end:
   * whole numbers below 2^48. Equal hashes mean prompts that are equal up to there.
   */
  readonly blocks: readonly number[];
}

/**
 * What the values of a request's line are, in their order. Every header says them, for whoever
 * reads a recording without this program; a later version may have more, after these.
 */
export const RECORDING_COLUMNS: readonly (keyof RecordedRequest)[] = Object.freeze([
  'atMs',
  'api',
  'model',
  'adapter',
  'pool',
  'endpoint',
  'tenant',
  'stream',
  'promptBytes',
  'promptTokens',
  'tokensFrom',
  'maxTokens',
  'outputTokens',
  'cachedTokens',
  'ttftMs',
  'tpotMs',
  'durationMs',
  'outcome',
  'status',
  'attempts',
  'blocks',
]);

/** Why a line is not one of a recording. */
export interface RecordingProblem {
  /** Field at fault; null when it is the whole line. */
  readonly field: string | null;
  /** To follow the field's name, or `the line`. */
  readonly reason: string;
}
