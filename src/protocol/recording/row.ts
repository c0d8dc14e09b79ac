import { OUTCOMES } from '../../core/errors.ts';
import { encodeWord, type Word } from './put-values.ts';
import type { RecordedRequest } from './types.ts';

/** A request without its hashes and tenant, which are made for many requests at once. */
export interface RecordedRow extends Omit<RecordedRequest, 'blocks' | 'tenant'> {
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
export type RowText = 'api' | 'model' | 'adapter' | 'pool' | 'endpoint';

/** Where in `LineRow.numbers` a number is. */
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
export const NUMBER_COUNT = 15;

/** Where in `LineRow.texts` a text is. */
export const TEXT_AT: Readonly<Record<RowText, number>> = Object.freeze({
  api: 0,
  model: 1,
  adapter: 2,
  pool: 3,
  endpoint: 4,
});

/** Texts of a row. */
export const TEXT_COUNT = 5;

/** A value of a line as it is written: JSON and the comma after it. */
export type LineValue = Word;

/** Null as it is written. */
export const NULL_VALUE: LineValue = encodeValue(null);

/** A text or null as it is written. */
export function encodeValue(value: string | null): LineValue {
  return encodeWord(`${JSON.stringify(value)},`);
}

/** One request on its way to a line, as numbers and texts; filled for one after another. */
export class LineRow {
  readonly numbers: Float64Array = new Float64Array(NUMBER_COUNT);
  readonly texts: (string | null)[] = Array.from({ length: TEXT_COUNT }, () => null);
  tenant: LineValue = NULL_VALUE;

  /** Blocks whose hashes belong into the line. */
  get blockCount(): number {
    return this.numbers[NUMBER_AT.blockCount] as number;
  }

  set(row: RecordedRow, tenant: LineValue): void {
    const { numbers, texts } = this;
    numbers[NUMBER_AT.atMs] = row.atMs;
    numbers[NUMBER_AT.stream] = row.stream ? 1 : 0;
    numbers[NUMBER_AT.promptBytes] = row.promptBytes;
    numbers[NUMBER_AT.promptTokens] = row.promptTokens;
    numbers[NUMBER_AT.isUsage] = row.tokensFrom === 'usage' ? 1 : 0;
    numbers[NUMBER_AT.maxTokens] = row.maxTokens ?? NO_NUMBER;
    numbers[NUMBER_AT.outputTokens] = row.outputTokens ?? NO_NUMBER;
    numbers[NUMBER_AT.cachedTokens] = row.cachedTokens ?? NO_NUMBER;
    numbers[NUMBER_AT.ttftMs] = row.ttftMs ?? NO_NUMBER;
    numbers[NUMBER_AT.tpotMs] = row.tpotMs ?? NO_NUMBER;
    numbers[NUMBER_AT.durationMs] = row.durationMs;
    numbers[NUMBER_AT.outcome] = OUTCOMES.indexOf(row.outcome);
    numbers[NUMBER_AT.status] = row.status;
    numbers[NUMBER_AT.attempts] = row.attempts;
    numbers[NUMBER_AT.blockCount] = row.blockCount;
    texts[TEXT_AT.api] = row.api;
    texts[TEXT_AT.model] = row.model;
    texts[TEXT_AT.adapter] = row.adapter;
    texts[TEXT_AT.pool] = row.pool;
    texts[TEXT_AT.endpoint] = row.endpoint;
    this.tenant = tenant;
  }
}
