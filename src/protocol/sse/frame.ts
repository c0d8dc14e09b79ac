const LF = 0x0a;
const CR = 0x0d;
const COLON = 0x3a;
const SPACE = 0x20;

/** Index of the LF or CR that ends the line at `from`, or the length when none does. */
export function findLineEnd(bytes: Uint8Array, from: number): number {
  const length = bytes.length;
  let index = from;
  while (index < length) {
    const byte = bytes[index] as number;
    if (byte <= CR && (byte === LF || byte === CR)) break;
    index++;
  }
  return index;
}

/** Bytes `[start, end)` of a frame. */
export interface FrameSpan {
  readonly start: number;
  readonly end: number;
}

/** The fields of one SSE frame that the APIs use. */
export interface SseFrame {
  /** Value of the last `event` field; null when there is none. */
  readonly event: string | null;
  /** Values of the `data` fields, in order. */
  readonly data: readonly FrameSpan[];
}

/** Reads a frame's lines (WHATWG HTML, 9.2.6); comments and other fields are passed over. */
export function parseFrame(bytes: Buffer): SseFrame {
  const data: FrameSpan[] = [];
  let event: string | null = null;
  let start = 0;
  while (start < bytes.length) {
    const end = findLineEnd(bytes, start);
    const nameEnd = findColon(bytes, start, end);
    const valueStart = skipOneSpace(bytes, Math.min(nameEnd + 1, end), end);
    if (isField(bytes, start, nameEnd, 'data')) data.push({ start: valueStart, end });
    if (isField(bytes, start, nameEnd, 'event')) event = bytes.toString('utf8', valueStart, end);
    start = end + 1;
  }
  return { event, data };
}

/** The data of a frame: its lines joined by LF, without a copy when there is one. */
export function frameData(bytes: Buffer, frame: SseFrame): Buffer {
  const [first, ...more] = frame.data;
  if (first === undefined) return bytes.subarray(0, 0);
  if (more.length === 0) return bytes.subarray(first.start, first.end);
  const lines = frame.data.map((span) => bytes.toString('latin1', span.start, span.end));
  return Buffer.from(lines.join('\n'), 'latin1');
}

function findColon(bytes: Buffer, start: number, end: number): number {
  let index = start;
  while (index < end && bytes[index] !== COLON) index++;
  return index;
}

function skipOneSpace(bytes: Buffer, index: number, end: number): number {
  return index < end && bytes[index] === SPACE ? index + 1 : index;
}

function isField(bytes: Buffer, start: number, end: number, name: string): boolean {
  if (end - start !== name.length) return false;
  for (let i = 0; i < name.length; i++) {
    if (bytes[start + i] !== name.charCodeAt(i)) return false;
  }
  return true;
}
