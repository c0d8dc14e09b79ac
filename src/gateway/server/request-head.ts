import type { ErrorCode } from '../../core/errors.ts';
import type { BodyFraming } from '../wire/message-body.ts';
import { fieldNameAt, findFieldName } from './field-name.ts';
import type { FieldName, Meaning } from './field-name.ts';
import type { RequestLine } from './request-line.ts';
import { parseRequestLine } from './request-line.ts';

/** Why a request cannot be read; its connection is closed after the answer. */
export interface RequestProblem {
  readonly code: Extract<
    ErrorCode,
    'invalid_http' | 'url_too_long' | 'header_too_large' | 'request_timeout'
  >;
  /** For the client. */
  readonly message: string;
}

/** What the fields of a head say to the gateway itself; other fields are only passed on. */
interface KnownFields {
  /** The end-to-end lines as they came, each with its CRLF: all that an endpoint gets of them. */
  forwarded: string;
  /** By Content-Length; null without one. */
  contentLength: number | null;
  isChunked: boolean;
  /** All Connection fields in lower case, joined by commas; '' without one. */
  connection: string;
  hasHost: boolean;
  /** Whether the client waits for `100 Continue` before it sends the body. */
  expectsContinue: boolean;
  /** The first Content-Type, or '' without one. */
  contentType: string;
  /** Content-Encoding, or '' without one. */
  contentEncoding: string;
  /** All `x-request-id`s, joined by commas; null without one. */
  requestId: string | null;
  /** Whether there is an `anthropic-version`. */
  isAnthropic: boolean;
  /** Whether any of the headers is there that the gateway obeys. */
  hasObeyed: boolean;
  /** Rank of the field that says who sends the request; 0 without one. */
  credentialRank: number;
  /** Bounds of its value in the head's text, blanks around it included; both 0 without one. */
  credentialStart: number;
  credentialEnd: number;
}

/** The head of a client's request, checked. */
export interface RequestHead extends Readonly<KnownFields> {
  readonly line: RequestLine;
  /** Line and fields, each with its CRLF. */
  readonly text: string;
  readonly framing: BodyFraming;
  /** Whether the connection may carry another request afterwards. */
  readonly isPersistent: boolean;
}

type FreeMeaning = Exclude<Meaning, 'none' | 'content-length' | 'transfer-encoding' | 'host'>;

/** SDKs send about twelve fields; whoever sends hundreds wants to be expensive. */
const FIELD_COUNT_MAX = 256;

/** This many digits are exact as a number. */
const LENGTH_DIGITS_MAX = 15;

const TAB = 0x09;
const SPACE = 0x20;
const ZERO = 0x30;
const NINE = 0x39;

/**
 * Parses a head: the text of its line and fields, each with its CRLF, in which `findHeadEnd` found
 * nothing forbidden. Strict where lenience would let two readers of the same bytes disagree: no
 * folded lines, no space before the colon, one length, and never a length together with a transfer
 * coding; one Host. Hot: `npm run bench -- proxy`.
 */
export function parseRequestHead(text: string): RequestHead | RequestProblem {
  const line = parseRequestLine(text);
  if (line === null) return invalid('The request line is not that of HTTP/1.1.');
  const fields: KnownFields = {
    forwarded: '',
    contentLength: null,
    isChunked: false,
    connection: '',
    hasHost: false,
    expectsContinue: false,
    contentType: '',
    contentEncoding: '',
    requestId: null,
    isAnthropic: false,
    hasObeyed: false,
    credentialRank: 0,
    credentialStart: 0,
    credentialEnd: 0,
  };
  const problem = readFields(fields, text, line.text.length) ?? checkHead(line, fields);
  if (problem !== null) return problem;
  if (isUnusualConnection(fields.connection)) dropNamed(fields, text, line.text.length);
  return assembleHead(line, text, fields);
}

/**
 * Value of the field with this lower-case name; null without one. Several are joined as RFC 9110
 * section 5.2 says, cookies as RFC 9113 section 8.2.3 does.
 */
