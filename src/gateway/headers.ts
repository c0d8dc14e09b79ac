import type { RequestId } from '../core/ids.ts';
import type { ApiFamily } from '../protocol/api-table.ts';
import type { AnswerHeader } from '../scheduler/types.ts';
import { fieldsNamedBy } from './wire/connection-field.ts';
import { joinValues } from './wire/field-value.ts';

const NOT_FORWARDED_TO_CLIENT: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-length',
  'x-request-id',
  'request-id',
]);

const OWN_PREFIX = 'x-penstock-';

/** What the gateway itself says in a request to an endpoint. */
export interface OwnRequestFields {
  /** Host and port of the endpoint. */
  readonly host: string;
  readonly requestId: RequestId;
  /** Null sends the body chunked. */
  readonly contentLength: number | null;
}

/**
 * The fields to send upstream, each with its CRLF: the client's end-to-end lines as they came, with
 * our own around them. Hot: `npm run bench -- proxy`.
 */
export function encodeUpstreamFields(forwarded: string, own: OwnRequestFields): string {
  const { host, requestId, contentLength } = own;
  const framing =
    contentLength === null ? 'transfer-encoding: chunked' : `content-length: ${contentLength}`;
  const before = `host: ${host}\r\n${forwarded}via: 1.1 penstock\r\n`;
  return `${before}x-request-id: ${requestId}\r\n${framing}\r\n`;
}

/** What the gateway itself says in an answer to a client. */
export interface OwnAnswerFields {
  readonly requestId: RequestId;
  /** Null does not name the endpoint. */
  readonly endpoint: string | null;
  /** Headers that the choice of the endpoint asks for, such as a session's token. */
  readonly asked: readonly AnswerHeader[];
  /** Why it was chosen, for a trusted caller that asks; null does not say. */
  readonly why: string | null;
  /** Anthropic's clients read the request id under their own name. */
  readonly family: ApiFamily;
}

/** The fields of an answer, each with its CRLF. */
export interface EncodedAnswerFields {
  readonly text: string;
  readonly hasDate: boolean;
}

/**
 * The fields of an answer: the endpoint's end-to-end ones, of which names and values alternate,
 * then our own. Hot: `npm run bench -- proxy`.
 */
export function encodeAnswerFields(
  answer: readonly string[],
  own: OwnAnswerFields,
): EncodedAnswerFields {
  const named = nominatedIn(answer);
  let text = '';
  let hasDate = false;
  for (let i = 0; i < answer.length; i += 2) {
    const name = answer[i] as string;
    if (NOT_FORWARDED_TO_CLIENT.has(name) || name.startsWith(OWN_PREFIX)) continue;
    if (named !== null && named.has(name)) continue;
    if (name === 'date') hasDate = true;
    text += `${name}: ${answer[i + 1]}\r\n`;
  }
  text += `x-request-id: ${own.requestId}\r\n`;
  if (own.family === 'anthropic') text += `request-id: ${own.requestId}\r\n`;
  if (own.endpoint !== null) text += `x-penstock-endpoint: ${own.endpoint}\r\n`;
  for (const { name, value } of own.asked) text += `${name}: ${value}\r\n`;
  if (own.why !== null) text += `x-penstock-why: ${own.why}\r\n`;
  return { text, hasDate };
}

/** What an answer's Connection fields name; null when that is nothing unusual. */
function nominatedIn(answer: readonly string[]): ReadonlySet<string> | null {
  let connection = '';
  for (let i = 0; i < answer.length; i += 2) {
    if (answer[i] !== 'connection') continue;
    connection = joinValues(connection, (answer[i + 1] as string).toLowerCase());
  }
  return fieldsNamedBy(connection);
}
