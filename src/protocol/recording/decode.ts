import type { Outcome } from '../../core/errors.ts';
import { OUTCOMES } from '../../core/errors.ts';
import { fail, type Result, succeed } from '../../core/result.ts';
import { type ApiId, APIS } from '../api-table.ts';
import { decodeBlocks } from './block-text.ts';
import { FieldReader } from './field-reader.ts';
import {
  RECORDING_COLUMNS,
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
 * Reads one line, without its newline, of either kind. Values after those that this version knows
 * are ignored; all that it knows must be there. The last line of a file, and one before a header,
 * may have been cut by a crash.
 */
export function decodeRecordingLine(line: string): Result<RecordingLine, RecordingProblem> {
  const parsed = parseLine(line);
  if (!parsed.ok) return parsed;
  if (parsed.value.kind === 'header') {
    const header = readHeader(parsed.value.fields);
    return header.ok ? succeed({ kind: 'header', header: header.value }) : header;
  }
  const request = readRequest(parsed.value.fields);
  return request.ok ? succeed({ kind: 'request', request: request.value }) : request;
}

/** Reads a header's line. */
export function decodeRecordingHeader(line: string): Result<RecordingHeader, RecordingProblem> {
  const parsed = parseLine(line);
  if (!parsed.ok) return parsed;
  const { kind, fields } = parsed.value;
  return kind === 'header' ? readHeader(fields) : fail({ field: null, reason: 'is no header' });
}

/** Reads a request's line. */
export function decodeRecordedRequest(line: string): Result<RecordedRequest, RecordingProblem> {
  const parsed = parseLine(line);
  if (!parsed.ok) return parsed;
  const { kind, fields } = parsed.value;
  return kind === 'request' ? readRequest(fields) : fail({ field: null, reason: 'is a header' });
}

type Fields = Readonly<Record<string, unknown>>;

interface ParsedLine {
  readonly kind: RecordingLine['kind'];
  readonly fields: Fields;
}

function parseLine(line: string): Result<ParsedLine, RecordingProblem> {
  if (line.length > RECORDING_LINE_BYTES_MAX) {
    const reason = `is longer than ${RECORDING_LINE_BYTES_MAX} characters`;
    return fail({ field: null, reason });
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return fail({ field: null, reason: 'is not complete JSON' });
  }
  if (Array.isArray(parsed)) return succeed({ kind: 'request', fields: nameValues(parsed) });
  const isHeader = typeof parsed === 'object' && parsed !== null && 'penstockRecording' in parsed;
  if (isHeader) return succeed({ kind: 'header', fields: parsed as Fields });
  return fail({ field: null, reason: "is neither a header nor a list of a request's values" });
}

function nameValues(values: readonly unknown[]): Fields {
  const fields: Record<string, unknown> = {};
  for (const [index, column] of RECORDING_COLUMNS.entries()) fields[column] = values[index];
  return fields;
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
  if (!areColumnsKnown(fields['columns'])) {
    reader.refuse('columns', `must begin with ${RECORDING_COLUMNS.join(', ')}`);
  }
  return reader.problem === null ? succeed(header) : fail(reader.problem);
}

/** Columns of this version come first; there may be others after them. */
function areColumnsKnown(columns: unknown): boolean {
  return (
    Array.isArray(columns) && RECORDING_COLUMNS.every((column, index) => columns[index] === column)
  );
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
