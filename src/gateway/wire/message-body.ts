import { isTrailer } from './trailer.ts';
import { parseChunkSize } from './chunk-size.ts';
import { KeptBytes } from './kept-bytes.ts';

/** How the end of a body is known (RFC 9112 section 6.3). */
export type BodyFraming = 'none' | 'length' | 'chunked' | 'until-close';

/** A chunk size with its extensions, and a trailer, of real peers are far shorter. */
const LINE_BYTES_MAX = 4096;
/** Chunk extensions and trailers of a whole body: bytes that cost work and mean nothing here. */
const OVERHEAD_BYTES_MAX = 16 * 1024;

const CR = 0x0d;
const LF = 0x0a;

type State =
  | 'length'
  | 'until-close'
  | 'chunk-size'
  | 'chunk-data'
  | 'chunk-end'
  | 'trailer'
  | LastState;

/** States in which nothing more is read. */
type LastState = 'complete' | 'failed';

/**
 * Reads the bodies of HTTP/1.1 messages, one after another, from bytes that come in any pieces. The
 * caller says whether it reads into the same memory again: pieces are copies then, else parts of
 * what was read (a copy of each read made 220 KB bodies a sixth dearer).
 *
 *     begin ─┬─ none ──────────────────────────────────────────► complete
 *            ├─ length ── bytes left = 0 ──────────────────────►
 *            ├─ until-close ── finish() ───────────────────────►
 *            └─ chunk-size ─► chunk-data ─► chunk-end ─┐
 *                   ▲   └─ size 0 ─► trailer ──────────┼───────►
 *                   └──────────────────────────────────┘
 *
 * Hot: `npm run bench -- proxy`.
 */
export class MessageBody {
  readonly #keepsReads: boolean;
  #state: State = 'complete';
  #isOver = true;
  #problem: string | null = null;
  /** The first bytes of a chunk size or trailer that was cut by the end of a read. */
  #kept: KeptBytes | null = null;
  #remainingBytes = 0;
  #overheadBytes = 0;
  /** Where in this read its body bytes stand; an end of 0 means that there were none yet. */
  #pieceStart = 0;
  #pieceEnd = 0;
  /** The body bytes of this read when they stand in several chunks. */
  #gathered: Buffer | null = null;
  #gatheredBytes = 0;
  /** Where the line ends that `#takeLine` returned. */
  #lineEnd = 0;

  constructor(memory: 'reads-are-kept' | 'reads-are-reused') {
    this.#keepsReads = memory === 'reads-are-kept';
  }

  /** What was wrong with the body; null while nothing is. */
  get problem(): string | null {
    return this.#problem;
  }

  /** Whether the body has been read to its end. */
  get isComplete(): boolean {
    return this.#state === 'complete';
  }

  /** Starts to read a body. `contentLength` counts when the framing is `length`. */
  begin(framing: BodyFraming, contentLength: number): void {
    this.#kept = null;
    this.#problem = null;
    this.#overheadBytes = 0;
    this.#isOver = false;
    this.#remainingBytes = contentLength;
    if (framing === 'chunked') this.#state = 'chunk-size';
    else if (framing === 'until-close') this.#state = 'until-close';
    else if (framing === 'length' && contentLength > 0) this.#state = 'length';
    else this.#enterLast('complete');
  }

  /** Takes the bytes from `at` on and returns where the body ends, or where the bytes do. */
  read(bytes: Buffer, at: number): number {
    let next = at;
    while (next < bytes.length && !this.#isOver) next = this.#step(bytes, next);
    return next;
  }

  /**
   * The body bytes of this read, which are the caller's; null when there were none. Call it once
   * after each `read`: a body comes in one piece per read however many chunks it held, so that
   * a reader that asks for a pause is not asked again.
   */
  take(bytes: Buffer): Buffer | null {
    const start = this.#pieceStart;
    const end = this.#pieceEnd;
    if (end === 0) return null;
    const gathered = this.#gathered;
    this.#gathered = null;
    this.#pieceEnd = 0;
    if (gathered !== null) return gathered.subarray(0, this.#gatheredBytes);
    if (this.#keepsReads) return bytes.subarray(start, end);
    const piece = Buffer.allocUnsafe(end - start);
    bytes.copy(piece, 0, start, end);
    return piece;
  }

  /** The connection has ended: fine after a body that lasts until then. */
  finish(): void {
    if (this.#state === 'until-close') this.#enterLast('complete');
  }

  /** Consumes what it can at `at` and returns where to go on. */
  #step(bytes: Buffer, at: number): number {
    switch (this.#state) {
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
        return at;
    }
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
