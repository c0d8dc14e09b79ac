import { OUTCOMES } from '../../core/errors.ts';
import { roundTime } from './encode.ts';
import { encodeWord, putHundredths, putInteger, putWord, type Word } from './put-values.ts';
import { type LineRow, NULL_VALUE, NUMBER_AT, TEXT_AT, TEXT_COUNT } from './row.ts';
import { BLOCK_HASH_CHARS, RECORDING_LINE_BYTES_MAX } from './types.ts';

/** Bytes that follow the hashes: quote, bracket, newline. */
export const LINE_TAIL_BYTES = 3;

/** The words that values may be, each with its comma. */
const FALSE = encodeWord('false,');
const TRUE = encodeWord('true,');
const FROM_USAGE = encodeWord('"usage",');
const FROM_ESTIMATE = encodeWord('"estimate",');
const OUTCOME_WORDS: readonly Word[] = OUTCOMES.map((outcome) => encodeWord(`"${outcome}",`));

const BRACKET = 91;
const END_BRACKET = 93;
const QUOTE = 34;
const COMMA = 44;
const NEWLINE = 10;

/** Largest number that is written digit by digit, and largest time: 248 days in milliseconds. */
const DIGITS_MAX: number = 2 ** 31 - 1;
const TIME_MAX_MS: number = DIGITS_MAX / 100;

type Text = string | null;

/** Texts of a row as the bytes of their values. */
interface Names {
  readonly texts: readonly Text[];
  readonly word: Word;
}

/** Names kept, some 500 bytes each; past this many all are made anew. */
const NAMES_MAX = 4096;

/** More than all that a line holds beside names and hashes. */
const FIXED_BYTES = 512;

/** Where lines are written: bytes, and the same bytes as a view. */
export class LineTarget {
  readonly bytes: Buffer;
  readonly view: DataView;

  constructor(sizeBytes: number) {
    this.bytes = Buffer.alloc(sizeBytes);
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, sizeBytes);
  }
}

/**
 * Writes rows as lines, straight into bytes and without an object for any: 0.1 us, where making
 * JSON of an object takes 0.4 us. Names were nearly always those of an earlier request, so their
 * bytes are kept. Hot: bench `proxy`, check `recording overhead`.
 */
export class RecordingLineWriter {
  /** By model, then endpoint. */
  readonly #names: Map<Text, Map<Text, Names>> = new Map();
  #namesCount = 0;
  /** Those of the last row. */
  #last: Names = { texts: [], word: NULL_VALUE };

  /**
   * Writes a row and its newline at `from`, with room for the hashes: they belong before the last
   * `LINE_TAIL_BYTES`. Returns the end, or -1 when the line might be longer than allowed or the
   * target has not `RECORDING_LINE_BYTES_MAX` left.
   */
  write(target: LineTarget, from: number, row: LineRow): number {
    const { bytes, view } = target;
    const { numbers, tenant } = row;
    const names = this.#namesOf(row.texts);
    const blockBytes = row.blockCount * BLOCK_HASH_CHARS;
    const isLong =
      FIXED_BYTES + names.length + tenant.length + blockBytes > RECORDING_LINE_BYTES_MAX;
    if (isLong || bytes.length - from < RECORDING_LINE_BYTES_MAX) return -1;

    bytes[from] = BRACKET;
    let at = putTime(target, from + 1, numbers[NUMBER_AT.atMs] as number);
    at = putWord(view, at, names);
    at = putWord(view, at, tenant);
    at = putWord(view, at, numbers[NUMBER_AT.stream] === 1 ? TRUE : FALSE);
    at = putCount(target, at, numbers[NUMBER_AT.promptBytes] as number);
    at = putCount(target, at, numbers[NUMBER_AT.promptTokens] as number);
    at = putWord(view, at, numbers[NUMBER_AT.isUsage] === 1 ? FROM_USAGE : FROM_ESTIMATE);
    at = putCount(target, at, numbers[NUMBER_AT.maxTokens] as number);
    at = putCount(target, at, numbers[NUMBER_AT.outputTokens] as number);
    at = putCount(target, at, numbers[NUMBER_AT.cachedTokens] as number);
    at = putTime(target, at, numbers[NUMBER_AT.ttftMs] as number);
    at = putTime(target, at, numbers[NUMBER_AT.tpotMs] as number);
    at = putTime(target, at, numbers[NUMBER_AT.durationMs] as number);
    at = putWord(view, at, outcomeWord(numbers[NUMBER_AT.outcome] as number));
    at = putCount(target, at, numbers[NUMBER_AT.status] as number);
    at = putCount(target, at, numbers[NUMBER_AT.attempts] as number);
    bytes[at] = QUOTE;
    at += 1 + blockBytes;
    bytes[at] = QUOTE;
    bytes[at + 1] = END_BRACKET;
    bytes[at + 2] = NEWLINE;
    return at + LINE_TAIL_BYTES;
  }

  #namesOf(texts: readonly Text[]): Word {
    if (areSame(this.#last.texts, texts)) return this.#last.word;
    const model = texts[TEXT_AT.model] as Text;
    const endpoint = texts[TEXT_AT.endpoint] as Text;
    const known = this.#names.get(model)?.get(endpoint);
    const isSame = known !== undefined && areSame(known.texts, texts);
    this.#last = isSame ? known : this.#keepNames(texts.slice());
    return this.#last.word;
  }

  #keepNames(texts: readonly Text[]): Names {
    const model = texts[TEXT_AT.model] as Text;
    const endpoint = texts[TEXT_AT.endpoint] as Text;
    if (this.#namesCount >= NAMES_MAX) {
      this.#names.clear();
      this.#namesCount = 0;
    }
    let byEndpoint = this.#names.get(model);
    if (byEndpoint === undefined) this.#names.set(model, (byEndpoint = new Map()));
    if (!byEndpoint.has(endpoint)) this.#namesCount += 1;
    const names: Names = { texts, word: encodeWord(`${JSON.stringify(texts).slice(1, -1)},`) };
    byEndpoint.set(endpoint, names);
    return names;
  }
}

function areSame(names: readonly Text[], texts: readonly Text[]): boolean {
  for (let i = 0; i < TEXT_COUNT; i += 1) if (names[i] !== texts[i]) return false;
  return true;
}

function outcomeWord(index: number): Word {
  return OUTCOME_WORDS[index] ?? NULL_VALUE;
}

/** A count, or null for what is below 0. */
function putCount({ bytes, view }: LineTarget, at: number, value: number): number {
  if (value < 0) return putWord(view, at, NULL_VALUE);
  if (value > DIGITS_MAX) return putUnusual(bytes, at, value);
  const end = putInteger(bytes, at, value);
  bytes[end] = COMMA;
  return end + 1;
}

/** `ms` to a hundredth, or null for what is below 0. */
function putTime({ bytes, view }: LineTarget, at: number, ms: number): number {
  if (ms < 0) return putWord(view, at, NULL_VALUE);
  if (ms >= TIME_MAX_MS) return putUnusual(bytes, at, roundTime(ms));
  const end = putHundredths(bytes, at, Math.round(ms * 100));
  bytes[end] = COMMA;
  return end + 1;
}

function putUnusual(bytes: Buffer, at: number, value: number): number {
  return at + bytes.write(`${JSON.stringify(value)},`, at, 'latin1');
}
