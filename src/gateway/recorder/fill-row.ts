import { OUTCOMES } from '../../core/errors.ts';
import { type LineRow, NO_NUMBER, NUMBER_AT, TEXT_AT } from '../../protocol/recording/row.ts';
import type { DecisionRecord } from '../../telemetry/decision-log.ts';

/** Fills a row with what a complete record says; the rest of the row is the caller's. */
export function fillRow({ numbers, texts }: LineRow, record: DecisionRecord): void {
  const { attempts, promptTokens, stream } = record;
  numbers[NUMBER_AT.stream] = stream ? 1 : 0;
  numbers[NUMBER_AT.promptTokens] = promptTokens ?? record.promptTokensEstimate;
  numbers[NUMBER_AT.isUsage] = promptTokens === null ? 0 : 1;
  numbers[NUMBER_AT.maxTokens] = orNone(record.maxTokens);
  numbers[NUMBER_AT.outputTokens] = orNone(record.completionTokens);
  numbers[NUMBER_AT.cachedTokens] = orNone(record.cachedTokens);
  numbers[NUMBER_AT.ttftMs] = stream ? orNone(record.ttftMs) : NO_NUMBER;
  numbers[NUMBER_AT.tpotMs] = orNone(record.tpotMs);
  numbers[NUMBER_AT.durationMs] = record.durationMs ?? 0;
  numbers[NUMBER_AT.outcome] = OUTCOMES.indexOf(record.outcome ?? 'interrupted');
  numbers[NUMBER_AT.status] = record.status ?? 0;
  numbers[NUMBER_AT.attempts] = attempts.length;
  const last = attempts[attempts.length - 1];
  texts[TEXT_AT.api] = record.api;
  texts[TEXT_AT.model] = record.clientModel;
  texts[TEXT_AT.adapter] = record.adapter;
  texts[TEXT_AT.pool] = record.pool;
  texts[TEXT_AT.endpoint] = last === undefined ? null : last.endpoint;
}

function orNone(value: number | null): number {
  return value === null ? NO_NUMBER : value;
}