export function findField({ text, line }: RequestHead, name: string): string | null {
  let found: string | null = null;
  for (let start = line.text.length; start < text.length;) {
    const end = text.indexOf('\r', start);
    const colon = start + name.length;
    if (text.charAt(colon) === ':' && text.slice(start, colon).toLowerCase() === name) {
      const value = sliceTrimmed(text, colon + 1, end);
      const glue = name === 'cookie' ? '; ' : ', ';
      found = found === null ? value : `${found}${glue}${value}`;
    }
    start = end + 2;
  }
  return found;
}

function readFields(fields: KnownFields, text: string, from: number): RequestProblem | null {
  const { length } = text;
  // Where the lines to forward began that end at `start`; -1 when the last one is not forwarded.
  let runStart = -1;
  let count = 0;
  for (let start = from; start < length; count += 1) {
    const end = text.indexOf('\r', start);
    const name = fieldNameAt(text, start, count);
    if (name === null) return invalid('A header name is not a token, or a line has no colon.');
    if (name.isForwarded) {
      if (runStart < 0) runStart = start;
    } else if (runStart >= 0) {
      fields.forwarded += text.slice(runStart, start);
      runStart = -1;
    }
    noteCredential(fields, name, start, end);
    if (name.meaning !== 'none') {
      const value = sliceTrimmed(text, start + name.start.length, end);
      const problem =
        name.meaning === 'transfer-encoding' && endsInTab(text, end)
          ? 'Transfer-Encoding ends in a tab.'
          : noteField(fields, name.meaning, value);
      if (problem !== null) return invalid(problem);
    }
    start = end + 2;
  }
  if (runStart >= 0) fields.forwarded += text.slice(runStart);
  return count > FIELD_COUNT_MAX
    ? { code: 'header_too_large', message: `There are more than ${FIELD_COUNT_MAX} headers.` }
    : null;
}

/** Takes note of a field that says who sends the request; of two alike the first one counts. */
function noteCredential(fields: KnownFields, name: FieldName, start: number, end: number): void {
  if (name.credentialRank <= fields.credentialRank) return;
  fields.credentialRank = name.credentialRank;
  fields.credentialStart = start + name.start.length;
  fields.credentialEnd = end;
}

/** Takes note of what a field says; returns what is wrong with it. */
function noteField(
  fields: KnownFields,
  meaning: Exclude<Meaning, 'none'>,
  value: string,
): string | null {
  // eslint-disable-next-line typescript/switch-exhaustiveness-check
  switch (meaning) {
    case 'content-length':
      return noteLength(fields, value);
    case 'transfer-encoding':
      return noteCoding(fields, value);
    case 'host':
      if (fields.hasHost) return 'There are two Host headers.';
      fields.hasHost = true;
      return null;
    default:
      noteFreely(fields, meaning, value);
      return null;
  }
}

/** Fields that may say anything. */
function noteFreely(fields: KnownFields, meaning: FreeMeaning, value: string): void {
  switch (meaning) {
    case 'connection':
      fields.connection = joinValues(fields.connection, value.toLowerCase());
      return;
    case 'expect':
      // Any other expectation may be ignored (RFC 9110 section 10.1.1).
      if (value.toLowerCase() === '100-continue') fields.expectsContinue = true;
      return;
    case 'content-type':
      if (fields.contentType === '') fields.contentType = value;
      return;
    case 'content-encoding':
      fields.contentEncoding = joinValues(fields.contentEncoding, value);
      return;
    case 'x-request-id':
      fields.requestId = fields.requestId === null ? value : `${fields.requestId}, ${value}`;
      return;
    case 'anthropic-version':
      fields.isAnthropic = true;
      return;
    case 'obeyed':
      fields.hasObeyed = true;
  }
}

function noteLength(fields: KnownFields, value: string): string | null {
  // Also twice the same and "5, 5" are refused: no sound client sends them.
  if (fields.contentLength !== null) return 'There are two Content-Length headers.';
  fields.contentLength = readLength(value);
  return fields.contentLength < 0 ? 'Content-Length is not a number.' : null;
}

