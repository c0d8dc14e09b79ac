import type { Outcome } from '../../core/errors.ts';
import { OUTCOMES } from '../../core/errors.ts';
import { encodeRecordedFields } from './encode.ts';
import { BLOCK_HASH_CHARS, type RecordedRequest, RECORDING_LINE_BYTES_MAX } from './types.ts';

/** A request without its hashes, which are filled in when many can be worked out at once. */
export interface RecordedLine extends Omit<RecordedRequest, 'blocks'> {
  readonly blockCount: number;
}

/** Bytes that follow the hashes: quote, brace, newline. */
export const LINE_TAIL_BYTES = 3;

/** Characters of a tenant that fits its place. */
const TENANT_CHARS = 8;

/** Digits that a count has room for, and more than the largest such count. */
const INTEGER_BYTES = 8;
const INTEGER_LIMIT: number = 10 ** INTEGER_BYTES;

/** Room for 2^31 hundredths, 248 days of recording; and for a duration under 16 minutes. */
const ARRIVAL_BYTES = 11;
const ARRIVAL_LIMIT_MS = 21_474_836;
const TIME_BYTES = 9;
const TIME_LIMIT_MS = 999_999;

/** Room for attempts: there are at most 10. */
const ATTEMPTS_BYTES = 2;
const ATTEMPTS_LIMIT: number = 10 ** ATTEMPTS_BYTES;

/** The line up to the names, with spaces where values go; they are put at the right. */
const HEAD: string =
  '{' +
  place('atMs', ARRIVAL_BYTES) +
  place('tenant', TENANT_CHARS + 2) +
  place('stream', 5) +
  place('promptBytes', INTEGER_BYTES) +
  place('promptTokens', INTEGER_BYTES) +
  place('tokensFrom', 10) +
  place('maxTokens', INTEGER_BYTES) +
  place('outputTokens', INTEGER_BYTES) +
  place('cachedTokens', INTEGER_BYTES) +
  place('ttftMs', TIME_BYTES) +
  place('tpotMs', TIME_BYTES) +
  place('durationMs', TIME_BYTES) +
  place('outcome', 16) +
  place('status', 3) +
  place('attempts', ATTEMPTS_BYTES);

/** Where each value ends in the line. */
const END = Object.freeze({
  atMs: endOf('atMs'),
  tenant: endOf('tenant'),
  stream: endOf('stream'),
  promptBytes: endOf('promptBytes'),
  promptTokens: endOf('promptTokens'),
  tokensFrom: endOf('tokensFrom'),
  maxTokens: endOf('maxTokens'),
  outputTokens: endOf('outputTokens'),
  cachedTokens: endOf('cachedTokens'),
  ttftMs: endOf('ttftMs'),
  tpotMs: endOf('tpotMs'),
  durationMs: endOf('durationMs'),
  outcome: endOf('outcome'),
  status: endOf('status'),
  attempts: endOf('attempts'),
});

/** The words that values may be, with what JSON wants around them. */
const NULL = ascii('null');
const STREAM = [ascii('false'), ascii('true')] as const;
const FROM_USAGE = ascii('"usage"');
const FROM_ESTIMATE = ascii('"estimate"');
const OUTCOME_WORDS: ReadonlyMap<Outcome, Uint8Array> = new Map(
  OUTCOMES.map((outcome) => [outcome, ascii(`"${outcome}"`)]),
);
const TAIL = ascii('"}\n');

const QUOTE = 34;
const DOT = 46;
const ZERO = 48;

/** A line's bytes without its values, for requests with these names. */
interface Template {
  readonly api: string;
  readonly adapter: string | null;
  readonly pool: string | null;
  readonly bytes: Uint8Array;
}

/** Templates kept, some 500 bytes each; past this many all are made anew. */
const TEMPLATES_MAX = 4096;

/**
 * More than all that a line holds beside names and hashes; and a character takes at most six bytes
 * in JSON.
 */
const FIXED_BYTES = 1024;
const BYTES_PER_CHAR = 6;

