import { findNearest } from '../../core/nearest.ts';
import { fail, succeed, type Result } from '../../core/result.ts';
import { parseDuration } from './duration.ts';

/** How gaps between arrivals vary around their mean. */
export type GapShape =
  | { readonly kind: 'constant' }
  | { readonly kind: 'poisson' }
  /** Gamma gaps with this coefficient of variation: 1 is Poisson, more comes in bursts. */
  | { readonly kind: 'gamma'; readonly cv: number };

/**
 * When requests come, in place of a workload's own way. `open`: whatever becomes of those before;
 * `closed`: each user sends, waits for the answer, thinks, and sends again. Null: as the workload
 * has it.
 */
export type ArrivalSpec =
  | { readonly kind: 'open'; readonly gaps: GapShape; readonly perSecond: number | null }
  | { readonly kind: 'closed'; readonly users: number | null; readonly thinkMs: number | null };

/** Users of a closed loop at most; each is a little memory. */
export const MOST_USERS = 250_000;
/** Arrivals per second at most: beyond, a run of a minute no longer fits into memory. */
const MOST_PER_SECOND = 1_000_000;
/** With a larger one nearly all requests of a run come at once. */
const LARGEST_CV = 100;

const KINDS = ['constant', 'poisson', 'gamma', 'closed'] as const;
type Kind = (typeof KINDS)[number];

/** Other tools' names for the same. */
const SYNONYMS: Readonly<Record<string, string>> = {
  concurrent: 'closed:users=N',
  throughput: 'closed:users=N',
  uniform: 'constant',
  exponential: 'poisson',
  bursty: 'gamma:cv=2',
};

const SETTINGS: Readonly<Record<Kind, readonly string[]>> = {
  constant: ['rate'],
  poisson: ['rate'],
  gamma: ['cv', 'burstiness', 'rate'],
  closed: ['users', 'think'],
};

const HINT = 'write constant, poisson, poisson:rate=12, gamma:cv=2 or closed:users=50,think=5s';

/**
 * Reads `constant`, `poisson:rate=12`, `gamma:cv=2` (or `gamma:burstiness=0.25`, vLLM's 1 / cv^2)
 * or `closed:users=50,think=5s`.
 */
export function parseArrivals(text: string): Result<ArrivalSpec, string> {
  const [name = '', rest] = text.trim().split(/:(.*)/s);
  const kind = KINDS.find((each) => each === name);
  if (kind === undefined) return fail(describeUnknownKind(name));
  const settings = readSettings(kind, rest);
  return settings.ok ? createSpec(kind, settings.value) : settings;
}

function describeUnknownKind(name: string): string {
  const synonym = Object.hasOwn(SYNONYMS, name) ? SYNONYMS[name] : undefined;
  const nearest = synonym ?? findNearest(name, [...KINDS]);
  const meant = nearest === null ? '' : ` (did you mean ${nearest}?)`;
  return `${JSON.stringify(name)} is no kind of arrivals${meant}; ${HINT}`;
}

function readSettings(
  kind: Kind,
  rest: string | undefined,
): Result<ReadonlyMap<string, string>, string> {
  const settings = new Map<string, string>();
  if (rest === undefined) return succeed(settings);
  for (const part of rest.split(',')) {
    const [name = '', value] = part.trim().split(/=(.*)/s);
    if (!SETTINGS[kind].includes(name)) {
      return fail(
        `${kind} has no ${JSON.stringify(name)}, only ${SETTINGS[kind].join(', ')}; ${HINT}`,
      );
    }
    if (value === undefined) return fail(`${name} has no value; ${HINT}`);
    if (settings.has(name)) return fail(`${name} is given twice`);
    settings.set(name, value.trim());
  }
  return succeed(settings);
}

function createSpec(
  kind: Kind,
  settings: ReadonlyMap<string, string>,
): Result<ArrivalSpec, string> {
  if (kind === 'closed') return createClosed(settings);
  const rate = readNumber(settings, 'rate', MOST_PER_SECOND);
  if (!rate.ok) return rate;
  const perSecond = rate.value;
  if (kind !== 'gamma') return succeed({ kind: 'open', gaps: { kind }, perSecond });
  const cv = readNumber(settings, 'cv', LARGEST_CV);
  if (!cv.ok) return cv;
  const burstiness = readNumber(settings, 'burstiness', LARGEST_CV ** 2);
  if (!burstiness.ok) return burstiness;
  if ((cv.value === null) === (burstiness.value === null)) {
    return fail(`gamma takes one of cv and burstiness (which is 1 / cv^2), as in gamma:cv=2`);
  }
  const value = cv.value ?? 1 / Math.sqrt(burstiness.value ?? 1);
  if (value > LARGEST_CV) return fail(`burstiness must be at least ${1 / LARGEST_CV ** 2}`);
  return succeed({ kind: 'open', gaps: { kind, cv: value }, perSecond });
}

function createClosed(settings: ReadonlyMap<string, string>): Result<ArrivalSpec, string> {
  const users = readNumber(settings, 'users', MOST_USERS);
  if (!users.ok) return users;
  if (users.value !== null && !Number.isInteger(users.value)) {
    return fail(`users must be a whole number, got ${users.value}`);
  }
  const think = settings.get('think');
  if (think === undefined) return succeed({ kind: 'closed', users: users.value, thinkMs: null });
  const thinkMs = parseDuration(think, 0);
  if (!thinkMs.ok) return fail(`think: ${thinkMs.error}`);
  return succeed({ kind: 'closed', users: users.value, thinkMs: thinkMs.value });
}

/** A number above 0; null when it is not given. */
function readNumber(
  settings: ReadonlyMap<string, string>,
  name: string,
  most: number,
): Result<number | null, string> {
  const text = settings.get(name);
  if (text === undefined) return succeed(null);
  const value = /^\d{1,12}(\.\d{1,12})?$/.test(text) ? Number(text) : Number.NaN;
  return value > 0 && value <= most
    ? succeed(value)
    : fail(`${name} must be a number above 0 and up to ${most}, got ${JSON.stringify(text)}`);
}

/** The text that `parseArrivals` reads as this. */
export function formatArrivals(spec: ArrivalSpec): string {
  const settings: string[] = [];
  if (spec.kind === 'closed') {
    if (spec.users !== null) settings.push(`users=${spec.users}`);
    if (spec.thinkMs !== null) settings.push(`think=${spec.thinkMs}ms`);
    return join('closed', settings);
  }
  const { gaps, perSecond } = spec;
  if (gaps.kind === 'gamma') settings.push(`cv=${gaps.cv}`);
  if (perSecond !== null) settings.push(`rate=${perSecond}`);
  return join(gaps.kind, settings);
}

function join(kind: Kind, settings: readonly string[]): string {
  return settings.length === 0 ? kind : `${kind}:${settings.join(',')}`;
}

/** How gaps vary, in words. */
export function describeGaps(gaps: GapShape): string {
  switch (gaps.kind) {
    case 'constant':
      return 'evenly spaced';
    case 'poisson':
      return 'Poisson';
    case 'gamma':
      return `gamma with cv ${Number(gaps.cv.toPrecision(3))}`;
  }
}

/** Users of a closed loop, in words. */
export function describeUsers(users: number, thinkMs: number): string {
  const who = users === 1 ? '1 user' : `${Number(users.toPrecision(4))} users`;
  if (thinkMs === 0) return `${who} without a pause`;
  return `${who}, ${Number((thinkMs / 1000).toPrecision(3))} s to think`;
}
