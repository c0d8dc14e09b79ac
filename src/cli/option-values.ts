import { findNearest } from '../core/nearest.ts';
import { fail, succeed, type Result } from '../core/result.ts';
import type { OptionDefinition, OptionValue } from './options.ts';

const TRUE_WORDS: ReadonlySet<string> = new Set(['true', '1', 'yes', 'on']);
const FALSE_WORDS: ReadonlySet<string> = new Set(['false', '0', 'no', 'off']);

/**
 * Reads the texts of one option (one, but for a list); failure says what is wrong, without the
 * option's name.
 */
export function parseValue(
  definition: OptionDefinition,
  texts: readonly string[],
): Result<OptionValue, string> {
  const text = texts[0] ?? '';
  switch (definition.kind) {
    case 'list':
      return succeed([...texts]);
    case 'string':
      return succeed(text);
    case 'boolean':
      return parseBoolean(text);
    case 'choice':
      return parseChoice(text, definition.choices ?? []);
    case 'integer':
    case 'number':
      return parseNumber(text, definition);
  }
}

function parseBoolean(text: string): Result<OptionValue, string> {
  const word = text.toLowerCase();
  if (TRUE_WORDS.has(word)) return succeed(true);
  if (FALSE_WORDS.has(word)) return succeed(false);
  return fail(`expected true or false, got ${JSON.stringify(text)}`);
}

function parseChoice(text: string, choices: readonly string[]): Result<OptionValue, string> {
  if (choices.includes(text)) return succeed(text);
  const near = findNearest(text, choices);
  const wayOut = near === null ? '' : `; did you mean ${near}?`;
  return fail(`expected one of ${choices.join(', ')}, got ${JSON.stringify(text)}${wayOut}`);
}

function parseNumber(text: string, definition: OptionDefinition): Result<OptionValue, string> {
  const { kind, unit, min, max } = definition;
  const isInteger = kind === 'integer';
  const pattern = isInteger ? /^-?\d{1,15}$/ : /^-?(\d{1,15}(\.\d{0,15})?|\.\d{1,15})$/;
  if (!pattern.test(text)) {
    const what = isInteger ? 'a whole number' : 'a number';
    const expected = unit === null ? what : `${what} (${unit})`;
    return fail(`expected ${expected}, got ${JSON.stringify(text)}`);
  }
  const value = Number(text);
  if (min !== undefined && value < min) return fail(`must be at least ${min}, got ${text}`);
  if (max !== undefined && value > max) return fail(`must be at most ${max}, got ${text}`);
  return succeed(value);
}
