import { findNearest } from '../../core/nearest.ts';
import { fail, succeed, type Result } from '../../core/result.ts';
import { FORMATS, type FormatName } from './formats.ts';
import { quote } from './problem.ts';
import type { IntegerNode, NumberNode } from './schema-node.ts';
import { plainNumber, unitOf } from './units.ts';

/** What is wrong with a single value, and the way out. */
export interface Complaint {
  readonly message: string;
  readonly suggestion: string | null;
}

/** What YAML makes of a single value. */
export type ScalarValue = string | number | boolean | bigint | null;

/** A checked single value. */
export type Checked = Result<ScalarValue, Complaint>;

function complain(message: string, suggestion: string | null = null): Checked {
  return fail({ message, suggestion });
}

function show(value: ScalarValue): string {
  if (value === null) return 'nothing';
  return typeof value === 'string' ? quote(value) : String(value);
}

/**
 * Text of a named format. A number or boolean that YAML made of plain text is refused, with the
 * quotes it lacks.
 */
export function checkText(format: FormatName, value: ScalarValue): Checked {
  const { description, isValid, correct } = FORMATS[format];
  if (typeof value !== 'string') {
    const asText = value === null ? '' : String(value);
    const fixed = isValid(asText) ? asText : correct(asText);
    const way = value === null || fixed === null ? null : `write ${quote(fixed)}`;
    return complain(`expected ${description}, got ${show(value)}`, way);
  }
  if (/\$\{[^}]*\}|\$\([^)]*\)/.test(value)) {
    const message = `variables are not replaced in this file, got ${quote(value)}`;
    return complain(message, 'write the value itself, or use a flag or PENSTOCK_ variable');
  }
  if (isValid(value)) return succeed(value);
  const fixed = correct(value);
  const way = fixed === null ? null : `did you mean ${quote(fixed)}?`;
  // A password must not get from here into a log.
  const shown = quote(value.replace(/\/\/[^/@]*@/, '//***@'));
  return complain(`expected ${description}, got ${shown}`, way);
}

/** One of a few words. */
export function checkChoice(choices: readonly string[], value: ScalarValue): Checked {
  if (typeof value === 'string' && choices.includes(value)) return succeed(value);
  const near = typeof value === 'string' ? findNearest(value, choices) : null;
  return complain(
    `expected one of ${choices.join(', ')}, got ${show(value)}`,
    near === null ? null : `did you mean ${quote(near)}?`,
  );
}

const WORDS: Readonly<Record<string, boolean>> = {
  yes: true,
  on: true,
  true: true,
  no: false,
  off: false,
  false: false,
};

/** true or false; YAML 1.2 reads `yes` and `on` as text, so they are refused with what to write. */
export function checkBoolean(value: ScalarValue): Checked {
  if (typeof value === 'boolean') return succeed(value);
  const word = typeof value === 'string' ? value.toLowerCase() : '';
  const meant = Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
  return complain(
    `expected true or false, got ${show(value)}`,
    meant === undefined ? null : `write ${meant}`,
  );
}

/** A number within bounds; `key` names its unit. */
export function checkNumber(
  schema: IntegerNode | NumberNode,
  value: ScalarValue,
  key: string,
): Checked {
  const isRightKind =
    typeof value === 'number' &&
    (schema.kind === 'integer' ? Number.isSafeInteger(value) : Number.isFinite(value));
  if (isRightKind) return checkRange(schema, value);
  const unit = unitOf(key);
  const what = schema.kind === 'integer' ? 'a whole number' : 'a number';
  const expected = unit === null ? what : `${what} (${unit})`;
  const plain = typeof value === 'string' ? plainNumber(key, value) : null;
  const isUseful = plain !== null && checkRange(schema, plain).ok;
  return complain(`expected ${expected}, got ${show(value)}`, isUseful ? `write ${plain}` : null);
}

function checkRange(schema: IntegerNode | NumberNode, value: number): Checked {
  const { min, max } = schema;
  if (value >= min && value <= max) return succeed(value);
  const nullMeans = schema.kind === 'integer' && value === 0 ? schema.nullMeans : null;
  const way = nullMeans === null ? null : `null means ${nullMeans}`;
  return complain(`must be ${min} to ${max}, got ${value}`, way);
}
