import { OUTCOMES } from '../../core/errors.ts';
import type { EndedFlight } from '../../director/ports.ts';
import {
  type LineRow,
  type LineValue,
  NO_NUMBER,
  NULL_VALUE,
  NUMBER_AT,
  NUMBER_COUNT,
  type RecordedRow,
  TEXT_AT,
  TEXT_COUNT,
} from '../../protocol/recording/row.ts';

/** What a line says of a request beside its record. */
export interface EndedContext {
  /** `Clock.now` at which `atMs` is 0. */
  readonly originMs: number;
  readonly tenant: LineValue;
  readonly blockCount: number;
}

/**
 * Requests that have ended, until lines are made of all of them: numbers and texts side by side,
 * copied at the request's end. No object is made, and nothing of the request is held; to keep its
 * decision's record and read that later is no cheaper. Hot: bench `proxy`.
 */
export class EndedList {
  readonly #capacity: number;
  readonly #numbers: Float64Array;
  readonly #tenants: LineValue[];
  readonly #texts: (string | null)[];
  readonly #refusals: (RecordedRow | null)[];
  #count = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#numbers = new Float64Array(capacity * NUMBER_COUNT);
    this.#tenants = Array.from({ length: capacity }, () => NULL_VALUE);
    this.#texts = Array.from({ length: capacity * TEXT_COUNT }, () => null);
    this.#refusals = Array.from({ length: capacity }, () => null);
  }

  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count === this.#capacity;
  }

  /** Adds a flight to a list that is not full. */
  addFlight(flight: EndedFlight, { originMs, tenant, blockCount }: EndedContext): void {
    const { head, record, startedAtMs } = flight;
    const { attempts, promptTokens, stream } = record;
    const index = this.#count;
    this.#count = index + 1;
    const numbers = this.#numbers;
    const at = index * NUMBER_COUNT;
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
    const texts = this.#texts;
    const textAt = index * TEXT_COUNT;
    const last = attempts[attempts.length - 1];
    texts[textAt + TEXT_AT.api] = record.api;
    texts[textAt + TEXT_AT.model] = record.clientModel;
    texts[textAt + TEXT_AT.adapter] = record.adapter;
    texts[textAt + TEXT_AT.pool] = record.pool;
    texts[textAt + TEXT_AT.endpoint] = last === undefined ? null : last.endpoint;
    this.#tenants[index] = tenant;
  }

  /** Adds a refusal to a list that is not full. */
  addRefusal(row: RecordedRow, tenant: LineValue): void {
    const index = this.#count;
    this.#count = index + 1;
    this.#refusals[index] = row;
    this.#tenants[index] = tenant;
  }

  /** Makes `row` the request at `index`. */
  copyTo(row: LineRow, index: number): void {
    const refusal = this.#refusals[index] as RecordedRow | null;
    const tenant = this.#tenants[index] as LineValue;
    if (refusal !== null) {
      row.set(refusal, tenant);
      return;
    }
    const { numbers, texts } = row;
    const from = index * NUMBER_COUNT;
    for (let i = 0; i < NUMBER_COUNT; i += 1) numbers[i] = this.#numbers[from + i] as number;
    const textsFrom = index * TEXT_COUNT;
    for (let i = 0; i < TEXT_COUNT; i += 1) texts[i] = this.#texts[textsFrom + i] as string | null;
    row.tenant = tenant;
  }

  /** Forgets all of them. */
  clear(): void {
    this.#texts.fill(null, 0, this.#count * TEXT_COUNT);
    this.#refusals.fill(null, 0, this.#count);
    this.#count = 0;
  }
}

function orNone(value: number | null): number {
  return value === null ? NO_NUMBER : value;
}
