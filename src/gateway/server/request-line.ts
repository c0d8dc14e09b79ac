import { copyText } from '../wire/copy-text.ts';

/** The first line of a request. */
export interface RequestLine {
  /** The whole line with its CRLF. */
  readonly text: string;
  readonly method: string;
  /** In origin form: path and query. */
  readonly target: string;
  /** The target without its query. */
  readonly path: string;
  readonly isHttp11: boolean;
}

/** RFC 9110 section 9, PATCH and QUERY; CONNECT is for tunnels, which this is none. */
const METHODS: readonly string[] = [
  'POST',
  'GET',
  'HEAD',
  'PUT',
  'DELETE',
  'OPTIONS',
  'PATCH',
  'TRACE',
  'QUERY',
];

/**
 * Origin form, absolute form, or the asterisk (RFC 9112 section 3.2). No fragment, and nothing that
 * RFC 3986 would have percent-encoded because it ends a line or is not ASCII.
 */
const TARGET_PATTERN = /^(?:\/[!"$-~]*|https?:\/\/[\w.:[\]-]+(?:[/?][!"$-~]*)?|\*)$/i;

/** The request line of the last heads, for the same reason; a long one is not worth keeping. */
const EXPECTED_LINE_LENGTH_MAX = 128;
let expectedLine: RequestLine = {
  text: 'POST /v1/chat/completions HTTP/1.1\r\n',
  method: 'POST',
  target: '/v1/chat/completions',
  path: '/v1/chat/completions',
  isHttp11: true,
};

/**
 * Parses the line with which this text of a head begins; null when it is none of HTTP/1.1 or 1.0.
 */
export function parseRequestLine(text: string): RequestLine | null {
  return text.startsWith(expectedLine.text) ? expectedLine : readLine(text);
}

/** Whether these bytes can be the beginning of a request line. */
export function isRequestStart(text: string): boolean {
  const space = text.indexOf(' ');
  if (space >= 0) return METHODS.includes(text.slice(0, space));
  return METHODS.some((method) => method.startsWith(text));
}

function readLine(text: string): RequestLine | null {
  const lineEnd = text.indexOf('\r');
  const targetStart = text.indexOf(' ') + 1;
  const targetEnd = text.indexOf(' ', targetStart);
  // A version is eight characters.
  if (targetStart === 0 || targetEnd < 0 || targetEnd + 9 !== lineEnd) return null;
  const version = text.slice(targetEnd + 1, lineEnd);
  const method = METHODS.find((each) => text.startsWith(`${each} `));
  const given = text.slice(targetStart, targetEnd);
  const isKnownVersion = version === 'HTTP/1.1' || version === 'HTTP/1.0';
  if (!isKnownVersion || method === undefined || !TARGET_PATTERN.test(given)) return null;
  if (given === '*' && method !== 'OPTIONS') return null;
  const target = toOriginForm(given);
  const query = target.indexOf('?');
  const line = {
    text: text.slice(0, lineEnd + 2),
    method,
    target,
    path: query < 0 ? target : target.slice(0, query),
    isHttp11: version === 'HTTP/1.1',
  };
  if (line.text.length <= EXPECTED_LINE_LENGTH_MAX) expectedLine = copyOf(line);
  return line;
}

/** Slices would keep the whole head they were cut from in memory. */
function copyOf(line: RequestLine): RequestLine {
  return {
    ...line,
    text: copyText(line.text),
    target: copyText(line.target),
    path: copyText(line.path),
  };
}

/** Clients may send a whole URL as target (RFC 9112 section 3.2.2); its origin is not looked at. */
function toOriginForm(target: string): string {
  if (target.startsWith('/')) return target;
  const rest = target.replace(/^https?:\/\/[^/?]*/i, '');
  return rest.startsWith('?') || rest === '' ? `/${rest}` : rest;
}
