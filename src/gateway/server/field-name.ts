import { CLIENT_HEADERS } from './client-headers.ts';
import { copyText } from './copy-text.ts';

/** What a field says to the gateway itself; `none` is only passed on, or not even that. */
export type Meaning =
  | 'content-length'
  | 'transfer-encoding'
  | 'connection'
  | 'host'
  | 'expect'
  | 'content-type'
  | 'content-encoding'
  | 'x-request-id'
  | 'anthropic-version'
  | 'obeyed'
  | 'none';

/** The name of a field, in one spelling. */
export interface FieldName {
  /** As it was written, with the colon behind it. */
  readonly start: string;
  /** In lower case. */
  readonly text: string;
  readonly meaning: Meaning;
  readonly isForwarded: boolean;
  /** Place among the fields that say who sends a request, the first one highest; 0 for others. */
  readonly credentialRank: number;
}

/** Names are tokens (RFC 9110 section 5.6.2). */
const NAME_PATTERN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

const MEANINGS: ReadonlySet<string> = new Set<Meaning>([
  'content-length',
  'transfer-encoding',
  'connection',
  'host',
  'expect',
  'content-type',
  'content-encoding',
  'x-request-id',
  'anthropic-version',
]);

const OBEYED: ReadonlySet<string> = new Set(CLIENT_HEADERS.flatMap(({ names }) => names));

/** What engines and gateways take for a credential. */
const CREDENTIAL_RANKS: ReadonlyMap<string, number> = new Map([
  ['authorization', 3],
  ['x-api-key', 2],
  ['api-key', 1],
]);

const OWN_PREFIX = 'x-penstock-';

/** Connection-level fields (RFC 9110 section 7.6.1) and fields the gateway writes itself. */
const NOT_FORWARDED: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'host',
  'content-length',
  'expect',
  'x-request-id',
  // A compressed answer could not be read for its usage.
  'accept-encoding',
]);

/** Names seen before, so that each spelling is checked and folded once. */
const KNOWN_NAMES_MAX = 512;
const knownNames: Map<string, FieldName> = new Map();

/**
 * The names of the last heads by place: a client sends the same fields in the same order, and to
 * compare is cheaper than to look up.
 */
const EXPECTED_NAMES_MAX = 24;
const expectedNames: FieldName[] = [];

/** The name of the line at `start`, the `place`th of its head; null when it has none. */
export function fieldNameAt(text: string, start: number, place: number): FieldName | null {
  const expected = expectedNames[place];
  if (expected !== undefined && text.startsWith(expected.start, start)) return expected;
  const colon = text.indexOf(':', start);
  if (colon < 0) return null;
  const spelling = text.slice(start, colon);
  // A line without a colon ends before the colon of a later one: a line end is no token.
  const name = findFieldName(spelling);
  if (name !== null && place < EXPECTED_NAMES_MAX) expectedNames[place] = name;
  return name;
}

/** What is known of this spelling of a name; null when it is no token. */
export function findFieldName(spelling: string): FieldName | null {
  return knownNames.get(spelling) ?? learnName(spelling);
}

function learnName(name: string): FieldName | null {
  if (!NAME_PATTERN.test(name)) return null;
  const spelling = copyText(name);
  const text = spelling.toLowerCase();
  const found: FieldName = {
    start: `${spelling}:`,
    text,
    meaning: meaningOf(text),
    isForwarded: !NOT_FORWARDED.has(text) && !text.startsWith(OWN_PREFIX),
    credentialRank: CREDENTIAL_RANKS.get(text) ?? 0,
  };
  if (knownNames.size < KNOWN_NAMES_MAX) knownNames.set(spelling, found);
  return found;
}

function meaningOf(name: string): Meaning {
  // Old clients of proxies mean the same by it, and llhttp takes it so.
  if (name === 'proxy-connection') return 'connection';
  if (OBEYED.has(name)) return 'obeyed';
  return MEANINGS.has(name) ? (name as Meaning) : 'none';
}
