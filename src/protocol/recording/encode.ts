import { encodeBlocks } from './block-text.ts';
import {
  type RecordedRequest,
  RECORDING_COLUMNS,
  RECORDING_VERSION,
  type RecordingHeader,
} from './types.ts';

/** The header as a line, without its newline. */
export function encodeRecordingHeader(header: RecordingHeader): string {
  const { session, startedAtMs, part, blockBytes } = header;
  return JSON.stringify({
    penstockRecording: RECORDING_VERSION,
    session,
    startedAtMs,
    part,
    blockBytes,
    columns: RECORDING_COLUMNS,
  });
}

/** A request as a line, without its newline. Times are rounded to a hundredth of a millisecond. */
export function encodeRecordedRequest(request: RecordedRequest): string {
  const values = {
    ...request,
    atMs: roundTime(request.atMs),
    ttftMs: request.ttftMs === null ? null : roundTime(request.ttftMs),
    tpotMs: request.tpotMs === null ? null : roundTime(request.tpotMs),
    durationMs: roundTime(request.durationMs),
    blocks: encodeBlocks(request.blocks),
  };
  return JSON.stringify(RECORDING_COLUMNS.map((column) => values[column]));
}

/** To what a recording keeps of a time. */
export function roundTime(ms: number): number {
  return Math.round(ms * 100) / 100;
}
