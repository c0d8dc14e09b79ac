import type { BodyFraming } from '../wire/message-body.ts';

/** The head of an endpoint's answer. */
export interface AnswerHead {
  readonly status: number;
  /** Names in lower case and values, alternating, as often and in the order they came. */
  readonly headers: readonly string[];
  readonly framing: BodyFraming;
  /** Body bytes when `framing` is `length`, else 0. */
  readonly contentLength: number;
  /** The first `content-type` in lower case, or '' without one. */
  readonly contentType: string;
  /** All `content-encoding`s in lower case, joined by commas; '' without one. */
  readonly contentEncoding: string;
  /** Whether the connection may carry another request afterwards. */
  readonly isPersistent: boolean;
  /** Seconds of `Keep-Alive: timeout=…`; null without it. */
  readonly keepAliveSeconds: number | null;
}

/** Engines send about five fields; whoever sends hundreds wants to be expensive. */
const FIELD_COUNT_MAX = 256;

/** Names are tokens (RFC 9110 section 5.6.2). */
const NAME_PATTERN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** This many digits are exact as a number. */
const LENGTH_DIGITS_MAX = 15;

/** A parameter, and not the end of another's name. */
const TIMEOUT_PATTERN = /(?:^|,)[ \t]*timeout[ \t]*=[ \t]*"?(\d{1,6})/i;

const VERSION = 'HTTP/1.';
const TAB = 0x09;
const SPACE = 0x20;
const ZERO = 0x30;
const ONE = 0x31;
const NINE = 0x39;

/** Fields that say something to this client; every other is only passed on. */
const MEANINGS = [
  'content-length',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'content-type',
  'content-encoding',
] as const;

type Meaning = (typeof MEANINGS)[number] | 'none';

interface FieldName {
  /** As it was written, with the colon behind it. */
  readonly start: string;
  /** In lower case. */
  readonly text: string;
  readonly meaning: Meaning;
}

/** Names seen before, so that each spelling is checked and folded once. */
const KNOWN_NAMES_MAX = 256;
const knownNames: Map<string, FieldName> = new Map();

/**
 * The names of the last heads by place: a server sends the same fields in the same order, and to
 * compare is cheaper than to look up.
 */
const EXPECTED_NAMES_MAX = 16;
const expectedNames: FieldName[] = [];

/** What the fields of a head have said so far. */
interface Fields {
  readonly list: string[];
  /** Of the body; -1 while not said. */
  length: number;
  transferEncoding: string | null;
  connection: string;
  contentType: string;
  contentEncoding: string;
  keepAliveSeconds: number | null;
}

/** Where a line stands in a text, without its CRLF. */
interface Line {
  start: number;
  end: number;
}

/**
 * Parses a head whose end was found by `findHeadEnd`, up to there. Returns what is wrong as text.
 * Strict where lenience would let two readers of the same bytes disagree: no folded lines, no space
 * before the colon, one length, and never a length together with a transfer encoding.
 */
export function parseAnswerHead(text: string): AnswerHead | string {
  const line: Line = { start: 0, end: findLineEnd(text, 0) };
  const status = readStatus(text, line.end);
  if (status === 0) return 'the status line is not HTTP/1.1';
  const fields: Fields = {
    list: [],
    length: -1,
    transferEncoding: null,
    connection: '',
    contentType: '',
    contentEncoding: '',
    keepAliveSeconds: null,
  };
  for (line.start = line.end + 2; line.start < text.length; line.start = line.end + 2) {
    line.end = findLineEnd(text, line.start);
    const problem = addField(fields, text, line);
    if (problem !== null) return problem;
  }
  return assembleHead(status, text.charCodeAt(VERSION.length) === ONE, fields);
}

function findLineEnd(text: string, start: number): number {
  const end = text.indexOf('\r', start);
  return end < 0 ? text.length : end;
}

/** The status of a status line that ends at `end`; 0 when it is none. */
function readStatus(text: string, end: number): number {
  if (end < 12 || !text.startsWith(VERSION)) return 0;
  const minor = text.charCodeAt(7);
  if ((minor !== ZERO && minor !== ONE) || text.charCodeAt(8) !== SPACE) return 0;
  if (end > 12 && text.charCodeAt(12) !== SPACE) return 0;
  let status = 0;
  for (let at = 9; at < 12; at += 1) {
    const code = text.charCodeAt(at);
    if (code < ZERO || code > NINE) return 0;
    status = status * 10 + (code - ZERO);
  }
  return status < 100 ? 0 : status;
}

function addField(fields: Fields, text: string, line: Line): string | null {
  const { list } = fields;
  const expected = expectedNames[list.length / 2];
  if (expected !== undefined && text.startsWith(expected.start, line.start)) {
    return addLine(fields, expected, text, line);
  }
  const colon = text.indexOf(':', line.start);
  if (colon < 0 || colon >= line.end) return 'a header line has no colon';
  const name = findName(text.slice(line.start, colon));
  if (name === null) return 'a header name is not a token';
  if (list.length < 2 * EXPECTED_NAMES_MAX) expectedNames[list.length / 2] = name;
  if (list.length >= 2 * FIELD_COUNT_MAX) return 'there are too many headers';
  return addLine(fields, name, text, line);
}