function noteCoding(fields: KnownFields, value: string): string | null {
  if (fields.isChunked) return 'There are two Transfer-Encoding headers.';
  fields.isChunked = value.toLowerCase() === 'chunked';
  return fields.isChunked ? null : 'Transfer-Encoding is not "chunked".';
}

function joinValues(before: string, value: string): string {
  return before === '' ? value : `${before}, ${value}`;
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

/**
 * The value without white space around it. `trim` would not do: it also takes no-break spaces,
 * which belong to the value.
 */
function sliceTrimmed(text: string, start: number, end: number): string {
  let from = start;
  let to = end;
  while (from < to && isBlank(text.charCodeAt(from))) from += 1;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to -= 1;
  return text.slice(from, to);
}

/** Some readers, llhttp among them, take such a tab for a part of the coding's name. */
function endsInTab(text: string, end: number): boolean {
  let at = end - 1;
  while (text.charCodeAt(at) === SPACE) at -= 1;
  return text.charCodeAt(at) === TAB;
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}

function checkHead({ isHttp11 }: RequestLine, fields: KnownFields): RequestProblem | null {
  if (fields.isChunked) {
    if (fields.contentLength !== null) {
      return invalid('There are both Content-Length and Transfer-Encoding.');
    }
    // RFC 9112 section 6.1 calls the framing faulty.
    if (!isHttp11) return invalid('There is a Transfer-Encoding in HTTP/1.0.');
  }
  // RFC 9112 section 3.2 asks for this answer: whose request it is cannot be told.
  return isHttp11 && !fields.hasHost ? invalid('The request has no Host.') : null;
}

function isUnusualConnection(connection: string): boolean {
  return connection !== '' && connection !== 'keep-alive' && connection !== 'close';
}

/** Takes the lines out of `forwarded` that Connection names (RFC 9110 section 7.6.1). */
function dropNamed(fields: KnownFields, text: string, from: number): void {
  const named = new Set(membersOf(fields.connection));
  let forwarded = '';
  for (let start = from; start < text.length;) {
    const next = text.indexOf('\r', start) + 2;
    const name = text.slice(start, text.indexOf(':', start));
    const known = findFieldName(name);
    if (known !== null && known.isForwarded && !named.has(known.text)) {
      forwarded += text.slice(start, next);
    }
    start = next;
  }
  fields.forwarded = forwarded;
}

function membersOf(list: string): string[] {
  return list.split(',').map((member) => member.trim());
}

function assembleHead(line: RequestLine, text: string, fields: KnownFields): RequestHead {
  const { isChunked, contentLength } = fields;
  let framing: BodyFraming = 'none';
  if (isChunked) framing = 'chunked';
  else if (contentLength !== null && contentLength > 0) framing = 'length';
  return {
    line,
    text,
    framing,
    isPersistent: isPersistent(line, fields.connection),
    forwarded: fields.forwarded,
    contentLength,
    isChunked,
    connection: fields.connection,
    hasHost: fields.hasHost,
    expectsContinue: fields.expectsContinue,
    contentType: fields.contentType,
    contentEncoding: fields.contentEncoding,
    requestId: fields.requestId,
    isAnthropic: fields.isAnthropic,
    hasObeyed: fields.hasObeyed,
    credentialRank: fields.credentialRank,
    credentialStart: fields.credentialStart,
    credentialEnd: fields.credentialEnd,
  };
}

function isPersistent({ isHttp11 }: RequestLine, connection: string): boolean {
  if (connection === '') return isHttp11;
  if (connection === 'keep-alive') return true;
  const members = membersOf(connection);
  return !members.includes('close') && (isHttp11 || members.includes('keep-alive'));
}

function invalid(message: string): RequestProblem {
  return { code: 'invalid_http', message: `The request is not valid HTTP/1.1. ${message}` };
}
