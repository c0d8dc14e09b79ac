import { assert } from '../../core/assert.ts';
import { findNearest } from '../../core/nearest.ts';
import type { Result } from '../../core/result.ts';
import { fail, succeed } from '../../core/result.ts';

interface OptionBase {
  readonly name: string;
  /** What it does, one sentence; the unit is in `unit` where there is one. */
  readonly doc: string;
}

/** An option that is a number within bounds, both included. */
export interface NumberOption extends OptionBase {
  readonly kind: 'number' | 'integer';
  readonly default: number;
  readonly min: number;
  readonly max: number;
  /** For people: `ms`, `tokens`, `tokens/s`, or '' for plain numbers and ratios. */
  readonly unit: string;
}

/** An option that is on or off. */
export interface BooleanOption extends OptionBase {
  readonly kind: 'boolean';
  readonly default: boolean;
}

/** An option that is text; null as the default makes it required. */
export interface TextOption extends OptionBase {
  readonly kind: 'text';
  readonly default: string | null;
}

/** An option that is one of several words. */
export interface ChoiceOption extends OptionBase {
  readonly kind: 'choice';
  readonly default: string;
  readonly choices: readonly string[];
}

/** An option with a shape of its own. */
export interface CustomOption extends OptionBase {
  readonly kind: 'custom';
  /** Used when the option is not given; undefined makes it required. */
  readonly default: unknown;
  /** The shape in words, for messages and the reference page. */
  readonly shape: string;
  /** Returns the parsed value; on failure what is wrong, without the option's name. */
  parse(value: unknown): Result<unknown, string>;
}

/** One option of a plugin. */
export type PluginOption = NumberOption | BooleanOption | TextOption | ChoiceOption | CustomOption;

/** All options of a plugin. */
export type OptionTable = readonly PluginOption[];

/** Options that were checked, complete with defaults. Asking for a wrong name or type throws. */
export class ParsedOptions {
  readonly #values: ReadonlyMap<string, unknown>;

  constructor(values: ReadonlyMap<string, unknown>) {
    this.#values = values;
  }

  number(name: string): number {
    return this.#get(name, 'number') as number;
  }

  boolean(name: string): boolean {
    return this.#get(name, 'boolean') as boolean;
  }

  text(name: string): string {
    return this.#get(name, 'string') as string;
  }

  /** The value that the option's own `parse` made; whoever wrote that knows its type. */
  custom(name: string): unknown {
    assert(this.#values.has(name), `plugin has no option ${name}`);
    return this.#values.get(name);
  }

  #get(name: string, type: 'number' | 'boolean' | 'string'): unknown {
    const value = this.#values.get(name);
    assert(typeof value === type, `plugin has no ${type} option ${name}`);
    return value;
  }
}

/** Why options were refused: the option (empty when they are no object) and what is wrong. */
export interface OptionProblem {
  readonly option: string;
  readonly message: string;
}

/** Checks `given` against `table`: unknown names, types, ranges; then fills in the defaults. */
export function parseOptions(
  table: OptionTable,
  given: Readonly<Record<string, unknown>>,
): Result<ParsedOptions, readonly OptionProblem[]> {
  const problems: OptionProblem[] = [];
  const names = table.map(({ name }) => name);
  for (const name of Object.keys(given)) {
    if (!names.includes(name)) problems.push({ option: name, message: unknownOption(name, names) });
  }
  const values = new Map<string, unknown>();
  for (const option of table) {
    const result = parseOption(option, given[option.name]);
    if (result.ok) values.set(option.name, result.value);
    else problems.push({ option: option.name, message: result.error });
  }
  return problems.length === 0 ? succeed(new ParsedOptions(values)) : fail(problems);
}

function unknownOption(name: string, known: readonly string[]): string {
  if (known.length === 0) return 'is unknown; this plugin has no options';
  const nearest = findNearest(name, known);
  const hint = nearest === null ? `options are ${known.join(', ')}` : `did you mean "${nearest}"?`;
  return `is unknown; ${hint}`;
}

function parseOption(option: PluginOption, value: unknown): Result<unknown, string> {
  if (value === undefined || value === null) return parseMissing(option);
  switch (option.kind) {
    case 'number':
    case 'integer':
      return parseNumber(option, value);
    case 'boolean':
      return typeof value === 'boolean' ? succeed(value) : fail('must be true or false');
    case 'text':
      return typeof value === 'string' && value !== ''
        ? succeed(value)
        : fail('must be text that is not empty');
    case 'choice':
      return parseChoice(option, value);
    case 'custom':
      return option.parse(value);
  }
}

function parseMissing(option: PluginOption): Result<unknown, string> {
  if (option.kind === 'custom') {
    return option.default === undefined ? fail('is required') : succeed(option.default);
  }
  return option.default === null ? fail('is required') : succeed(option.default);
}

function parseNumber(option: NumberOption, value: unknown): Result<number, string> {
  const what = option.kind === 'integer' ? 'a whole number' : 'a number';
  const range = `must be ${what} from ${option.min} to ${option.max}`;
  if (typeof value !== 'number' || !(value >= option.min && value <= option.max)) {
    return fail(range);
  }
  return option.kind === 'integer' && !Number.isInteger(value) ? fail(range) : succeed(value);
}

function parseChoice(option: ChoiceOption, value: unknown): Result<string, string> {
  if (typeof value === 'string' && option.choices.includes(value)) return succeed(value);
  const nearest = typeof value === 'string' ? findNearest(value, option.choices) : null;
  const hint = nearest === null ? '' : `; did you mean "${nearest}"?`;
  return fail(`must be one of ${option.choices.join(', ')}${hint}`);
}

/** Whether a value is a mapping, as parsed from YAML or JSON. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
