import type { Result } from '../../core/result.ts';
import { fail, succeed } from '../../core/result.ts';
import type { AnswerHeader, PickInput } from '../types.ts';
import type { OptionTable, ParsedOptions } from './options.ts';
import { isRecord } from './options.ts';

const DEFAULT_HEADER = 'x-session-token';
const ENCODED_ENDPOINT = 'encoded_endpoint_header';
/** Characters of a header's or cookie's name (RFC 9110, section 5.6.2). */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Options of the plugins that keep a session on its endpoint. */
export const SESSION_OPTIONS: OptionTable = [
  {
    name: 'strategy',
    kind: 'custom',
    default: ENCODED_ENDPOINT,
    shape: ENCODED_ENDPOINT,
    doc: 'How the endpoint of a session is known: from a token that names it.',
    parse: parseStrategy,
  },
  {
    name: 'encodedEndpointHeaderConfig',
    kind: 'custom',
    default: DEFAULT_HEADER,
    shape: '{header}',
    doc: 'Request and answer header with the token.',
    parse: parseHeaderConfig,
  },
  {
    name: 'cookie',
    kind: 'custom',
    default: null,
    shape: 'name of a cookie',
    doc: 'Cookie with the token, for clients that keep cookies; used instead of the header.',
    parse: parseCookie,
  },
];

/**
 * The endpoint of a session, as its client sends it back: base64 of the endpoint's id, in a header
 * or a cookie. Nothing is remembered here, so sessions survive restarts and are known to every
 * replica of the gateway.
 */
export class SessionToken {
  readonly #header: string;
  readonly #cookie: string | null;

  constructor(options: ParsedOptions) {
    this.#header = options.custom('encodedEndpointHeaderConfig') as string;
    this.#cookie = options.custom('cookie') as string | null;
  }

  /** Id of the endpoint that the request asks for; null without one. */
  endpointIdOf(input: PickInput): string | null {
    const token = this.#read(input);
    return token === null || token === '' ? null : Buffer.from(token, 'base64').toString('utf8');
  }

  /** What the answer of `slot` must carry; null when the client's cookie is right already. */
  answerHeader(slot: number, input: PickInput): AnswerHeader | null {
    const token = Buffer.from(input.traits.idOf(slot), 'utf8').toString('base64');
    if (this.#cookie === null) return { name: this.#header, value: token };
    if (this.#read(input) === token) return null;
    const value = `${this.#cookie}=${token}; Path=/; HttpOnly; SameSite=Lax`;
    return { name: 'set-cookie', value };
  }

  #read(input: PickInput): string | null {
    if (this.#cookie === null) return input.header(this.#header);
    return findCookie(input.header('cookie') ?? '', this.#cookie);
  }
}

/** Value of a cookie in a `cookie` header (RFC 6265, section 4.2.1); null without it. */
function findCookie(header: string, name: string): string | null {
  for (const pair of header.split(';')) {
    const equals = pair.indexOf('=');
    if (equals > 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
  }
  return null;
}

function parseStrategy(value: unknown): Result<string, string> {
  if (value === ENCODED_ENDPOINT) return succeed(ENCODED_ENDPOINT);
  if (value === 'session_id') {
    return fail(
      `must be ${ENCODED_ENDPOINT}: sessions of session_id would be lost at a restart; ` +
        '"consistent-hash" over the header x-session-id sticks without memory',
    );
  }
  return fail(`must be ${ENCODED_ENDPOINT}`);
}

function parseHeaderConfig(value: unknown): Result<string, string> {
  const { header = DEFAULT_HEADER, ...others } = isRecord(value) ? value : { header: null };
  if (typeof header !== 'string' || !TOKEN.test(header) || Object.keys(others).length > 0) {
    return fail('must be {header: name of a header}');
  }
  return succeed(header.toLowerCase());
}

function parseCookie(value: unknown): Result<string, string> {
  return typeof value === 'string' && TOKEN.test(value)
    ? succeed(value)
    : fail('must be the name of a cookie');
}