/**
 * Writes requests as lines. The names of a request were nearly always those of an earlier one, so a
 * line is that one's bytes with other values: 0.15 us, where making JSON of an object takes 0.4 us.
 * Hot: bench `proxy`, check `recording overhead`.
 */
export class RecordingLineWriter {
  /** By model, then endpoint. */
  readonly #templates: Map<string | null, Map<string | null, Template>> = new Map();
  #templateCount = 0;

  /**
   * Writes a line and its newline at `at`, with room for the hashes: they belong before the last
   * `LINE_TAIL_BYTES`. Returns the end, or -1 when the line might be longer than allowed or `bytes`
   * has not `RECORDING_LINE_BYTES_MAX` left.
   */
  write(bytes: Buffer, at: number, line: RecordedLine): number {
    if (bytes.length - at < RECORDING_LINE_BYTES_MAX || !fits(line)) return -1;
    let end = isUsual(line) ? this.#writeUsual(bytes, at, line) : writeUnusual(bytes, at, line);
    end += line.blockCount * BLOCK_HASH_CHARS;
    for (let i = 0; i < LINE_TAIL_BYTES; i += 1) bytes[end + i] = TAIL[i] as number;
    return end + LINE_TAIL_BYTES;
  }

  #writeUsual(bytes: Buffer, at: number, line: RecordedLine): number {
    const template = this.#templateFor(line);
    bytes.set(template.bytes, at);
    putTime(bytes, at + END.atMs, line.atMs);
    putTenant(bytes, at + END.tenant, line.tenant);
    putWord(bytes, at + END.stream, line.stream ? STREAM[1] : STREAM[0]);
    putInteger(bytes, at + END.promptBytes, line.promptBytes);
    putInteger(bytes, at + END.promptTokens, line.promptTokens);
    const isUsage = line.tokensFrom === 'usage';
    putWord(bytes, at + END.tokensFrom, isUsage ? FROM_USAGE : FROM_ESTIMATE);
    putInteger(bytes, at + END.maxTokens, line.maxTokens);
    putInteger(bytes, at + END.outputTokens, line.outputTokens);
    putInteger(bytes, at + END.cachedTokens, line.cachedTokens);
    putTime(bytes, at + END.ttftMs, line.ttftMs);
    putTime(bytes, at + END.tpotMs, line.tpotMs);
    putTime(bytes, at + END.durationMs, line.durationMs);
    putWord(bytes, at + END.outcome, OUTCOME_WORDS.get(line.outcome) ?? NULL);
    putInteger(bytes, at + END.status, line.status);
    putInteger(bytes, at + END.attempts, line.attempts);
    return at + template.bytes.length;
  }

  #templateFor(line: RecordedLine): Template {
    const { api, adapter, pool } = line;
    const known = this.#templates.get(line.model)?.get(line.endpoint);
    const isSame = known?.api === api && known.adapter === adapter && known.pool === pool;
    return isSame ? known : this.#keepTemplate(line);
  }

  #keepTemplate(line: RecordedLine): Template {
    const { api, model, adapter, pool, endpoint } = line;
    const names = JSON.stringify({ api, model, adapter, pool, endpoint }).slice(1, -1);
    const bytes = Uint8Array.from(Buffer.from(`${HEAD}${names},"blocks":"`));
    const template: Template = { api, adapter, pool, bytes };
    if (this.#templateCount >= TEMPLATES_MAX) {
      this.#templates.clear();
      this.#templateCount = 0;
    }
    let byEndpoint = this.#templates.get(model);
    if (byEndpoint === undefined) this.#templates.set(model, (byEndpoint = new Map()));
    if (!byEndpoint.has(endpoint)) this.#templateCount += 1;
    byEndpoint.set(endpoint, template);
    return template;
  }
}

/** Whether every value fits its place. */
function isUsual(line: RecordedLine): boolean {
  const { tenant } = line;
  return areCountsShort(line) && areTimesShort(line) && (tenant === null || isPlain(tenant));
}

function areCountsShort(line: RecordedLine): boolean {
  return (
    isShort(line.promptBytes) &&
    isShort(line.promptTokens) &&
    isShort(line.maxTokens) &&
    isShort(line.outputTokens) &&
    isShort(line.cachedTokens) &&
    line.attempts < ATTEMPTS_LIMIT
  );
}

