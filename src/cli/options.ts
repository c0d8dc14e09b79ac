import { assert } from '../core/assert.ts';

/**
 * What an option's value is. A `list` flag may be repeated; in the environment its parts are
 * separated by commas.
 */
export type OptionKind = 'string' | 'integer' | 'number' | 'boolean' | 'choice' | 'list';

/** A parsed value; null: not given and without a default. */
export type OptionValue = string | number | boolean | readonly string[] | null;

/**
 * One row of a command's option table: it drives the flag, the environment variable and the help.
 */
export interface OptionDefinition {
  /** Name without the leading dashes, for example `log-level`. */
  readonly flag: string;
  /** Environment variable that sets it, or null. */
  readonly env: string | null;
  readonly kind: OptionKind;
  readonly default: OptionValue;
  /** Unit of a number, null where it has none. */
  readonly unit: string | null;
  /** One sentence. */
  readonly help: string;
  /** Values of a `choice`. */
  readonly choices?: readonly string[];
  /** How the value is called in help; by default the kind. */
  readonly placeholder?: string;
  /** Bounds of an `integer` or `number`, inclusive. */
  readonly min?: number;
  readonly max?: number;
  /** Number meant by the bare flag, which then need not be followed by a value. */
  readonly bareValue?: number;
}

/** Where an option's value came from. */
export type OptionOrigin = 'flag' | 'environment' | 'default';

/** A value with the row that declares it. */
export interface ParsedValue {
  readonly definition: OptionDefinition;
  readonly value: OptionValue;
  readonly origin: OptionOrigin;
}

/**
 * The options of one command, parsed. The getters assert that the table declares the option with
 * that kind.
 */
export class ParsedOptions {
  /** Arguments that are not options, in order. */
  readonly operands: readonly string[];
  readonly #values: ReadonlyMap<string, ParsedValue>;

  constructor(values: ReadonlyMap<string, ParsedValue>, operands: readonly string[]) {
    this.#values = values;
    this.operands = operands;
  }

  /** Whether the command has this option. */
  has(flag: string): boolean {
    return this.#values.has(flag);
  }

  /** Whether a flag or the environment set it. */
  isGiven(flag: string): boolean {
    return this.#entry(flag).origin !== 'default';
  }

  /** Flag, environment or default. */
  originOf(flag: string): OptionOrigin {
    return this.#entry(flag).origin;
  }

  /** What the user wrote to set it: the flag, or the environment variable. */
  nameOf(flag: string): string {
    const { definition, origin } = this.#entry(flag);
    return origin === 'environment' && definition.env !== null ? definition.env : `--${flag}`;
  }

  /** Value of a `string` or `choice` option. */
  string(flag: string): string | null {
    const value = this.#value(flag, 'string', 'choice');
    return typeof value === 'string' ? value : null;
  }

  /** Value of an `integer` or `number` option. */
  number(flag: string): number | null {
    const value = this.#value(flag, 'integer', 'number');
    return typeof value === 'number' ? value : null;
  }

  /** Value of a `boolean` option; one without a default is false. */
  boolean(flag: string): boolean {
    return this.#value(flag, 'boolean', 'boolean') === true;
  }

  /** Values of a `list` option; empty when not given. */
  list(flag: string): readonly string[] {
    const value = this.#value(flag, 'list', 'list');
    return Array.isArray(value) ? (value as readonly string[]) : [];
  }

  #entry(flag: string): ParsedValue {
    const entry = this.#values.get(flag);
    assert(entry !== undefined, `no option --${flag} in this command's table`);
    return entry;
  }

  #value(flag: string, first: OptionKind, second: OptionKind): OptionValue {
    const entry = this.#entry(flag);
    const kind = entry.definition.kind;
    assert(kind === first || kind === second, `--${flag} is of kind ${kind}`);
    return entry.value;
  }
}
