import { open } from 'node:fs/promises';
import { createReadStream } from 'node:fs';
import { CsvError, parse, type Info } from 'csv-parse';
import { parseTimestamp } from './azure-time.ts';
import { checkTokens, TimeOrder } from './check-values.ts';
import { TraceError } from './errors.ts';
import { asTraceError, ProgressMeter, statFile } from './lines.ts';
import { truncated } from './mooncake.ts';
import type { TraceBuilder } from './trace-builder.ts';
import type { ReadTraceHooks } from './types.ts';

/** Names that a column goes by, in lower case: Azure's, and those of BurstGPT. */
const COLUMNS: Readonly<Record<keyof ColumnIndexes, readonly string[]>> = {
  timestamp: ['timestamp'],
  contextTokens: ['contexttokens', 'request tokens'],
  generatedTokens: ['generatedtokens', 'response tokens'],
};

interface ColumnIndexes {
  readonly timestamp: number;
  readonly contextTokens: number;
  readonly generatedTokens: number;
}

/** Whether a file's first line is the head of such a table. */
export function isAzureHead(line: string): boolean {
  const names = line.split(',').map((name) => name.trim().toLowerCase());
  return COLUMNS.timestamp.some((name) => names.includes(name)) && names.length > 1;
}

interface CsvRow {
  readonly record: readonly string[];
  readonly line: number;
}

/**
 * Reads CSV tables with a head, as Azure published its traces of LLM services: TIMESTAMP,
 * ContextTokens and GeneratedTokens in any order, other columns ignored. Prompts share nothing.
 */
export async function readAzure(
  path: string,
  builder: TraceBuilder,
  hooks: ReadTraceHooks & { readonly limit: number },
): Promise<void> {
  const { size } = await statFile(path);
  const isEnded = await endsWithNewline(path, size);
  const meter = new ProgressMeter(size, { ...hooks, countRequests: () => builder.count });
  const table = new AzureTable(path, builder);
  let held: CsvRow | null = null;
  for await (const row of readRows(path, meter, hooks.signal)) {
    if (held !== null) table.read(held, { isLastCut: false });
    if (builder.count >= hooks.limit) return;
    held = row;
  }
  if (held !== null) table.read(held, { isLastCut: !isEnded });
  meter.finish();
}

async function* readRows(
  path: string,
  meter: ProgressMeter,
  signal: AbortSignal | undefined,
): AsyncGenerator<CsvRow, void, void> {
  const file = createReadStream(path);
  const parser = parse({ bom: true, info: true, relax_column_count: true, skip_empty_lines: true });
  file.on('error', (cause) => parser.destroy(cause));
  file.pipe(parser);
  try {
    for await (const row of parser as AsyncIterable<{ record: string[]; info: Info }>) {
      signal?.throwIfAborted();
      meter.note(file.bytesRead);
      yield { record: row.record.map((cell) => cell.trim()), line: row.info.lines };
    }
  } catch (cause) {
    throw asCsvError(cause, path);
  } finally {
    file.destroy();
    parser.destroy();
  }
}

function asCsvError(cause: unknown, path: string): unknown {
  if (!(cause instanceof CsvError)) return asTraceError(cause, path);
  const line = typeof cause['lines'] === 'number' ? cause['lines'] : null;
  return new TraceError('trace_line_invalid', `is not CSV: ${cause.message}`, {
    path,
    line,
    cause,
  });
}

class AzureTable {
  readonly #path: string;
  readonly #builder: TraceBuilder;
  readonly #order = new TimeOrder();
  #columns: ColumnIndexes | null = null;

  constructor(path: string, builder: TraceBuilder) {
    this.#path = path;
    this.#builder = builder;
  }

  read({ record, line }: CsvRow, { isLastCut }: { readonly isLastCut: boolean }): void {
    const place = { path: this.#path, line };
    if (this.#columns === null) {
      this.#columns = findColumns(record, place);
      return;
    }
    const { timestamp, contextTokens, generatedTokens } = this.#columns;
    const needed = Math.max(timestamp, contextTokens, generatedTokens) + 1;
    if (record.length < needed) {
      if (isLastCut) throw truncated(place);
      const message = `the line has ${record.length} columns, not the ${needed} it needs`;
      throw new TraceError('trace_line_invalid', message, place);
    }
    const atMs = parseTimestamp(record[timestamp] ?? '');
    if (atMs === null) {
      const message = `TIMESTAMP must be a date or seconds, not "${record[timestamp] ?? ''}"`;
      throw new TraceError('trace_value_invalid', message, place);
    }
    this.#order.check(atMs, place);
    this.#builder.add({
      atMs,
      promptTokens: Math.max(1, readCount(record[contextTokens], 'ContextTokens', place)),
      outputTokens: readCount(record[generatedTokens], 'GeneratedTokens', place),
      maxTokens: null,
      tenant: 'all',
      adapter: null,
      blocks: [],
    });
  }
}

type Place = { readonly path: string; readonly line: number };

function readCount(cell: string | undefined, field: string, place: Place): number {
  return checkTokens(cell !== undefined && /^\d+$/.test(cell) ? Number(cell) : cell, field, place);
}

function findColumns(head: readonly string[], place: Place): ColumnIndexes {
  const names = head.map((name) => name.toLowerCase());
  const find = (column: keyof ColumnIndexes, shown: string): number => {
    const index = names.findIndex((name) => COLUMNS[column].includes(name));
    if (index >= 0) return index;
    const message = `there is no column ${shown}; the columns are ${head.join(', ')}`;
    throw new TraceError('trace_column_missing', message, place);
  };
  return {
    timestamp: find('timestamp', 'TIMESTAMP'),
    contextTokens: find('contextTokens', 'ContextTokens'),
    generatedTokens: find('generatedTokens', 'GeneratedTokens'),
  };
}

async function endsWithNewline(path: string, sizeBytes: number): Promise<boolean> {
  if (sizeBytes === 0) return true;
  const file = await open(path);
  try {
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, sizeBytes - 1);
    return buffer[0] === 10;
  } finally {
    await file.close();
  }
}
