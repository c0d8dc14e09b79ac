import { BENCH_MODEL } from './static-answers.ts';

/**
 * Marks a send time within a chunk's text: `@` and 16 digits, microseconds of the monotonic clock,
 * which all processes of a machine share. No other byte of a stream is an `@`.
 */
export const STAMP_MARK = 0x40;

/** Digits after the mark. */
export const STAMP_DIGITS = 16;

/** Now in whole microseconds on the clock that stamps use. */
export function monotonicUs(): number {
  return Math.floor(Number(process.hrtime.bigint()) / 1000);
}

/** How a client asks the bench's upstream for a certain stream: an extra member of the request. */
export interface StreamRequestMember {
  /** Time between two chunks of the stream. */
  readonly interval_ms: number;
}

function encodeEvent(data: string): string {
  return `data: ${data}\n\n`;
}

function encodeHttpChunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

function encodeDelta(delta: string, finishReason: string): string {
  const choice = `{"index":0,"delta":${delta},"logprobs":null,"finish_reason":${finishReason}}`;
  return encodeEvent(
    `{"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1767225600,` +
      `"model":"${BENCH_MODEL}","choices":[${choice}]}`,
  );
}

const STAMP_ZERO = '0'.repeat(STAMP_DIGITS);
const CONTENT_HTTP_CHUNK = encodeHttpChunk(
  encodeDelta(`{"content":"@${STAMP_ZERO} turbine"}`, 'null'),
);
const STAMP_AT = CONTENT_HTTP_CHUNK.indexOf(STAMP_ZERO);
const BEFORE_STAMP = CONTENT_HTTP_CHUNK.slice(0, STAMP_AT);
const AFTER_STAMP = CONTENT_HTTP_CHUNK.slice(STAMP_AT + STAMP_DIGITS);

/** One token's event of about 200 bytes as one HTTP chunk, stamped with `nowUs`. */
export function encodeContentChunk(nowUs: number): string {
  return BEFORE_STAMP + String(nowUs).padStart(STAMP_DIGITS, '0') + AFTER_STAMP;
}

/** The response head and the first event, which carries the role. */
export const STREAM_START: string =
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n' +
  'cache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n' +
  encodeHttpChunk(encodeDelta('{"role":"assistant","content":""}', 'null'));

const FINISH = encodeHttpChunk(encodeDelta('{}', '"stop"'));
const LAST = `${encodeHttpChunk(encodeEvent('[DONE]'))}0\r\n\r\n`;

/**
 * The end of a stream: finish reason, usage when the request asked for it, `[DONE]`, last HTTP
 * chunk.
 */
export function encodeStreamEnd(chunks: number, withUsage: 'with-usage' | 'without-usage'): string {
  if (withUsage === 'without-usage') return FINISH + LAST;
  const usage = { prompt_tokens: 220, completion_tokens: chunks, total_tokens: 220 + chunks };
  const data = {
    id: 'chatcmpl-bench',
    object: 'chat.completion.chunk',
    created: 1_767_225_600,
    model: BENCH_MODEL,
    choices: [],
    usage,
  };
  return FINISH + encodeHttpChunk(encodeEvent(JSON.stringify(data))) + LAST;
}
