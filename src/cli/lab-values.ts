import { findNearest } from '../core/nearest.ts';
import { fail, succeed, type Result } from '../core/result.ts';
import type {
  ObjectiveMeasure,
  ObjectiveStatistic,
  ObjectiveTerm,
} from '../simulator/lab/sizing-objective.ts';
import { parseDuration } from '../simulator/workloads/duration.ts';
import type { GoodputObjective } from '../simulator/workloads/types.ts';

/** Splits a list that may be given by commas, by repeated flags or both. */
export function splitList(texts: readonly string[]): readonly string[] {
  return texts
    .flatMap((text) => text.split(','))
    .map((text) => text.trim())
    .filter((text) => text !== '');
}

/** A profile's name and its count; null: not given. */
export interface FleetWish {
  readonly name: string;
  readonly replicas: number | null;
}

/** Reads `l4-8b` or `l4-8b:4`. */
export function parseFleetWish(text: string): Result<FleetWish, string> {
  const at = text.lastIndexOf(':');
  if (at < 0) return succeed({ name: text, replicas: null });
  const count = text.slice(at + 1);
  const replicas = Number(count);
  if (!/^\d{1,5}$/.test(count) || replicas < 1) {
    return fail(`${text}: expected a count of 1 or more after the colon, as in l4-8b:4`);
  }
  return succeed({ name: text.slice(0, at), replicas });
}

const MEASURES: readonly ObjectiveMeasure[] = ['ttft', 'tpot', 'itl', 'e2e'];
const STATISTICS: Readonly<Record<string, ObjectiveStatistic>> = {
  mean: 'mean',
  p50: 'p50',
  p90: 'p90',
  p95: 'p95',
  p99: 'p99',
  'p99.9': 'p999',
};
const TERM_HINT =
  'terms are ttft, tpot, itl or e2e with -mean, -p50, -p90, -p95, -p99 or -p99.9 and a time, and goodput with a share: ttft-p99=1s,goodput=99%';

/** Reads `ttft-p99=1s,itl-p99=50ms,goodput=99%`; every term once. */
export function parseSizingObjective(text: string): Result<readonly ObjectiveTerm[], string> {
  const terms: ObjectiveTerm[] = [];
  const seen = new Set<string>();
  for (const part of splitList([text])) {
    const at = part.indexOf('=');
    if (at < 0) return fail(`${part} has no value; ${TERM_HINT}`);
    const name = part.slice(0, at).trim();
    if (seen.has(name)) return fail(`${name} is given twice`);
    seen.add(name);
    const term = parseTerm(name, part.slice(at + 1).trim());
    if (!term.ok) return term;
    terms.push(term.value);
  }
  return terms.length === 0 ? fail(`nothing is asked; ${TERM_HINT}`) : succeed(terms);
}

function parseTerm(name: string, value: string): Result<ObjectiveTerm, string> {
  if (name === 'goodput') {
    const share = parsePercent(value);
    return share === null
      ? fail(`goodput: expected a share such as 99%, got ${JSON.stringify(value)}`)
      : succeed({ kind: 'goodput', minShare: share });
  }
  const [measure = '', statistic = ''] = name.split(/-(.*)/s);
  const known = MEASURES.find((each) => each === measure);
  const bound = STATISTICS[statistic];
  if (known === undefined || bound === undefined) return fail(describeUnknownTerm(name));
  const limit = parseDuration(value);
  if (!limit.ok) return fail(`${name}: ${limit.error}`);
  return succeed({ kind: 'latency', measure: known, statistic: bound, limitMs: limit.value });
}

function describeUnknownTerm(name: string): string {
  const names = MEASURES.flatMap((measure) =>
    Object.keys(STATISTICS).map((each) => `${measure}-${each}`),
  );
  const nearest = findNearest(name, [...names, 'goodput']);
  const meant = nearest === null ? '' : `; did you mean ${nearest}?`;
  return `unknown objective ${name}${meant} (${TERM_HINT})`;
}

/** A share from 0 (excluded) to 1; null when it is none. */
function parsePercent(text: string): number | null {
  const match = /^(\d{1,3}(?:\.\d{1,6})?)\s?%$/.exec(text);
  const share = match === null ? Number.NaN : Number(match[1]) / 100;
  return share > 0 && share <= 1 ? share : null;
}

/** Reads `ttft=1s,tpot=50ms,e2e=30s`: what a good answer is. */
export function parseGoodput(text: string): Result<GoodputObjective, string> {
  const limits = new Map<string, number>();
  for (const part of splitList([text])) {
    const [name = '', value = ''] = part.split(/=(.*)/s);
    if (!['ttft', 'tpot', 'e2e'].includes(name)) {
      return fail(`unknown term ${name}; terms are ttft, tpot and e2e: ttft=1s,tpot=50ms`);
    }
    if (limits.has(name)) return fail(`${name} is given twice`);
    const limit = parseDuration(value);
    if (!limit.ok) return fail(`${name}: ${limit.error}`);
    limits.set(name, limit.value);
  }
  if (limits.size === 0) return fail('nothing is asked; terms are ttft, tpot and e2e');
  const at = (name: string): number | null => limits.get(name) ?? null;
  return succeed({ ttftMs: at('ttft'), tpotMs: at('tpot'), e2eMs: at('e2e') });
}
