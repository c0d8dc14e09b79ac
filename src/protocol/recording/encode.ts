import { encodeBlocks } from './block-text.ts';
import { type RecordedRequest, RECORDING_VERSION, type RecordingHeader } from './types.ts';

/** The header as a line, without its newline. */
export function encodeRecordingHeader(header: RecordingHeader): string {
  const { session, startedAtMs, part, blockBytes } = header;
  return JSON.stringify({
    penstockRecording: RECORDING_VERSION,
    session,
    startedAtMs,
    part,
    blockBytes,
  });
}

/** A request as a line, without its newline. Times are rounded to a hundredth of a millisecond. */
export function encodeRecordedRequest(request: RecordedRequest): string {
  const fields = encodeRecordedFields(request);
  return `${fields.slice(0, -1)},"blocks":"${encodeBlocks(request.blocks)}"}`;
}

/** All but the hashes, as a JSON object. */
export function encodeRecordedFields(request: Omit<RecordedRequest, 'blocks'>): string {
  const { atMs, ttftMs, tpotMs, durationMs } = request;
  return JSON.stringify({
    atMs: roundTime(atMs),
    api: request.api,
    model: request.model,
    adapter: request.adapter,
    pool: request.pool,
    endpoint: request.endpoint,
    tenant: request.tenant,
    stream: request.stream,
    promptBytes: request.promptBytes,
    promptTokens: request.promptTokens,
    tokensFrom: request.tokensFrom,
    maxTokens: request.maxTokens,
    outputTokens: request.outputTokens,
    cachedTokens: request.cachedTokens,
    ttftMs: ttftMs === null ? null : roundTime(ttftMs),
    tpotMs: tpotMs === null ? null : roundTime(tpotMs),
    durationMs: roundTime(durationMs),
    outcome: request.outcome,
    status: request.status,
    attempts: request.attempts,
  });
}

/** To what a recording keeps of a time. */
export function roundTime(ms: number): number {
  return Math.round(ms * 100) / 100;
}
