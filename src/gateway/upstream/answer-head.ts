/** How the end of an answer's body is known (RFC 9112 section 6.3). */
export type AnswerFraming = 'none' | 'length' | 'chunked' | 'until-close';

/** The head of an endpoint's answer. */
export interface AnswerHead {
  readonly status: number;
  /** Names in lower case and values, alternating, as often and in the order they came. */
  readonly headers: readonly string[];
  readonly framing: AnswerFraming;
  /** Body bytes when `framing` is `length`, else 0. */
  readonly contentLength: number;
  /** `content-type`, or '' without one. */
  readonly contentType: string;
  /** `content-encoding`, or '' without one. */
  readonly contentEncoding: string;
  /** Whether the connection may carry another request afterwards. */
  readonly isPersistent: boolean;
  /** Seconds of `Keep-Alive: timeout=…`; null without it. */
  readonly keepAliveSeconds: number | null;
}

/** Names are tokens (RFC 9110 section 5.6.2). */
const NAME_PATTERN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** No control characters but tab: a bare CR or LF in a value could end a header of ours. */
// eslint-disable-next-line no-control-regex
const VALUE_PATTERN = /^[\t\x20-\x7e\x80-\xff]*$/;

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/;

const LENGTH_PATTERN = /^\d{1,15}$/;

/** Lower-case forms of names seen before, so that each spelling is checked and folded once. */
const KNOWN_NAMES_MAX = 256;
const knownNames: Map<string, string> = new Map();

/** What the fields of a head have said so far. */
interface Fields {
  readonly list: string[];
  length: string | null;
  transferEncoding: string | null;
  connection: string;
  contentType: string;
  contentEncoding: string;
  keepAliveSeconds: number | null;
}

/**
 * Parses a head without its closing blank line. Returns what is wrong as text. Strict where
 * lenience would let two readers of the same bytes disagree: no folded lines, no space before the
 * colon, one length, and never a length together with a transfer encoding.
 */
export function parseAnswerHead(text: string): AnswerHead | string {
  let end = text.indexOf('\r\n');
  if (end < 0) end = text.length;
  const line = STATUS_LINE.exec(text.slice(0, end));
  if (line === null) return 'the status line is not HTTP/1.1';
  const fields: Fields = {
    list: [],
    length: null,
    transferEncoding: null,
    connection: '',
    contentType: '',
    contentEncoding: '',
    keepAliveSeconds: null,
  };
  let start = end + 2;
  while (start < text.length) {
    end = text.indexOf('\r\n', start);
    if (end < 0) end = text.length;
    const problem = addField(fields, text, { start, end });
    if (problem !== null) return problem;
    start = end + 2;
  }
  return assembleHead(Number(line[2]), line[1] === '1', fields);
}

function addField(
  fields: Fields,
  text: string,
  { start, end }: { readonly start: number; readonly end: number },
): string | null {
  const colon = text.indexOf(':', start);
  if (colon < 0 || colon >= end) return 'a header line has no colon';
  const name = foldName(text.slice(start, colon));
  if (name === null) return 'a header name is not a token';
  const value = text.slice(colon + 1, end).trim();
  if (!VALUE_PATTERN.test(value)) return `the value of ${name} has a control character`;
  fields.list.push(name, value);
  return noteField(fields, name, value);
}

function noteField(fields: Fields, name: string, value: string): string | null {
  switch (name) {
    case 'content-length':
      if (!LENGTH_PATTERN.test(value)) return 'content-length is not a number';
      if (fields.length !== null && fields.length !== value) return 'two different content-lengths';
      fields.length = value;
      return null;
    case 'transfer-encoding':
      fields.transferEncoding = joinValues(fields.transferEncoding ?? '', value);
      return null;
    case 'connection':
      fields.connection = joinValues(fields.connection, value);
      return null;
    case 'keep-alive':
      fields.keepAliveSeconds = readTimeout(value);
      return null;
    case 'content-type':
      fields.contentType = value;
      return null;
    case 'content-encoding':
      fields.contentEncoding = value;
      return null;
    default:
      return null;
  }
}

function joinValues(before: string, value: string): string {
  const lower = value.toLowerCase();
  return before === '' ? lower : `${before}, ${lower}`;
}

function readTimeout(value: string): number | null {
  const match = /timeout=(\d{1,6})/i.exec(value);
  return match === null ? null : Number(match[1]);
}

function assembleHead(status: number, isHttp11: boolean, fields: Fields): AnswerHead | string {
  const { length, connection, contentType, contentEncoding, keepAliveSeconds } = fields;
  const framing = decideFraming(status, isHttp11, fields);
  if (typeof framing !== 'string') return framing.problem;
  const keepsOpen = isHttp11 ? !connection.includes('close') : connection.includes('keep-alive');
  return {
    status,
    headers: fields.list,
    framing,
    contentLength: framing === 'length' ? Number(length) : 0,
    contentType,
    contentEncoding,
    isPersistent: keepsOpen && framing !== 'until-close',
    keepAliveSeconds,
  };
}

function decideFraming(
  status: number,
  isHttp11: boolean,
  { transferEncoding, length }: Fields,
): AnswerFraming | { readonly problem: string } {
  if (transferEncoding !== null && length !== null) {
    return { problem: 'both content-length and transfer-encoding' };
  }
  if (status < 200 || status === 204 || status === 304) return 'none';
  if (transferEncoding === null) return length === null ? 'until-close' : 'length';
  if (!isHttp11) return { problem: 'a transfer-encoding in HTTP/1.0' };
  if (transferEncoding === 'chunked') return 'chunked';
  return { problem: `the transfer-encoding "${transferEncoding}"` };
}

function foldName(name: string): string | null {
  const known = knownNames.get(name);
  if (known !== undefined) return known;
  if (!NAME_PATTERN.test(name)) return null;
  const lower = name.toLowerCase();
  if (knownNames.size < KNOWN_NAMES_MAX) knownNames.set(name, lower);
  return lower;
}
