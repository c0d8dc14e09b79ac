import { OUTCOMES } from '../../core/errors.ts';
import type { EndedFlight } from '../../director/ports.ts';
import {
  NO_NUMBER,
  NUMBER_AT,
  ROW_NUMBERS,
  ROW_TEXTS,
  type RowTable,
  TEXT_AT,
} from '../../protocol/recording/row-table.ts';

/** What a row says that an ended flight does not. */
export interface RowContext {
  /** `Clock.now` at which `atMs` is 0. */
  readonly originMs: number;
  readonly tenant: string | null;
  readonly blockCount: number;
}

/**
 * Adds what a recording says of a flight to a table that is not full. Copied while it is in the
 * processor's caches, and without an object in between: garbage costs a gateway 1 us a KB.
 * Hot: bench `proxy`.
 */
export function addFlight(
  table: RowTable,
  { head, record, startedAtMs }: EndedFlight,
  { originMs, tenant, blockCount }: RowContext,
): void {
  const { attempts, promptTokens, stream } = record;
  const { numbers, texts } = table;
  const index = table.take();
  const at = index * ROW_NUMBERS;
  numbers[at + NUMBER_AT.atMs] = startedAtMs - originMs;
  numbers[at + NUMBER_AT.stream] = stream ? 1 : 0;
  numbers[at + NUMBER_AT.promptBytes] = head.promptBytes;
  numbers[at + NUMBER_AT.promptTokens] = promptTokens ?? record.promptTokensEstimate;
  numbers[at + NUMBER_AT.isUsage] = promptTokens === null ? 0 : 1;
  numbers[at + NUMBER_AT.maxTokens] = orNone(record.maxTokens);
  numbers[at + NUMBER_AT.outputTokens] = orNone(record.completionTokens);
  numbers[at + NUMBER_AT.cachedTokens] = orNone(record.cachedTokens);
  numbers[at + NUMBER_AT.ttftMs] = stream ? orNone(record.ttftMs) : NO_NUMBER;
  numbers[at + NUMBER_AT.tpotMs] = orNone(record.tpotMs);
  numbers[at + NUMBER_AT.durationMs] = record.durationMs ?? 0;
  numbers[at + NUMBER_AT.outcome] = OUTCOMES.indexOf(record.outcome ?? 'interrupted');
  numbers[at + NUMBER_AT.status] = record.status ?? 0;
  numbers[at + NUMBER_AT.attempts] = attempts.length;
  numbers[at + NUMBER_AT.blockCount] = blockCount;
  const textAt = index * ROW_TEXTS;
  const last = attempts[attempts.length - 1];
  texts[textAt + TEXT_AT.api] = record.api;
  texts[textAt + TEXT_AT.model] = record.clientModel;
  texts[textAt + TEXT_AT.adapter] = record.adapter;
  texts[textAt + TEXT_AT.pool] = record.pool;
  texts[textAt + TEXT_AT.endpoint] = last === undefined ? null : last.endpoint;
  texts[textAt + TEXT_AT.tenant] = tenant;
}

function orNone(value: number | null): number {
  return value === null ? NO_NUMBER : value;
}