function addLine(fields: Fields, name: FieldName, text: string, line: Line): string | null {
  const value = sliceTrimmed(text, line.start + name.start.length, line);
  fields.list.push(name.text, value);
  if (name.meaning === 'transfer-encoding' && endsInTab(text, line)) {
    return 'the transfer-encoding ends in a tab';
  }
  return name.meaning === 'none' ? null : noteField(fields, name.meaning, value);
}

/**
 * The value without white space around it. `trim` would not do: it also takes no-break spaces,
 * which belong to the value, and control characters, which must be seen.
 */
function sliceTrimmed(text: string, start: number, { end }: Line): string {
  let from = start;
  let to = end;
  while (from < to && isBlank(text.charCodeAt(from))) from += 1;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to -= 1;
  return text.slice(from, to);
}

/** llhttp takes such a tab for a part of the coding's name, and so may others. */
function endsInTab(text: string, { end }: Line): boolean {
  let at = end - 1;
  while (text.charCodeAt(at) === SPACE) at -= 1;
  return text.charCodeAt(at) === TAB;
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}

function noteField(
  fields: Fields,
  meaning: Exclude<Meaning, 'none'>,
  value: string,
): string | null {
  switch (meaning) {
    case 'content-length':
      // Also twice the same and "5, 5" are refused: no sound server sends them.
      if (fields.length >= 0) return 'there are two content-lengths';
      fields.length = readLength(value);
      return fields.length < 0 ? 'content-length is not a number' : null;
    case 'transfer-encoding':
      if (fields.transferEncoding !== null) return 'there are two transfer-encodings';
      fields.transferEncoding = value.toLowerCase();
      return null;
    case 'connection':
      fields.connection = joinValues(fields.connection, value);
      return null;
    case 'keep-alive':
      fields.keepAliveSeconds = readTimeout(value);
      return null;
    case 'content-type':
      if (fields.contentType === '') fields.contentType = value.toLowerCase();
      return null;
    case 'content-encoding':
      fields.contentEncoding = joinValues(fields.contentEncoding, value);
      return null;
  }
}

/** The number that digits alone say; -1 for anything else. */
function readLength(value: string): number {
  const { length } = value;
  if (length === 0 || length > LENGTH_DIGITS_MAX) return -1;
  let number = 0;
  for (let at = 0; at < length; at += 1) {
    const code = value.charCodeAt(at);
    if (code < ZERO || code > NINE) return -1;
    number = number * 10 + (code - ZERO);
  }
  return number;
}

function joinValues(before: string, value: string): string {
  const lower = value.toLowerCase();
  return before === '' ? lower : `${before}, ${lower}`;
}

function readTimeout(value: string): number | null {
  const match = TIMEOUT_PATTERN.exec(value);
  return match === null ? null : Number(match[1]);
}

function assembleHead(status: number, isHttp11: boolean, fields: Fields): AnswerHead | string {
  const { length, contentType, contentEncoding, keepAliveSeconds } = fields;
  const problem = checkFraming(isHttp11, fields);
  if (problem !== null) return problem;
  const framing = decideFraming(status, fields);
  return {
    status,
    headers: fields.list,
    framing,
    contentLength: framing === 'length' ? length : 0,
    contentType,
    contentEncoding,
    isPersistent: isPersistent(status, framing, isHttp11, fields),
    keepAliveSeconds,
  };
}

function checkFraming(isHttp11: boolean, { transferEncoding, length }: Fields): string | null {
  if (transferEncoding === null) return null;
  if (length >= 0) return 'both content-length and transfer-encoding';
  if (!isHttp11) return 'a transfer-encoding in HTTP/1.0';
  return transferEncoding === 'chunked' ? null : `the transfer-encoding "${transferEncoding}"`;
}

function decideFraming(status: number, { transferEncoding, length }: Fields): BodyFraming {
  if (status < 200 || status === 204 || status === 304) return 'none';
  if (transferEncoding !== null) return 'chunked';
  return length < 0 ? 'until-close' : 'length';
}

function isPersistent(
  status: number,
  framing: BodyFraming,
  isHttp11: boolean,
  { connection, transferEncoding, length }: Fields,
): boolean {
  if (framing === 'until-close') return false;
  // A server that announces a body where none may be could send one, and that would be read as the
  // next answer. The length of a 304 is that of the answer it stands for, and usual.
  if (framing === 'none' && transferEncoding !== null) return false;
  if (status === 204 && length > 0) return false;
  if (connection === '') return isHttp11;
  if (connection === 'keep-alive') return true;
  return !hasToken(connection, 'close') && (isHttp11 || hasToken(connection, 'keep-alive'));
}

/** Whether a comma-separated list in lower case has this member. */
function hasToken(list: string, token: string): boolean {
  return list === token || list.split(',').some((member) => member.trim() === token);
}

function findName(name: string): FieldName | null {
  return knownNames.get(name) ?? learnName(name);
}

function learnName(name: string): FieldName | null {
  if (!NAME_PATTERN.test(name)) return null;
  // A copy: a slice would keep the whole head of its first answer in memory.
  const spelling = Buffer.from(name, 'latin1').toString('latin1');
  const text = spelling.toLowerCase();
  const meaning = MEANINGS.find((known) => known === text) ?? 'none';
  const found: FieldName = { start: `${spelling}:`, text, meaning };
  if (knownNames.size < KNOWN_NAMES_MAX) knownNames.set(spelling, found);
  return found;
}
