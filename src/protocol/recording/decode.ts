import type { Outcome } from '../../core/errors.ts';
import { OUTCOMES } from '../../core/errors.ts';
import { fail, type Result, succeed } from '../../core/result.ts';
import { type ApiId, APIS } from '../api-table.ts';
import { decodeBlocks } from './block-text.ts';
import { FieldReader } from './field-reader.ts';
import {
  RECORDING_LINE_BYTES_MAX,
  RECORDING_VERSION,
  type RecordedRequest,
  type RecordingHeader,
  type RecordingProblem,
} from './types.ts';

/** One line of a recording. */
export type RecordingLine =
  | { readonly kind: 'header'; readonly header: RecordingHeader }
  | { readonly kind: 'request'; readonly request: RecordedRequest };

const API_IDS: readonly ApiId[] = [...new Set<ApiId>([...APIS.map(({ id }) => id), 'other'])];
const TOKEN_SOURCES: readonly RecordedRequest['tokensFrom'][] = ['usage', 'estimate'];
const STATUS_MAX = 599;

/**
 * Reads one line, without its newline, of either kind. Fields that this version does not know are
 * ignored; all that it knows must be there. The last line of a file, and one before a header, may
 * have been cut by a crash.
 */
export function decodeRecordingLine(line: string): Result<RecordingLine, RecordingProblem> {
  const fields = parseLine(line);
  if (!fields.ok) return fields;
  if ('penstockRecording' in fields.value) {
    const header = readHeader(fields.value);
    return header.ok ? succeed({ kind: 'header', header: header.value }) : header;
  }
  const request = readRequest(fields.value);
  return request.ok ? succeed({ kind: 'request', request: request.value }) : request;
}

/** Reads a header's line. */
export function decodeRecordingHeader(line: string): Result<RecordingHeader, RecordingProblem> {
  const fields = parseLine(line);
  return fields.ok ? readHeader(fields.value) : fields;
}

/** Reads a request's line. */
export function decodeRecordedRequest(line: string): Result<RecordedRequest, RecordingProblem> {
  const fields = parseLine(line);
  return fields.ok ? readRequest(fields.value) : fields;
}

type Fields = Readonly<Record<string, unknown>>;

function parseLine(line: string): Result<Fields, RecordingProblem> {
  if (line.length > RECORDING_LINE_BYTES_MAX) {
    const reason = `is longer than ${RECORDING_LINE_BYTES_MAX} characters`;
    return fail({ field: null, reason });
  }
  try {
    const parsed: unknown = JSON.parse(line);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) {
      return succeed(parsed as Fields);
    }
    return fail({ field: null, reason: 'is not a JSON object' });
  } catch {
    return fail({ field: null, reason: 'is not complete JSON' });
  }
}

function readHeader(fields: Fields): Result<RecordingHeader, RecordingProblem> {
  const reader = new FieldReader(fields);
  const version = reader.integer('penstockRecording', { min: 1 });
  if (reader.problem === null && version !== RECORDING_VERSION) {
    const reason = `must be ${RECORDING_VERSION}, the only version known, got ${version}`;
    return fail({ field: 'penstockRecording', reason });
  }
  const header: RecordingHeader = {
    session: reader.text('session'),
    startedAtMs: reader.integer('startedAtMs', { min: 0 }),
    part: reader.integer('part', { min: 1 }),
    blockBytes: reader.integer('blockBytes', { min: 1 }),
  };
  return reader.problem === null ? succeed(header) : fail(reader.problem);
}

function readRequest(fields: Fields): Result<RecordedRequest, RecordingProblem> {
  const reader = new FieldReader(fields);
  const count = { min: 0 };
  const request: RecordedRequest = {
    atMs: reader.time('atMs'),
    api: reader.choice('api', API_IDS),
    model: reader.textOrNull('model'),
    adapter: reader.textOrNull('adapter'),
    pool: reader.textOrNull('pool'),
    endpoint: reader.textOrNull('endpoint'),
    tenant: reader.textOrNull('tenant'),
    stream: reader.flag('stream'),
    promptBytes: reader.integer('promptBytes', count),
    promptTokens: reader.integer('promptTokens', count),
    tokensFrom: reader.choice('tokensFrom', TOKEN_SOURCES),
    maxTokens: reader.integerOrNull('maxTokens', count),
    outputTokens: reader.integerOrNull('outputTokens', count),
    cachedTokens: reader.integerOrNull('cachedTokens', count),
    ttftMs: reader.timeOrNull('ttftMs'),
    tpotMs: reader.timeOrNull('tpotMs'),
    durationMs: reader.time('durationMs'),
    outcome: reader.choice<Outcome>('outcome', OUTCOMES),
    status: reader.integer('status', { min: 0, max: STATUS_MAX }),
    attempts: reader.integer('attempts', count),
    blocks: readBlocks(reader),
  };
  return reader.problem === null ? succeed(request) : fail(reader.problem);
}

function readBlocks(reader: FieldReader): readonly number[] {
  const blocks = decodeBlocks(reader.text('blocks'));
  if (blocks !== null) return blocks;
  reader.refuse('blocks', 'must be hashes of 8 characters of base64url each');
  return [];
}
