import type { AnswerHead } from './answer-head.ts';
import { findHeadEnd, HEAD_IS_FORBIDDEN, isTrailer, parseAnswerHead } from './answer-head.ts';
import { parseChunkSize } from './chunk-size.ts';
import { KeptBytes } from './kept-bytes.ts';

/** Hears what an answer holds, in order. */
export interface AnswerListener {
  /** A final head; informational ones (1xx) are passed over. */
  onHead(head: AnswerHead): void;
  /**
   * Body bytes, their transfer coding removed; the listener owns the buffer. At most once per read,
   * however many chunks it held, so that a listener that asks for a pause is not asked again.
   */
  onBody(chunk: Buffer): void;
  /** The answer is complete. */
  onComplete(): void;
}

const HEAD_BYTES_MAX = 64 * 1024;
/** A chunk size with its extensions, and a trailer, of real servers are far shorter. */
const LINE_BYTES_MAX = 4096;
/** Chunk extensions and trailers of a whole answer: bytes that cost work and mean nothing here. */
const OVERHEAD_BYTES_MAX = 16 * 1024;
/** Informational heads before the final one. */
const INFORMATIONAL_MAX = 32;

const CR = 0x0d;
const LF = 0x0a;
const HEAD_END_BYTES = '\r\n\r\n'.length;
const HEAD_START = 'HTTP/1.';

type State =
  | 'head'
  | 'length'
  | 'until-close'
  | 'chunk-size'
  | 'chunk-data'
  | 'chunk-end'
  | 'trailer'
  | LastState;

/** States in which nothing more is read. */
type LastState = 'complete' | 'failed' | 'stopped';

/**
 * Reads HTTP/1.1 answers, one after another, from bytes that come in any pieces. It keeps no
 * reference to them: the caller may read into the same memory again.
 *
 *     head ─┬─ none ──────────────────────────────────────────► complete
 *           ├─ length ── bytes left = 0 ──────────────────────►
 *           ├─ until-close ── finish() ───────────────────────►
 *           └─ chunk-size ─► chunk-data ─► chunk-end ─┐
 *                  ▲   └─ size 0 ─► trailer ──────────┼───────►
 *                  └──────────────────────────────────┘
 *
 * Hot: `npm run bench -- stream`.
 */
export class AnswerParser {
  readonly #listener: AnswerListener;
  #state: State = 'head';
  #isOver = false;
  #hasBytes = false;
  #hasExcess = false;
  #problem: string | null = null;
  /** The first bytes of a head, chunk size or trailer that was cut by the end of a read. */
  #kept: KeptBytes | null = null;
  #remainingBytes = 0;
  #overheadBytes = 0;
  #informationalCount = 0;
  /** Where in this read its body bytes stand; an end of 0 means that there were none yet. */
  #pieceStart = 0;
  #pieceEnd = 0;
  /** The body bytes of this read when they stand in several chunks. */
  #gathered: Buffer | null = null;
  #gatheredBytes = 0;
  /** Where the line ends that `#takeLine` returned. */
  #lineEnd = 0;

  constructor(listener: AnswerListener) {
    this.#listener = listener;
  }

  /** What was wrong with the answer; null while nothing is. */
  get problem(): string | null {
    return this.#problem;
  }

  /** Whether any byte of the answer has come. */
  get hasBytes(): boolean {
    return this.#hasBytes;
  }

  /** Whether `onComplete` was called. */
  get isComplete(): boolean {
    return this.#state === 'complete';
  }

  /** Whether bytes came after the end of the answer: whose they are cannot be told. */
  get hasExcess(): boolean {
    return this.#hasExcess;
  }

  /** Starts over with the next answer. */
  reset(): void {
    this.#state = 'head';
    this.#isOver = false;
    this.#hasBytes = false;
    this.#hasExcess = false;
    this.#problem = null;
    this.#kept = null;
    this.#overheadBytes = 0;
    this.#informationalCount = 0;
  }

  /** Reads nothing more, not even the rest of a read under way: nobody listens any more. */
  stop(): void {
    this.#enterLast('stopped');
  }

