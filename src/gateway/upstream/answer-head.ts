import { staysOpen } from '../wire/connection-field.ts';
import { type FieldName, FieldNames } from '../wire/field-names.ts';
import { FIELD_COUNT_MAX, joinValues, sliceTrimmed } from '../wire/field-value.ts';
import type { FramingFault, FramingFields } from '../wire/framing-fields.ts';
import { framingFaultOf, noteContentLength, noteTransferCoding } from '../wire/framing-fields.ts';
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

/** A parameter, and not the end of another's name. */
const TIMEOUT_PATTERN = /(?:^|,)[ \t]*timeout[ \t]*=[ \t]*"?(\d{1,6})/i;

const VERSION = 'HTTP/1.';
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

interface AnswerFieldName extends FieldName {
  readonly meaning: Meaning;
}

/** Names as endpoints write them. */
const ANSWER_FIELD_NAMES: FieldNames<AnswerFieldName> = new FieldNames(describeName, {
  knownMax: 256,
  expectedMax: 16,
});

/** For the log: what is wrong with the framing of an answer. */
const FRAMING_PROBLEMS: Readonly<Record<Exclude<FramingFault, 'coding-unknown'>, string>> =
  Object.freeze({
    'two-lengths': 'there are two content-lengths',
    'length-not-a-number': 'content-length is not a number',
    'two-codings': 'there are two transfer-encodings',
    'coding-ends-in-tab': 'the transfer-encoding ends in a tab',
    'length-and-coding': 'both content-length and transfer-encoding',
    'coding-in-http-1.0': 'a transfer-encoding in HTTP/1.0',
  });

/** What the fields of a head have said so far. */
interface Fields extends FramingFields {
  readonly list: string[];
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
    isHttp11: text.charCodeAt(VERSION.length) === ONE,
    contentLength: -1,
    transferCoding: null,
    list: [],
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
  return assembleHead(status, fields);
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

function addField(fields: Fields, text: string, { start, end }: Line): string | null {
  const { list } = fields;
  const place = list.length / 2;
  const name = ANSWER_FIELD_NAMES.at(text, start, place);
  if (name === null) {
    const colon = text.indexOf(':', start);
    const hasColon = colon >= 0 && colon < end;
    return hasColon ? 'a header name is not a token' : 'a header line has no colon';
  }
  if (place >= FIELD_COUNT_MAX) return 'there are too many headers';
  const from = start + name.start.length;
  const value = sliceTrimmed(text, from, end);
  list.push(name.text, value);
  if (name.meaning === 'none') return null;
  const isCoding = name.meaning === 'transfer-encoding';
  return noteField(fields, name.meaning, isCoding ? text.slice(from, end) : value);
}

function noteField(
  fields: Fields,
  meaning: Exclude<Meaning, 'none'>,
  value: string,
): string | null {
  switch (meaning) {
    case 'content-length':
      return problemOf(noteContentLength(fields, value), fields);
    case 'transfer-encoding':
      return problemOf(noteTransferCoding(fields, value), fields);
    case 'connection':
      fields.connection = joinValues(fields.connection, value.toLowerCase());
      return null;
    case 'keep-alive':
      fields.keepAliveSeconds = readTimeout(value);
      return null;
    case 'content-type':
      if (fields.contentType === '') fields.contentType = value.toLowerCase();
      return null;
    case 'content-encoding':
      fields.contentEncoding = joinValues(fields.contentEncoding, value.toLowerCase());
      return null;
  }
}

function problemOf(fault: FramingFault | null, { transferCoding }: Fields): string | null {
  if (fault === 'coding-unknown') return `the transfer-encoding "${transferCoding}"`;
  return fault === null ? null : FRAMING_PROBLEMS[fault];
}

function readTimeout(value: string): number | null {
  const match = TIMEOUT_PATTERN.exec(value);
  return match === null ? null : Number(match[1]);
}

function assembleHead(status: number, fields: Fields): AnswerHead | string {
  const { contentLength, contentType, contentEncoding, keepAliveSeconds } = fields;
  const problem = problemOf(framingFaultOf(fields), fields);
  if (problem !== null) return problem;
  const framing = decideFraming(status, fields);
  return {
    status,
    headers: fields.list,
    framing,
    contentLength: framing === 'length' ? contentLength : 0,
    contentType,
    contentEncoding,
    isPersistent: isPersistent(status, framing, fields),
    keepAliveSeconds,
  };
}

function decideFraming(status: number, { transferCoding, contentLength }: Fields): BodyFraming {
  if (status < 200 || status === 204 || status === 304) return 'none';
  if (transferCoding !== null) return 'chunked';
  return contentLength < 0 ? 'until-close' : 'length';
}

function isPersistent(status: number, framing: BodyFraming, fields: Fields): boolean {
  if (framing === 'until-close') return false;
  // A server that announces a body where none may be could send one, and that would be read as the
  // next answer. The length of a 304 is that of the answer it stands for, and usual.
  if (framing === 'none' && fields.transferCoding !== null) return false;
  if (status === 204 && fields.contentLength > 0) return false;
  return staysOpen(fields.connection, fields);
}

function describeName({ start, text }: FieldName): AnswerFieldName {
  return { start, text, meaning: MEANINGS.find((known) => known === text) ?? 'none' };
}
