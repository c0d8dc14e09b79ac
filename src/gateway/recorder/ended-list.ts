import type { RequestHead } from '../../director/types.ts';
import type { RecordedLine } from '../../protocol/recording/line-writer.ts';
import type { DecisionRecord } from '../../telemetry/decision-log.ts';
import type { PendingHashes } from './pending-hashes.ts';

/** Requests that are turned into lines at once. */
export const ENDED_MAX = 256;

/** So many hashes make a list full as well: 128 KiB of text. */
const HASHES_MAX = 16_384;

/**
 * One salt for all models and pools: a prompt has the same hashes wherever it went, so that replay
 * may send it elsewhere. Which model it was for is in the line.
 */
const SALT = '';

/** What a line says of a request that was refused; its hashes and tenant are apart. */
export type RefusedLine = Omit<RecordedLine, 'tenant' | 'blockCount'>;

/** One request that has ended, with nothing of its prompt. */
export interface EndedRequest {
  /** Either the record of its decision, or all there is to say. */
  readonly record: DecisionRecord | RefusedLine;
  readonly startedAtMs: number;
  readonly promptBytes: number;
  readonly credential: string | null;
  readonly blockCount: number;
}

/**
 * Requests that have ended and are not lines yet. Making lines of hundreds at once takes a fourth
 * of the time: between two requests all else that a gateway does pushes the code for it out of the
 * processor's caches. Records are the decision log's own; nothing is copied but hashes.
 */
export class EndedList {
  readonly #pending: PendingHashes;
  readonly #records: (DecisionRecord | RefusedLine | null)[] = Array.from(
    { length: ENDED_MAX },
    () => null,
  );
  readonly #credentials: (string | null)[] = Array.from({ length: ENDED_MAX }, () => null);
  readonly #startedAtMs = new Float64Array(ENDED_MAX);
  readonly #promptBytes = new Float64Array(ENDED_MAX);
  readonly #blockCounts = new Int32Array(ENDED_MAX);
  #count = 0;

  constructor(pending: PendingHashes) {
    this.#pending = pending;
  }

  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count === ENDED_MAX || this.#pending.count >= HASHES_MAX;
  }

  /** Adds a request to a list that is not full. Hot: bench `proxy`. */
  add(head: RequestHead, record: DecisionRecord | RefusedLine, startedAtMs: number): void {
    const index = this.#count;
    const blocks = head.promptBlocks(SALT);
    this.#records[index] = record;
    this.#credentials[index] =
      head.header('authorization') ?? head.header('x-api-key') ?? head.header('api-key');
    this.#startedAtMs[index] = startedAtMs;
    this.#promptBytes[index] = head.promptBytes;
    this.#blockCounts[index] = blocks.count;
    if (blocks.count > 0) this.#pending.add(blocks.hashes, blocks.count);
    this.#count = index + 1;
  }

  /** Request number `index`, in the order in which they were added. */
  at(index: number): EndedRequest | null {
    const record = this.#records[index];
    if (record === null || record === undefined) return null;
    return {
      record,
      startedAtMs: this.#startedAtMs[index] as number,
      promptBytes: this.#promptBytes[index] as number,
      credential: this.#credentials[index] ?? null,
      blockCount: this.#blockCounts[index] as number,
    };
  }

  /** Forgets all of them; the hashes are for whoever takes them. */
  clear(): void {
    this.#records.fill(null, 0, this.#count);
    this.#credentials.fill(null, 0, this.#count);
    this.#count = 0;
  }
}
