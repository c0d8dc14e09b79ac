import type { Result } from '../../core/result.ts';
import { fail, succeed } from '../../core/result.ts';
import { isRecord } from './options.ts';

/** Labels of one endpoint. */
export type Labels = Readonly<Record<string, string>>;

/** Whether labels meet a requirement. */
type Requirement = (labels: Labels) => boolean;

/** The comparisons of a Kubernetes label selector's `matchExpressions`. */
export const SELECTOR_OPERATORS: readonly string[] = Object.freeze([
  'In',
  'NotIn',
  'Exists',
  'DoesNotExist',
]);

/** A requirement per entry of a `matchLabels` mapping; on failure what is wrong with it. */
export function parseMatchLabels(value: unknown): Result<readonly Requirement[], string> {
  if (!isRecord(value)) return fail('must be a mapping of label to value');
  const requirements: Requirement[] = [];
  for (const [key, wanted] of Object.entries(value)) {
    if (typeof wanted !== 'string') return fail(`must have text as the value of "${key}"`);
    requirements.push((labels) => labels[key] === wanted);
  }
  return succeed(requirements);
}

/** A requirement per entry of a `matchExpressions` list; on failure what is wrong with it. */
export function parseMatchExpressions(value: unknown): Result<readonly Requirement[], string> {
  if (!Array.isArray(value)) return fail('must be a list of {key, operator, values}');
  const requirements: Requirement[] = [];
  for (const expression of value) {
    const parsed = parseExpression(expression);
    if (!parsed.ok) return parsed;
    requirements.push(parsed.value);
  }
  return succeed(requirements);
}

/** Whether labels meet every requirement; with none, all do. */
export function meetsAll(requirements: readonly Requirement[], labels: Labels): boolean {
  return requirements.every((requirement) => requirement(labels));
}

function parseExpression(value: unknown): Result<Requirement, string> {
  if (!isRecord(value) || typeof value['key'] !== 'string') {
    return fail('must have a "key" in each expression');
  }
  const { key, operator, values = [] } = value;
  if (!Array.isArray(values) || !values.every((each) => typeof each === 'string')) {
    return fail(`must have a list of texts as "values" of "${key}"`);
  }
  if (operator === 'In' || operator === 'NotIn') return parseMembership(key, operator, values);
  if (operator !== 'Exists' && operator !== 'DoesNotExist') {
    return fail(`must have one of ${SELECTOR_OPERATORS.join(', ')} as "operator" of "${key}"`);
  }
  if (values.length > 0) return fail(`takes no "values" for "${key}" ${operator}`);
  return succeed((labels) => (labels[key] !== undefined) === (operator === 'Exists'));
}

function parseMembership(
  key: string,
  operator: 'In' | 'NotIn',
  values: readonly string[],
): Result<Requirement, string> {
  if (values.length === 0) return fail(`needs "values" for "${key}" ${operator}`);
  // As in Kubernetes, an endpoint without the label is not in the set.
  const wanted = new Set<string | undefined>(values);
  return succeed((labels) => wanted.has(labels[key]) === (operator === 'In'));
}