  /** Takes the bytes of one read. */
  push(bytes: Buffer): void {
    const { length } = bytes;
    if (length === 0) return;
    this.#hasBytes = true;
    let at = 0;
    while (at < length && !this.#isOver) at = this.#step(bytes, at);
    if (this.#pieceEnd > 0) this.#giveBody(bytes);
    if (this.#state !== 'complete') return;
    // Told only now that it is known whether anything follows: a connection with something behind
    // an answer must not be given to another request, which would get that for its own answer.
    this.#hasExcess = at < length;
    if (at > 0) this.#listener.onComplete();
  }

  /** The connection has ended: fine after a body that lasts until then, else a cut answer. */
  finish(): void {
    if (this.#state === 'until-close') {
      this.#enterLast('complete');
      this.#listener.onComplete();
    } else if (!this.#isOver) {
      this.#fail('the connection ended inside the answer');
    }
  }

  /** Consumes what it can at `at` and returns where to go on. */
  #step(bytes: Buffer, at: number): number {
    switch (this.#state) {
      case 'head':
        return this.#readHead(bytes, at);
      case 'length':
      case 'chunk-data':
        return this.#readSized(bytes, at);
      case 'until-close':
        this.#addPiece(bytes, at, bytes.length);
        return bytes.length;
      case 'chunk-size':
        return this.#readChunkSize(bytes, at);
      case 'chunk-end':
        return this.#readChunkEnd(bytes, at);
      case 'trailer':
        return this.#readTrailer(bytes, at);
      case 'complete':
      case 'failed':
      case 'stopped':
        return bytes.length;
    }
  }

  #readHead(bytes: Buffer, at: number): number {
    if (this.#kept !== null) return this.#readCutHead(this.#kept, bytes, at);
    const end = findHeadEnd(bytes, at);
    if (end >= 0) {
      this.#takeHead(bytes, at, end);
      return end + HEAD_END_BYTES;
    }
    this.#kept = new KeptBytes(HEAD_BYTES_MAX);
    this.#kept.add(bytes, at, bytes.length);
    this.#checkCutHead(this.#kept, end);
    return bytes.length;
  }

  #readCutHead(kept: KeptBytes, bytes: Buffer, at: number): number {
    const before = kept.length;
    kept.add(bytes, at, bytes.length);
    // The end may have begun in an earlier read.
    const end = findHeadEnd(kept.bytes, Math.max(0, before - 3));
    if (end < 0) {
      this.#checkCutHead(kept, end);
      return bytes.length;
    }
    this.#kept = null;
    this.#takeHead(kept.bytes, 0, end);
    return at + end + HEAD_END_BYTES - before;
  }

  /**
   * Fails at once when no more bytes can make this a head. Another protocol may greet and then wait
   * for us, and a server may end its lines with LF alone: the end of a head would never come.
   */
  #checkCutHead(kept: KeptBytes, end: number): void {
    const start = kept.bytes.toString('latin1', 0, HEAD_START.length);
    if (!HEAD_START.startsWith(start)) this.#fail('the status line is not HTTP/1.1');
    else if (end === HEAD_IS_FORBIDDEN) this.#fail('a control character or half a line end');
    else if (kept.isTooLong) this.#fail('the head is too large');
  }

