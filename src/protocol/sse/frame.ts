const LF = 0x0a;
const CR = 0x0d;
const COLON = 0x3a;
const SPACE = 0x20;

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
    const colon = bytes.subarray(start, end).indexOf(COLON);
    const nameEnd = colon < 0 ? end : start + colon;
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

function findLineEnd(bytes: Buffer, from: number): number {
  for (let index = from; index < bytes.length; index++) {
    if (bytes[index] === LF || bytes[index] === CR) return index;
  }
  return bytes.length;
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
