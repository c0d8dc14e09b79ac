import type { ErrorCode } from '../../core/errors.ts';
import { fieldsNamedBy, staysOpen } from '../wire/connection-field.ts';
import { FIELD_COUNT_MAX, joinValues, sliceTrimmed } from '../wire/field-value.ts';
import type { FramingFault, FramingFields } from '../wire/framing-fields.ts';
import { framingFaultOf, noteContentLength, noteTransferCoding } from '../wire/framing-fields.ts';
import type { BodyFraming } from '../wire/message-body.ts';
import type { Meaning, RequestFieldName } from './field-name.ts';
import { REQUEST_FIELD_NAMES } from './field-name.ts';
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
interface KnownFields extends FramingFields {
  /** The end-to-end lines as they came, each with its CRLF: all that an endpoint gets of them. */
  forwarded: string;
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
export interface RequestHead extends Readonly<Omit<KnownFields, keyof FramingFields>> {
  readonly line: RequestLine;
  /** Line and fields, each with its CRLF. */
  readonly text: string;
  readonly framing: BodyFraming;
  /** By Content-Length; null without one. */
  readonly contentLength: number | null;
  /** Whether the connection may carry another request afterwards. */
  readonly isPersistent: boolean;
}

type FreeMeaning = Exclude<Meaning, 'none' | 'content-length' | 'transfer-encoding' | 'host'>;

/** For clients: what is wrong with the framing of their requests. */
const FRAMING_MESSAGES: Readonly<Record<FramingFault, string>> = Object.freeze({
  'two-lengths': 'There are two Content-Length headers.',
  'length-not-a-number': 'Content-Length is not a number.',
  'two-codings': 'There are two Transfer-Encoding headers.',
  'coding-ends-in-tab': 'Transfer-Encoding ends in a tab.',
  'coding-unknown': 'Transfer-Encoding is not "chunked".',
  'length-and-coding': 'There are both Content-Length and Transfer-Encoding.',
  'coding-in-http-1.0': 'There is a Transfer-Encoding in HTTP/1.0.',
});

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
    isHttp11: line.isHttp11,
    contentLength: -1,
    transferCoding: null,
    forwarded: '',
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
  const problem = readFields(fields, text, line.text.length) ?? checkHead(fields);
  if (problem !== null) return problem;
  const named = fieldsNamedBy(fields.connection);
  if (named !== null) dropNamed(fields, named, text, line.text.length);
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
    const name = REQUEST_FIELD_NAMES.at(text, start, count);
    if (name === null) return invalid('A header name is not a token, or a line has no colon.');
    if (name.isForwarded) {
      if (runStart < 0) runStart = start;
    } else if (runStart >= 0) {
      fields.forwarded += text.slice(runStart, start);
      runStart = -1;
    }
    noteCredential(fields, name, start, end);
    if (name.meaning !== 'none') {
      const from = start + name.start.length;
      const value =
        name.meaning === 'transfer-encoding'
          ? text.slice(from, end)
          : sliceTrimmed(text, from, end);
      const problem = noteField(fields, name.meaning, value);
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
function noteCredential(
  fields: KnownFields,
  name: RequestFieldName,
  start: number,
  end: number,
): void {
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
      return messageOf(noteContentLength(fields, value));
    case 'transfer-encoding':
      return messageOf(noteTransferCoding(fields, value));
    case 'host':
      if (fields.hasHost) return 'There are two Host headers.';
      fields.hasHost = true;
      return null;
    default:
      noteFreely(fields, meaning, value);
      return null;
  }
}

function messageOf(fault: FramingFault | null): string | null {
  return fault === null ? null : FRAMING_MESSAGES[fault];
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

function checkHead(fields: KnownFields): RequestProblem | null {
  const message = messageOf(framingFaultOf(fields));
  if (message !== null) return invalid(message);
  // RFC 9112 section 3.2 asks for this answer: whose request it is cannot be told.
  return fields.isHttp11 && !fields.hasHost ? invalid('The request has no Host.') : null;
}

/** Takes the lines out of `forwarded` that Connection names. */
function dropNamed(
  fields: KnownFields,
  named: ReadonlySet<string>,
  text: string,
  from: number,
): void {
  let forwarded = '';
  for (let start = from; start < text.length;) {
    const next = text.indexOf('\r', start) + 2;
    const name = REQUEST_FIELD_NAMES.find(text.slice(start, text.indexOf(':', start)));
    if (name !== null && name.isForwarded && !named.has(name.text)) {
      forwarded += text.slice(start, next);
    }
    start = next;
  }
  fields.forwarded = forwarded;
}

function assembleHead(line: RequestLine, text: string, fields: KnownFields): RequestHead {
  const { transferCoding, contentLength } = fields;
  let framing: BodyFraming = 'none';
  if (transferCoding !== null) framing = 'chunked';
  else if (contentLength > 0) framing = 'length';
  return {
    line,
    text,
    framing,
    contentLength: contentLength < 0 ? null : contentLength,
    isPersistent: staysOpen(fields.connection, fields),
    forwarded: fields.forwarded,
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

function invalid(message: string): RequestProblem {
  return { code: 'invalid_http', message: `The request is not valid HTTP/1.1. ${message}` };
}