  #takeHead(bytes: Buffer, start: number, end: number): void {
    if (end - start + HEAD_END_BYTES > HEAD_BYTES_MAX) {
      this.#fail('the head is too large');
      return;
    }
    const head = parseAnswerHead(bytes.toString('latin1', start, end));
    if (typeof head === 'string') this.#fail(head);
    else if (head.status >= 200) this.#beginBody(head);
    else this.#passOver(head);
  }

  #passOver({ status, isPersistent }: AnswerHead): void {
    this.#informationalCount += 1;
    if (status === 101) this.#fail('a switch of protocols that nobody asked for');
    else if (!isPersistent) this.#fail('an informational answer is said to be the last');
    else if (this.#informationalCount > INFORMATIONAL_MAX) this.#fail('too many 1xx answers');
  }

  #beginBody(head: AnswerHead): void {
    this.#remainingBytes = head.contentLength;
    this.#listener.onHead(head);
    if (this.#isOver) return;
    const { framing } = head;
    if (framing === 'chunked') this.#state = 'chunk-size';
    else if (framing === 'until-close') this.#state = 'until-close';
    else if (head.contentLength > 0) this.#state = 'length';
    else this.#enterLast('complete');
  }

  #readSized(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#remainingBytes);
    this.#remainingBytes -= end - at;
    this.#addPiece(bytes, at, end);
    if (this.#remainingBytes > 0) return end;
    if (this.#state === 'length') {
      this.#enterLast('complete');
      return end;
    }
    // The line end after a chunk is nearly always in the same read.
    if (bytes[end] === CR && bytes[end + 1] === LF) {
      this.#state = 'chunk-size';
      return end + 2;
    }
    this.#state = 'chunk-end';
    this.#remainingBytes = 2;
    return end;
  }

  #readChunkEnd(bytes: Buffer, at: number): number {
    if (bytes[at] !== (this.#remainingBytes === 2 ? CR : LF)) {
      this.#fail('a chunk is longer than its size says');
    }
    this.#remainingBytes -= 1;
    if (this.#remainingBytes === 0 && !this.#isOver) this.#state = 'chunk-size';
    return at + 1;
  }

  #readChunkSize(bytes: Buffer, at: number): number {
    if (this.#kept !== null) return this.#readChunkSizeLine(bytes, at);
    // The usual line: a few hex digits and a line end, all in this read.
    let size = 0;
    let end = at;
    for (; end < at + 8; end += 1) {
      const digit = hexValue(bytes[end]);
      if (digit < 0) break;
      size = size * 16 + digit;
    }
    if (end === at || bytes[end] !== CR || bytes[end + 1] !== LF) {
      return this.#readChunkSizeLine(bytes, at);
    }
    this.#beginChunk(size);
    return end + 2;
  }

  #readChunkSizeLine(bytes: Buffer, at: number): number {
    const line = this.#takeLine(bytes, at);
    if (line === null) return bytes.length;
    const size = parseChunkSize(line);
    if (typeof size === 'string') {
      this.#fail(size);
      return bytes.length;
    }
    this.#addOverhead(size.extensionBytes);
    this.#beginChunk(size.sizeBytes);
    return this.#lineEnd;
  }

  #beginChunk(size: number): void {
    if (this.#isOver) return;
    this.#remainingBytes = size;
    this.#state = size === 0 ? 'trailer' : 'chunk-data';
  }

  #readTrailer(bytes: Buffer, at: number): number {
    const line = this.#takeLine(bytes, at);
    if (line === null) return bytes.length;
    if (line === '') this.#enterLast('complete');
    else if (isTrailer(line)) this.#addOverhead(line.length);
    else this.#fail('a trailer is malformed');
    return this.#lineEnd;
  }

  #addOverhead(count: number): void {
    this.#overheadBytes += count;
    if (this.#overheadBytes > OVERHEAD_BYTES_MAX) {
      this.#fail('there are too many chunk extensions or trailers');
    }
  }

  /**
   * A whole line without its CRLF, which ends at `#lineEnd`. Null keeps what is here of it, or
   * fails.
   */
  #takeLine(bytes: Buffer, at: number): string | null {
    const lf = bytes.indexOf(LF, at);
    const end = lf < 0 ? bytes.length : lf + 1;
    const kept = this.#kept;
    if (lf >= 0 && kept === null && end - at <= LINE_BYTES_MAX) {
      this.#lineEnd = end;
      return this.#endLine(bytes, at, end);
    }
    const line = kept ?? new KeptBytes(LINE_BYTES_MAX);
    line.add(bytes, at, end);
    this.#kept = lf < 0 ? line : null;
    this.#lineEnd = end;
    if (line.isTooLong) this.#fail('a line of the chunked coding is too long');
    return lf < 0 || line.isTooLong ? null : this.#endLine(line.bytes, 0, line.length);
  }

  #endLine(bytes: Buffer, start: number, end: number): string | null {
    if (end - start >= 2 && bytes[end - 2] === CR) return bytes.toString('latin1', start, end - 2);
    this.#fail('a line of the chunked coding does not end in CRLF');
    return null;
  }

  #addPiece(bytes: Buffer, start: number, end: number): void {
    if (this.#pieceEnd === 0) {
      this.#pieceStart = start;
      this.#pieceEnd = end;
      return;
    }
    if (this.#gathered === null) {
      this.#gathered = Buffer.allocUnsafe(bytes.length - this.#pieceStart);
      this.#gatheredBytes = bytes.copy(this.#gathered, 0, this.#pieceStart, this.#pieceEnd);
    }
    this.#gatheredBytes += bytes.copy(this.#gathered, this.#gatheredBytes, start, end);
  }

  #giveBody(bytes: Buffer): void {
    const gathered = this.#gathered;
    const start = this.#pieceStart;
    const end = this.#pieceEnd;
    this.#gathered = null;
    this.#pieceEnd = 0;
    if (this.#state === 'stopped') return;
    if (gathered !== null) {
      this.#listener.onBody(gathered.subarray(0, this.#gatheredBytes));
      return;
    }
    const chunk = Buffer.allocUnsafe(end - start);
    bytes.copy(chunk, 0, start, end);
    this.#listener.onBody(chunk);
  }

  #fail(problem: string): void {
    if (this.#isOver) return;
    this.#problem = problem;
    this.#enterLast('failed');
  }

  #enterLast(state: LastState): void {
    this.#state = state;
    this.#isOver = true;
  }
}

/** The value of a hex digit; negative for any other byte and for none. */
function hexValue(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
