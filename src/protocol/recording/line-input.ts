import type { Outcome } from '../../core/errors.ts';
import { encodeWord, type Word } from './put-values.ts';

/** A value of a line as it is written: JSON and the comma after it. */
export type LineValue = Word;

/** Null as it is written. */
export const NULL_VALUE: LineValue = encodeValue(null);

/** A text or null as it is written. */
export function encodeValue(value: string | null): LineValue {
  return encodeWord(`${JSON.stringify(value)},`);
}

/** How a request went, in the words of a decision's record, which is one of these. */
export interface LineRecord {
  readonly api: string;
  readonly clientModel: string | null;
  readonly adapter: string | null;
  readonly pool: string | null;
  readonly stream: boolean;
  readonly promptTokensEstimate: number;
  /** As the engine counted them; null when it did not say. */
  readonly promptTokens: number | null;
  readonly maxTokens: number | null;
  readonly completionTokens: number | null;
  readonly cachedTokens: number | null;
  /** Also of answers that are no stream, which a line leaves out. */
  readonly ttftMs: number | null;
  readonly tpotMs: number | null;
  readonly durationMs: number | null;
  /** Null counts as interrupted. */
  readonly outcome: Outcome | null;
  readonly status: number | null;
  readonly attempts: readonly { readonly endpoint: string }[];
}

/** What a line is written from. */
export interface LineInput {
  readonly record: LineRecord;
  /** Arrival, in milliseconds from the start of the recording. */
  readonly atMs: number;
  readonly promptBytes: number;
  readonly tenant: LineValue;
  /** Blocks whose hashes belong into the line. */
  readonly blockCount: number;
}
