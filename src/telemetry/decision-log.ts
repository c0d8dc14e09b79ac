import { assert } from '../core/assert.ts';
import type { Outcome } from '../core/errors.ts';
import { RingBuffer } from '../core/ring-buffer.ts';

/** One endpoint of the ordered list and what each scorer said of it. */
export interface RankedEndpoint {
  readonly endpoint: string;
  /** The total by which the list is ordered. */
  readonly score: number;
  /** Score per scorer, by the scorer's name; null where the scorer failed. */
  readonly reasons: Readonly<Record<string, number | null>>;
  /** Predicted milliseconds to the first token; null without a prediction. */
  readonly predictedTtftMs: number | null;
  /** Predicted milliseconds per output token after the first; null without a prediction. */
  readonly predictedTpotMs: number | null;
  /** Leading blocks of the prompt that it was believed to hold. */
  readonly matchedBlocks: number;
}

/** What one filter took out. */
export interface RemovalRecord {
  readonly filter: string;
  /** How many endpoints it took out. */
  readonly count: number;
  /** The first of them. */
  readonly endpoints: readonly string[];
}

/** What another policy, which routes nothing, would have done. */
export interface ShadowRecord {
  readonly profile: string;
  /** Its first choice; null when it had none. */
  readonly endpoint: string | null;
  readonly predictedTtftMs: number | null;
  readonly matchedBlocks: number;
}

/** One try to send the request to an endpoint. */
export interface AttemptRecord {
  readonly endpoint: string;
  /** How the try ended; the `result` label of `penstock_attempts_total`. */
  readonly result: string;
  /** From the start of the try to its result, in milliseconds. */
  readonly ms: number;
}

/**
 * Why one request went where it went and how it ended. Plain data, written by the director: added
 * to the log at the pick, its later fields filled in place until the request ends. Never holds any
 * part of a prompt or answer.
 */
export interface DecisionRecord {
  readonly requestId: string;
  /** When the pick was made, Unix milliseconds. */
  readonly atMs: number;
  /** API kind, the `api` label of metrics. */
  readonly api: string;
  /** Model as the client spelled it. */
  readonly clientModel: string;
  /** Model as sent to the endpoint. */
  readonly model: string;
  readonly pool: string;
  /** Adapter name; null when a base model was asked for. */
  readonly adapter: string | null;
  /** Whether a stream was asked for, as far as it was known; may be learnt after the pick. */
  stream: boolean;
  readonly promptTokensEstimate: number;
  /** Bound of the output asked for, in tokens; null when none was seen. */
  maxTokens: number | null;
  /** Endpoints that serve the model. */
  readonly candidateCount: number;
  /** Of those, the ones that could take the request. */
  readonly availableCount: number;
  /** Which of the model's tiers was used, from 0. */
  readonly tier: number;
  /** Milliseconds that were asked for; null where nothing was. */
  readonly objective: { readonly ttftMs: number | null; readonly tpotMs: number | null };
  /** Blocks of the prompt that had been hashed at the pick. */
  readonly promptBlocks: number;
  /** Filters that took endpoints out, in their order. */
  readonly removed: readonly RemovalRecord[];
  /** Null without a shadow policy. */
  readonly shadow: ShadowRecord | null;
  /** The best endpoints, as many as may be tried, best first. */
  readonly ordered: readonly RankedEndpoint[];
  /** Tries in order; grows while the request runs. */
  readonly attempts: AttemptRecord[];
  /** Null while the request runs. */
  outcome: Outcome | null;
  /** Code of the error table; null when there was no error of the gateway's own. */
  errorCode: string | null;
  /** HTTP status sent to the client; null until it is known. */
  status: number | null;
  /** Milliseconds from the request's first byte to the first byte of the answer's body. */
  ttftMs: number | null;
  /**
   * Milliseconds per output token after the first; null until it ends, and unless it is a stream.
   */
  tpotMs: number | null;
  /** Milliseconds from the request's first byte to the end of the answer. */
  durationMs: number | null;
  promptTokens: number | null;
  completionTokens: number | null;
  cachedTokens: number | null;
}

/** `picked`: just added; `completed`: the request has ended and the record changes no more. */
export type DecisionPhase = 'picked' | 'completed';

/**
 * Called inside the request path: it must be quick, must not throw, and must not keep the record.
 */
export type DecisionListener = (record: DecisionRecord, phase: DecisionPhase) => void;

/** Records kept when nothing else is said; about 1 MB. */
const DEFAULT_DECISION_CAPACITY = 1000;

/** A listener costs every request, so there are few; followers of one stream share one. */
const MAX_LISTENERS = 8;

/**
 * The last decisions, newest kept. `add` is one store into a ring; lookups scan the ring, which is
 * its own bounded index: they are rare, and an index by id would cost every request.
 */
export class DecisionLog {
  readonly #ring: RingBuffer<DecisionRecord> | null;
  #listeners: readonly DecisionListener[] = [];

  /** `capacity`: records kept; with 0 none are, and only listeners see them. */
  constructor(capacity: number = DEFAULT_DECISION_CAPACITY) {
    this.#ring = capacity === 0 ? null : new RingBuffer(capacity);
  }

  get size(): number {
    return this.#ring?.size ?? 0;
  }

  get capacity(): number {
    return this.#ring?.capacity ?? 0;
  }

  /** Keeps `record` by reference, as the newest; the oldest falls out when the log is full. */
  add(record: DecisionRecord): void {
    this.#ring?.push(record);
    if (this.#listeners.length > 0) this.#notify(record, 'picked');
  }

  /** Tells listeners that `record`, added before, is final. Call once, after its last change. */
  complete(record: DecisionRecord): void {
    if (this.#listeners.length > 0) this.#notify(record, 'completed');
  }

  /** Up to `limit` records, newest first. */
  latest(limit: number): DecisionRecord[] {
    const found: DecisionRecord[] = [];
    for (let age = 0; age < limit; age += 1) {
      const record = this.#ring?.newest(age);
      if (record === undefined) break;
      found.push(record);
    }
    return found;
  }

  /** The newest record with this request id; null when it was never there or has fallen out. */
  find(requestId: string): DecisionRecord | null {
    for (let age = 0; age < this.size; age += 1) {
      const record = this.#ring?.newest(age);
      if (record?.requestId === requestId) return record;
    }
    return null;
  }

  /**
   * Calls `listener` at every `add` and `complete` until the returned function is called, which is
   * idempotent. Nothing is buffered here: a listener bounds what it keeps.
   */
  subscribe(listener: DecisionListener): () => void {
    assert(this.#listeners.length < MAX_LISTENERS, 'too many listeners of the decision log');
    const own: DecisionListener = (record, phase) => {
      listener(record, phase);
    };
    this.#listeners = [...this.#listeners, own];
    return () => {
      this.#listeners = this.#listeners.filter((other) => other !== own);
    };
  }

  #notify(record: DecisionRecord, phase: DecisionPhase): void {
    for (const listener of this.#listeners) listener(record, phase);
  }
}
