import type { RecordingProblem } from './types.ts';

/** Inclusive bounds of a whole number; without `max`, those of what a double holds exactly. */
export interface IntegerBounds {
  readonly min: number;
  readonly max?: number;
}

/** Reads the fields of one line and keeps the first problem; what follows it means nothing. */
export class FieldReader {
  readonly #fields: Readonly<Record<string, unknown>>;
  #problem: RecordingProblem | null = null;

  constructor(fields: Readonly<Record<string, unknown>>) {
    this.#fields = fields;
  }

  /** The first problem; null when there was none. */
  get problem(): RecordingProblem | null {
    return this.#problem;
  }

  /** Notes what is wrong with a field, unless something was wrong before. */
  refuse(field: string, reason: string): void {
    this.#problem ??= { field, reason };
  }

  text(field: string): string {
    const value = this.#value(field);
    if (typeof value === 'string') return value;
    this.#expect(field, 'a text', value);
    return '';
  }

  textOrNull(field: string): string | null {
    return this.#value(field) === null ? null : this.text(field);
  }

  flag(field: string): boolean {
    const value = this.#value(field);
    if (typeof value === 'boolean') return value;
    this.#expect(field, 'true or false', value);
    return false;
  }

  choice<T extends string>(field: string, choices: readonly T[]): T {
    const value = this.#value(field);
    const found = choices.find((choice) => choice === value);
    if (found !== undefined) return found;
    this.#expect(field, `one of ${choices.join(', ')}`, value);
    return choices[0] as T;
  }

  integer(field: string, { min, max = Number.MAX_SAFE_INTEGER }: IntegerBounds): number {
    const value = this.#value(field);
    const isInteger = typeof value === 'number' && Number.isSafeInteger(value);
    if (isInteger && value >= min && value <= max) return value;
    this.#expect(field, `a whole number from ${min} to ${max}`, value);
    return 0;
  }

  integerOrNull(field: string, bounds: IntegerBounds): number | null {
    return this.#value(field) === null ? null : this.integer(field, bounds);
  }

  /** Milliseconds, at least 0. */
  time(field: string): number {
    const value = this.#value(field);
    if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
    this.#expect(field, 'milliseconds, at least 0', value);
    return 0;
  }

  timeOrNull(field: string): number | null {
    return this.#value(field) === null ? null : this.time(field);
  }

  #value(field: string): unknown {
    return Object.hasOwn(this.#fields, field) ? this.#fields[field] : undefined;
  }

  #expect(field: string, what: string, got: unknown): void {
    this.refuse(field, got === undefined ? 'is missing' : `must be ${what}, got ${show(got)}`);
  }
}

const SHOWN_CHARS = 40;

function show(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS)}…` : text;
}
