import type { Result } from '../../core/result.ts';
import { fail, succeed } from '../../core/result.ts';
import type { OptionTable } from '../framework/options.ts';
import { isRecord } from '../framework/options.ts';
import type { FilterDefinition } from '../framework/plugin.ts';
import type { LoadTable } from '../ports.ts';
import type { CandidateSet, Filter, PickInput } from '../types.ts';
import { keepOrFallBack } from './keep-or-fall-back.ts';

/** A cap on one number of an endpoint. */
interface Condition {
  readonly column: keyof LoadTable;
  readonly maxValue: number;
}

/** The metric names of llm-d's endpoint picker and where they are found here. */
const COLUMNS: Readonly<Record<string, keyof LoadTable>> = Object.freeze({
  'active-requests': 'requestsInFlight',
  'running-requests': 'lastRunning',
  'waiting-queue': 'lastWaiting',
  'kv-cache-utilization': 'kvCacheUsage',
});

const OPTIONS: OptionTable = [
  {
    name: 'conditions',
    kind: 'custom',
    default: undefined,
    shape: `list of {metric: ${Object.keys(COLUMNS).join(' | ')}, maxValue}`,
    doc: 'Caps that an endpoint must all keep; a number it does not report counts as 0.',
    parse: parseConditions,
  },
  {
    name: 'fallbackOnEmpty',
    kind: 'boolean',
    default: false,
    doc: 'Whether all endpoints are kept when none would be left.',
  },
];

/**
 * Keeps endpoints with every metric at most at its cap: requests in flight from here, and running,
 * waiting and KV-cache use as reported. `utilization-filter` of llm-d's endpoint picker.
 */
export const UTILIZATION_FILTER: FilterDefinition = {
  type: 'utilization-filter',
  kind: 'filter',
  summary: 'Removes endpoints with more requests or KV-cache use than their caps.',
  options: OPTIONS,
  create(options, { name }): Filter {
    const conditions = options.custom('conditions') as readonly Condition[];
    const fallsBack = options.boolean('fallbackOnEmpty');
    return {
      type: UTILIZATION_FILTER.type,
      name,
      keep: (input: PickInput, candidates: CandidateSet): number =>
        keepOrFallBack(input, candidates, {
          fallsBack,
          passes: (slot) => meetsAll(input.load, conditions, slot),
        }),
    };
  },
};

function meetsAll(load: LoadTable, conditions: readonly Condition[], slot: number): boolean {
  for (const { column, maxValue } of conditions) {
    // Unknown is NaN in the table, and no comparison with it is true.
    if ((load[column][slot] as number) > maxValue) return false;
  }
  return true;
}

function parseConditions(value: unknown): Result<readonly Condition[], string> {
  if (!Array.isArray(value) || value.length === 0) return fail('must be a list with an entry');
  const conditions: Condition[] = [];
  for (const each of value) {
    const { metric, maxValue } = isRecord(each) ? each : {};
    const column = typeof metric === 'string' ? COLUMNS[metric] : undefined;
    if (column === undefined) {
      return fail(`must have one of ${Object.keys(COLUMNS).join(', ')} as each "metric"`);
    }
    const highest = column === 'kvCacheUsage' ? 1 : Number.MAX_VALUE;
    if (typeof maxValue !== 'number' || !(maxValue >= 0 && maxValue <= highest)) {
      return fail(
        `needs a "maxValue" of 0 ${highest === 1 ? 'to 1' : 'or more'} for ${String(metric)}`,
      );
    }
    conditions.push({ column, maxValue });
  }
  return succeed(conditions);
}
