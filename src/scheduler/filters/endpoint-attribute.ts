import { findNearest } from '../../core/nearest.ts';
import type { Result } from '../../core/result.ts';
import { fail, succeed } from '../../core/result.ts';
import type { OptionTable } from '../framework/options.ts';
import { isRecord } from '../framework/options.ts';
import type { FilterDefinition } from '../framework/plugin.ts';
import type { LoadTable } from '../ports.ts';
import type { CandidateSet, Filter, PickInput } from '../types.ts';
import { keepOrFallBack } from './keep-or-fall-back.ts';

type Comparison = (value: number) => boolean;

/** Names of numbers of an endpoint: the field's for what engines report, and our own. */
export const ENDPOINT_ATTRIBUTES: Readonly<Record<string, keyof LoadTable>> = Object.freeze({
  WaitingQueueSize: 'lastWaiting',
  RunningRequestsSize: 'lastRunning',
  KVCacheUsagePercent: 'kvCacheUsage',
  requestsInFlight: 'requestsInFlight',
  tokensInFlight: 'tokensInFlight',
  prefillTokensInFlight: 'prefillTokensInFlight',
  foreignRequests: 'foreignRequests',
  kvBlockCount: 'kvBlockCount',
  adaptersActive: 'adaptersActive',
});

const NAMES = Object.keys(ENDPOINT_ATTRIBUTES);

const OPERATORS: Readonly<Record<string, (threshold: number) => Comparison>> = Object.freeze({
  LessThan: (threshold) => (value) => value < threshold,
  LessThanOrEqual: (threshold) => (value) => value <= threshold,
  GreaterThan: (threshold) => (value) => value > threshold,
  GreaterThanOrEqual: (threshold) => (value) => value >= threshold,
  Equal: (threshold) => (value) => value === threshold,
  NotEqual: (threshold) => (value) => value !== threshold,
});

const OPTIONS: OptionTable = [
  {
    name: 'attribute',
    kind: 'custom',
    default: undefined,
    shape: NAMES.join(' | '),
    doc: 'The number to compare.',
    parse: parseAttribute,
  },
  {
    name: 'onMissing',
    kind: 'choice',
    default: 'Pass',
    choices: ['Pass', 'Fail'],
    doc: 'Whether an endpoint whose number is unknown is kept.',
  },
  {
    name: 'fallbackOnEmpty',
    kind: 'boolean',
    default: false,
    doc: 'Whether all endpoints are kept when none would be left.',
  },
  {
    name: 'algorithm',
    kind: 'custom',
    default: undefined,
    shape: `{type: threshold, threshold: {operator: ${Object.keys(OPERATORS).join(' | ')}, value}}`,
    doc: 'The comparison that must hold.',
    parse: parseAlgorithm,
  },
];

/**
 * Keeps endpoints of which a number compares true with a threshold. `endpoint-attribute-filter` of
 * llm-d's endpoint picker, over the numbers Penstock has of an endpoint.
 */
export const ENDPOINT_ATTRIBUTE_FILTER: FilterDefinition = {
  type: 'endpoint-attribute-filter',
  kind: 'filter',
  summary: 'Keeps endpoints of which a number compares true with a threshold.',
  options: OPTIONS,
  create(options, { name }): Filter {
    const column = options.custom('attribute') as keyof LoadTable;
    const holds = options.custom('algorithm') as Comparison;
    const passesMissing = options.text('onMissing') === 'Pass';
    const fallsBack = options.boolean('fallbackOnEmpty');
    return {
      type: ENDPOINT_ATTRIBUTE_FILTER.type,
      name,
      keep: (input: PickInput, candidates: CandidateSet): number => {
        const values = input.load[column];
        return keepOrFallBack(input, candidates, {
          fallsBack,
          passes: (slot) => {
            const value = values[slot] as number;
            return Number.isNaN(value) ? passesMissing : holds(value);
          },
        });
      },
    };
  },
};

function parseAttribute(value: unknown): Result<keyof LoadTable, string> {
  const column = typeof value === 'string' ? ENDPOINT_ATTRIBUTES[value] : undefined;
  if (column !== undefined) return succeed(column);
  const nearest = typeof value === 'string' ? findNearest(value, NAMES) : null;
  const hint = nearest === null ? '' : `; did you mean "${nearest}"?`;
  return fail(`must be one of ${NAMES.join(', ')}${hint}`);
}

function parseAlgorithm(value: unknown): Result<Comparison, string> {
  const { type, threshold } = isRecord(value) ? value : {};
  if (type !== 'threshold' || !isRecord(threshold)) {
    return fail('must be {type: threshold, threshold: {operator, value}}');
  }
  const { operator, value: limit } = threshold;
  const compare = typeof operator === 'string' ? OPERATORS[operator] : undefined;
  if (compare === undefined) {
    return fail(`must have one of ${Object.keys(OPERATORS).join(', ')} as "operator"`);
  }
  return typeof limit === 'number' ? succeed(compare(limit)) : fail('needs a number as "value"');
}