function areTimesShort({ atMs, ttftMs, tpotMs, durationMs }: RecordedLine): boolean {
  const isArrivalShort = atMs >= 0 && atMs < ARRIVAL_LIMIT_MS;
  return isArrivalShort && isShortTime(ttftMs) && isShortTime(tpotMs) && isShortTime(durationMs);
}

function isShort(value: number | null): boolean {
  return value === null || ((value | 0) === value && value >= 0 && value < INTEGER_LIMIT);
}

function isShortTime(ms: number | null): boolean {
  return ms === null || (ms >= 0 && ms < TIME_LIMIT_MS);
}

/** Base64url of the usual length. */
function isPlain(tenant: string): boolean {
  if (tenant.length !== TENANT_CHARS) return false;
  for (let i = 0; i < TENANT_CHARS; i += 1) {
    const code = tenant.charCodeAt(i);
    // A control character, a quote, a backslash, or beyond ASCII.
    if (code < 35 || code === 92 || code > 126) return false;
  }
  return true;
}

/** The line as JSON makes it, up to the hashes; returns its end. */
function writeUnusual(bytes: Buffer, at: number, line: RecordedLine): number {
  return at + bytes.write(`${encodeRecordedFields(line).slice(0, -1)},"blocks":"`, at);
}

/** Names are as long as whoever chose them wanted. */
function fits({ model, adapter, pool, endpoint, tenant, blockCount }: RecordedLine): boolean {
  const chars = sizeOf(model) + sizeOf(adapter) + sizeOf(pool) + sizeOf(endpoint) + sizeOf(tenant);
  const bytes = FIXED_BYTES + chars * BYTES_PER_CHAR + blockCount * BLOCK_HASH_CHARS;
  return bytes <= RECORDING_LINE_BYTES_MAX;
}

function sizeOf(name: string | null): number {
  return name === null ? 0 : name.length;
}

function putWord(bytes: Buffer, end: number, word: Uint8Array): void {
  const at = end - word.length;
  for (let i = 0; i < word.length; i += 1) bytes[at + i] = word[i] as number;
}

function putTenant(bytes: Buffer, end: number, tenant: string | null): void {
  if (tenant === null) {
    putWord(bytes, end, NULL);
    return;
  }
  const at = end - TENANT_CHARS - 1;
  bytes[at - 1] = QUOTE;
  for (let i = 0; i < TENANT_CHARS; i += 1) bytes[at + i] = tenant.charCodeAt(i);
  bytes[end - 1] = QUOTE;
}

function putInteger(bytes: Buffer, end: number, value: number | null): void {
  if (value === null) putWord(bytes, end, NULL);
  else putDigits(bytes, end, value);
}

/** `ms` to a hundredth, always with two places. */
function putTime(bytes: Buffer, end: number, ms: number | null): void {
  if (ms === null) {
    putWord(bytes, end, NULL);
    return;
  }
  const hundredths = Math.round(ms * 100) | 0;
  const whole = (hundredths / 100) | 0;
  const rest = (hundredths - whole * 100) | 0;
  const tens = (rest / 10) | 0;
  bytes[end - 1] = ZERO + rest - tens * 10;
  bytes[end - 2] = ZERO + tens;
  bytes[end - 3] = DOT;
  putDigits(bytes, end - 3, whole);
}

/** The digits of `value`, from 0 to 2^31 - 1, the last one before `end`. */
function putDigits(bytes: Buffer, end: number, value: number): void {
  let at = end;
  let rest = value | 0;
  do {
    const tenth = (rest / 10) | 0;
    at -= 1;
    bytes[at] = ZERO + rest - tenth * 10;
    rest = tenth;
  } while (rest > 0);
}

function place(field: string, size: number): string {
  return `"${field}":${' '.repeat(size)},`;
}

function endOf(field: string): number {
  return HEAD.indexOf(',', HEAD.indexOf(`"${field}":`));
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'latin1'));
}
