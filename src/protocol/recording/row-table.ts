import { OUTCOMES } from '../../core/errors.ts';
import type { RecordedRequest } from './types.ts';

/** A request without its hashes, which are filled in when many can be worked out at once. */
export interface RecordedRow extends Omit<RecordedRequest, 'blocks'> {
  readonly blockCount: number;
}

/** Stands for null among the numbers: none of a request is below 0. */
export const NO_NUMBER = -1;

/** What of a row is kept as a number. */
export type RowNumber =
  | 'atMs'
  | 'stream'
  | 'promptBytes'
  | 'promptTokens'
  | 'isUsage'
  | 'maxTokens'
  | 'outputTokens'
  | 'cachedTokens'
  | 'ttftMs'
  | 'tpotMs'
  | 'durationMs'
  | 'outcome'
  | 'status'
  | 'attempts'
  | 'blockCount';

/** What of a row is kept as a text. */
export type RowText = 'api' | 'model' | 'adapter' | 'pool' | 'endpoint' | 'tenant';

/** Where a row's numbers are, from its start in `RowTable.numbers`. */
export const NUMBER_AT: Readonly<Record<RowNumber, number>> = Object.freeze({
  atMs: 0,
  /** 1 for a stream, 0 for none. */
  stream: 1,
  promptBytes: 2,
  promptTokens: 3,
  /** 1 when the engine counted the prompt's tokens, 0 when they are an estimate. */
  isUsage: 4,
  maxTokens: 5,
  outputTokens: 6,
  cachedTokens: 7,
  ttftMs: 8,
  tpotMs: 9,
  durationMs: 10,
  /** Index in `OUTCOMES`. */
  outcome: 11,
  status: 12,
  attempts: 13,
  blockCount: 14,
});

/** Numbers of a row. */
export const ROW_NUMBERS = 15;

/** Where a row's texts are, from its start in `RowTable.texts`. */
export const TEXT_AT: Readonly<Record<RowText, number>> = Object.freeze({
  api: 0,
  model: 1,
  adapter: 2,
  pool: 3,
  endpoint: 4,
  tenant: 5,
});

/** Texts of a row. */
export const ROW_TEXTS = 6;

/**
 * Requests on their way to lines, as numbers and texts side by side: a row takes no memory of its
 * own, and whoever fills one copies what he has at hand.
 */
export class RowTable {
  readonly numbers: Float64Array;
  readonly texts: (string | null)[];
  readonly #capacity: number;
  #count = 0;

  constructor(capacity: number) {
    this.numbers = new Float64Array(capacity * ROW_NUMBERS);
    this.texts = Array.from({ length: capacity * ROW_TEXTS }, () => null);
    this.#capacity = capacity;
  }

  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count === this.#capacity;
  }

  /** Index of a further row, to be filled by the caller, of a table that is not full. */
  take(): number {
    const index = this.#count;
    this.#count = index + 1;
    return index;
  }

  /** Adds a row to a table that is not full. */
  add(row: RecordedRow): void {
    const index = this.take();
    const { numbers, texts } = this;
    const at = index * ROW_NUMBERS;
    numbers[at + NUMBER_AT.atMs] = row.atMs;
    numbers[at + NUMBER_AT.stream] = row.stream ? 1 : 0;
    numbers[at + NUMBER_AT.promptBytes] = row.promptBytes;
    numbers[at + NUMBER_AT.promptTokens] = row.promptTokens;
    numbers[at + NUMBER_AT.isUsage] = row.tokensFrom === 'usage' ? 1 : 0;
    numbers[at + NUMBER_AT.maxTokens] = row.maxTokens ?? NO_NUMBER;
    numbers[at + NUMBER_AT.outputTokens] = row.outputTokens ?? NO_NUMBER;
    numbers[at + NUMBER_AT.cachedTokens] = row.cachedTokens ?? NO_NUMBER;
    numbers[at + NUMBER_AT.ttftMs] = row.ttftMs ?? NO_NUMBER;
    numbers[at + NUMBER_AT.tpotMs] = row.tpotMs ?? NO_NUMBER;
    numbers[at + NUMBER_AT.durationMs] = row.durationMs;
    numbers[at + NUMBER_AT.outcome] = OUTCOMES.indexOf(row.outcome);
    numbers[at + NUMBER_AT.status] = row.status;
    numbers[at + NUMBER_AT.attempts] = row.attempts;
    numbers[at + NUMBER_AT.blockCount] = row.blockCount;
    const textAt = index * ROW_TEXTS;
    texts[textAt + TEXT_AT.api] = row.api;
    texts[textAt + TEXT_AT.model] = row.model;
    texts[textAt + TEXT_AT.adapter] = row.adapter;
    texts[textAt + TEXT_AT.pool] = row.pool;
    texts[textAt + TEXT_AT.endpoint] = row.endpoint;
    texts[textAt + TEXT_AT.tenant] = row.tenant;
  }

  /** Blocks whose hashes belong into row number `index`. */
  blockCountAt(index: number): number {
    return this.numbers[index * ROW_NUMBERS + NUMBER_AT.blockCount] as number;
  }

  /** Forgets all rows. */
  clear(): void {
    this.texts.fill(null, 0, this.#count * ROW_TEXTS);
    this.#count = 0;
  }
}
