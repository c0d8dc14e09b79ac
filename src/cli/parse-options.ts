import { findNearest } from '../core/nearest.ts';
import { fail, succeed, type Result } from '../core/result.ts';
import { ParsedOptions, type OptionDefinition, type ParsedValue } from './options.ts';
import { parseValue } from './option-values.ts';

/** What the user gave: arguments after the command's name, and environment variables. */
export interface OptionInput {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Options, or the wish for help. */
export type ParseOutcome =
  | { readonly kind: 'options'; readonly options: ParsedOptions }
  | { readonly kind: 'help' };

/**
 * Parses arguments against a command's table. Flags win over environment, environment over default;
 * the last of a repeated flag counts, lists keep all. Failure is a sentence for the user.
 */
export function parseOptions(
  table: readonly OptionDefinition[],
  input: OptionInput,
): Result<ParseOutcome, string> {
  const scan = new Scan(table, input.args);
  const failure = scan.run();
  if (scan.wantsHelp) return succeed({ kind: 'help' });
  if (failure !== null) return fail(failure);
  const values = new Map<string, ParsedValue>();
  for (const definition of table) {
    const texts = scan.given.get(definition.flag);
    const parsed =
      texts === undefined ? fromEnvironment(definition, input.env) : fromFlags(definition, texts);
    if (!parsed.ok) return parsed;
    values.set(definition.flag, parsed.value);
  }
  return succeed({ kind: 'options', options: new ParsedOptions(values, scan.operands) });
}

function fromFlags(
  definition: OptionDefinition,
  texts: readonly string[],
): Result<ParsedValue, string> {
  const parsed = parseValue(definition, texts);
  if (!parsed.ok) return fail(`--${definition.flag}: ${parsed.error}`);
  return succeed({ definition, value: parsed.value, origin: 'flag' });
}

function fromEnvironment(
  definition: OptionDefinition,
  env: OptionInput['env'],
): Result<ParsedValue, string> {
  const { env: name, kind } = definition;
  // A variable that is set to nothing counts as not set, as manifests often write it so.
  const text = name === null ? '' : (env[name] ?? '').trim();
  if (name === null || text === '') {
    return succeed({ definition, value: definition.default, origin: 'default' });
  }
  const texts = kind === 'list' ? text.split(',').map((part) => part.trim()) : [text];
  const parsed = parseValue(
    definition,
    texts.filter((part) => part !== ''),
  );
  if (!parsed.ok) return fail(`${name}: ${parsed.error}`);
  return succeed({ definition, value: parsed.value, origin: 'environment' });
}

/** One pass over the arguments; sorts them into flags with their texts, and operands. */
class Scan {
  readonly given: Map<string, string[]> = new Map();
  readonly operands: string[] = [];
  wantsHelp = false;
  readonly #table: readonly OptionDefinition[];
  readonly #args: readonly string[];
  #next = 0;

  constructor(table: readonly OptionDefinition[], args: readonly string[]) {
    this.#table = table;
    this.#args = args;
  }

  /**
   * The first mistake, or null. Goes on after a mistake, so that help asked for anywhere is given.
   */
  run(): string | null {
    let failure: string | null = null;
    while (this.#next < this.#args.length) {
      const argument = this.#args[this.#next] ?? '';
      this.#next += 1;
      if (argument === '--') {
        this.operands.push(...this.#args.slice(this.#next));
        break;
      }
      if (argument === '--help' || argument === '-h') this.wantsHelp = true;
      else if (argument.startsWith('-') && argument !== '-') failure ??= this.#flag(argument);
      else this.operands.push(argument);
    }
    return failure;
  }

  #flag(argument: string): string | null {
    const equals = argument.indexOf('=');
    const name = (equals < 0 ? argument : argument.slice(0, equals)).replace(/^--/, '');
    const attached = equals < 0 ? null : argument.slice(equals + 1);
    const definition = this.#find(name);
    if (definition !== null) return this.#take(definition, attached);
    const negated = name.startsWith('no-') ? this.#find(name.slice(3)) : null;
    if (negated?.kind === 'boolean') {
      if (attached !== null) return `--${name} takes no value`;
      this.#add(negated, 'false');
      return null;
    }
    return this.#unknown(name, argument);
  }

  #take(definition: OptionDefinition, attached: string | null): string | null {
    const { flag, kind, bareValue } = definition;
    if (attached !== null) {
      if (attached === '') return `--${flag} needs a value`;
      this.#add(definition, attached);
      return null;
    }
    const following = this.#args[this.#next];
    if (kind === 'boolean') this.#add(definition, 'true');
    else if (bareValue !== undefined && !/^\d+$/.test(following ?? '')) {
      this.#add(definition, String(bareValue));
    } else if (following === undefined || following === '' || following.startsWith('--')) {
      return `--${flag} needs a value`;
    } else {
      this.#next += 1;
      this.#add(definition, following);
    }
    return null;
  }

  #add(definition: OptionDefinition, text: string): void {
    const texts = this.given.get(definition.flag);
    if (texts === undefined) this.given.set(definition.flag, [text]);
    else if (definition.kind === 'list') texts.push(text);
    else texts[0] = text;
  }

  #find(name: string): OptionDefinition | null {
    return this.#table.find(({ flag }) => flag === name) ?? null;
  }

  #unknown(name: string, argument: string): string {
    const shown = argument.startsWith('--') ? `--${name}` : argument;
    const near = findNearest(name, [...this.#table.map(({ flag }) => flag), 'help']);
    const wayOut = near === null ? '' : `; did you mean --${near}?`;
    return `unknown option ${shown}${wayOut}`;
  }
}
