import { type FieldName, FieldNames } from '../wire/field-names.ts';
import { CLIENT_HEADERS } from './client-headers.ts';

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

/** The name of a request's field. */
export interface RequestFieldName extends FieldName {
  readonly meaning: Meaning;
  readonly isForwarded: boolean;
  /** Place among the fields that say who sends a request, the first one highest; 0 for others. */
  readonly credentialRank: number;
}

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

/** Names as clients write them. */
export const REQUEST_FIELD_NAMES: FieldNames<RequestFieldName> = new FieldNames(describeName, {
  knownMax: 512,
  expectedMax: 24,
});

function describeName({ start, text }: FieldName): RequestFieldName {
  return {
    start,
    text,
    meaning: meaningOf(text),
    isForwarded: !NOT_FORWARDED.has(text) && !text.startsWith(OWN_PREFIX),
    credentialRank: CREDENTIAL_RANKS.get(text) ?? 0,
  };
}

function meaningOf(name: string): Meaning {
  // Old clients of proxies mean the same by it, and llhttp takes it so.
  if (name === 'proxy-connection') return 'connection';
  if (OBEYED.has(name)) return 'obeyed';
  return MEANINGS.has(name) ? (name as Meaning) : 'none';
}
