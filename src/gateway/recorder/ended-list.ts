import type { EndedFlight } from '../../director/ports.ts';
import {
  type LineRow,
  type LineValue,
  NULL_VALUE,
  NUMBER_AT,
  type RecordedRow,
} from '../../protocol/recording/row.ts';
import type { DecisionRecord } from '../../telemetry/decision-log.ts';
import { fillRow } from './fill-row.ts';

/** What is kept of a request that neither its record nor its refusal says. */
const STARTED_AT_MS = 0;
const PROMPT_BYTES = 1;
const BLOCK_COUNT = 2;
const NUMBERS = 3;

/**
 * Requests that have ended, until lines are made of all of them. Of a flight it keeps the record
 * of its decision, which is complete and lives on in the decision log anyway, and a few numbers
 * beside it: nothing else of the request is held, and nothing is made for it. Hot: bench `proxy`.
 */
export class EndedList {
  readonly #capacity: number;
  readonly #records: (DecisionRecord | null)[];
  readonly #refusals: (RecordedRow | null)[];
  readonly #tenants: LineValue[];
  readonly #numbers: Float64Array;
  #count = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#records = Array.from({ length: capacity }, () => null);
    this.#refusals = Array.from({ length: capacity }, () => null);
    this.#tenants = Array.from({ length: capacity }, () => NULL_VALUE);
    this.#numbers = new Float64Array(capacity * NUMBERS);
  }

  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count === this.#capacity;
  }

  /** Adds a flight to a list that is not full. */
  addFlight(flight: EndedFlight, tenant: LineValue, blockCount: number): void {
    const index = this.#count;
    this.#count = index + 1;
    this.#records[index] = flight.record;
    this.#tenants[index] = tenant;
    const at = index * NUMBERS;
    const numbers = this.#numbers;
    numbers[at + STARTED_AT_MS] = flight.startedAtMs;
    numbers[at + PROMPT_BYTES] = flight.head.promptBytes;
    numbers[at + BLOCK_COUNT] = blockCount;
  }

  /** Adds a refusal to a list that is not full. */
  addRefusal(row: RecordedRow, tenant: LineValue): void {
    const index = this.#count;
    this.#count = index + 1;
    this.#refusals[index] = row;
    this.#tenants[index] = tenant;
  }

  /** Fills `row` with the request at `index`; `originMs`: `Clock.now` at which `atMs` is 0. */
  fill(row: LineRow, index: number, originMs: number): void {
    const tenant = this.#tenants[index] as LineValue;
    const record = this.#records[index] as DecisionRecord | null;
    if (record === null) {
      row.set(this.#refusals[index] as RecordedRow, tenant);
      return;
    }
    fillRow(row, record);
    const at = index * NUMBERS;
    row.numbers[NUMBER_AT.atMs] = (this.#numbers[at + STARTED_AT_MS] as number) - originMs;
    row.numbers[NUMBER_AT.promptBytes] = this.#numbers[at + PROMPT_BYTES] as number;
    row.numbers[NUMBER_AT.blockCount] = this.#numbers[at + BLOCK_COUNT] as number;
    row.tenant = tenant;
  }

  /** Forgets all of them. */
  clear(): void {
    this.#records.fill(null, 0, this.#count);
    this.#refusals.fill(null, 0, this.#count);
    this.#count = 0;
  }
}
