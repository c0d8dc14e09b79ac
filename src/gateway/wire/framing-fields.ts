import { endsInTab, sliceTrimmed } from './field-value.ts';

/** What a head says of where its body ends. */
export interface FramingFields {
  /** Else it is HTTP/1.0. */
  readonly isHttp11: boolean;
  /** By Content-Length; -1 while not said. */
  contentLength: number;
  /** Transfer-Encoding in lower case; null while not said. */
  transferCoding: string | null;
}

/**
 * What is wrong with the framing of a message: two readers could take it for different things (RFC
 * 9112 section 6.3), or might.
 */
export type FramingFault =
  | 'two-lengths'
  | 'length-not-a-number'
  | 'two-codings'
  | 'coding-ends-in-tab'
  | 'coding-unknown'
  | 'length-and-coding'
  | 'coding-in-http-1.0';

/** This many digits are exact as a number. */
const LENGTH_DIGITS_MAX = 15;

const ZERO = 0x30;
const NINE = 0x39;

/** Takes note of a Content-Length; `value` is without white space around it. */
export function noteContentLength(fields: FramingFields, value: string): FramingFault | null {
  // Also twice the same and "5, 5" are refused: no sound peer sends them.
  if (fields.contentLength >= 0) return 'two-lengths';
  fields.contentLength = readLength(value);
  return fields.contentLength < 0 ? 'length-not-a-number' : null;
}

/** Takes note of a Transfer-Encoding; `written` is with the white space around its value. */
export function noteTransferCoding(fields: FramingFields, written: string): FramingFault | null {
  // Some readers, llhttp among them, take such a tab for a part of the coding's name.
  if (endsInTab(written)) return 'coding-ends-in-tab';
  if (fields.transferCoding !== null) return 'two-codings';
  fields.transferCoding = sliceTrimmed(written, 0, written.length).toLowerCase();
  return null;
}

/** What is wrong with a head's fields together; null when nothing is. */
export function framingFaultOf(fields: FramingFields): FramingFault | null {
  const { contentLength, transferCoding } = fields;
  if (transferCoding === null) return null;
  if (contentLength >= 0) return 'length-and-coding';
  // RFC 9112 section 6.1 calls the framing faulty.
  if (!fields.isHttp11) return 'coding-in-http-1.0';
  return transferCoding === 'chunked' ? null : 'coding-unknown';
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
