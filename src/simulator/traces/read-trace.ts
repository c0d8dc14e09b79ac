import { basename } from 'node:path';
import { isAzureHead, readAzure } from './azure.ts';
import { TraceError } from './errors.ts';
import { readLines } from './lines.ts';
import { MooncakeReader } from './mooncake.ts';
import { RecordingReader } from './recording.ts';
import { TraceBuilder } from './trace-builder.ts';
import type { ReadTraceHooks, ReadTraceOptions, Trace, TraceFormat } from './types.ts';

export type { ReadTraceOptions } from './types.ts';

/** Formats in the order of the documentation, with what tells them. */
export const TRACE_FORMATS: readonly { readonly format: TraceFormat; readonly shape: string }[] =
  Object.freeze([
    {
      format: 'mooncake',
      shape: 'JSON lines with timestamp, input_length, output_length, hash_ids',
    },
    { format: 'azure', shape: 'CSV with TIMESTAMP, ContextTokens, GeneratedTokens' },
    { format: 'penstock', shape: 'a recording of penstock up --record' },
  ]);

interface Settings {
  readonly format: TraceFormat | null;
  readonly speed: number;
  readonly limit: number;
  readonly adapters: 'keep' | 'drop';
  readonly blockTokens: number;
}

/** Tokens of a block in the Mooncake traces. */
const MOONCAKE_BLOCK_TOKENS = 512;

/**
 * Reads a whole trace into compact memory. Rejects with a `TraceError`, which names file and line,
 * for everything that is wrong with the file or the options.
 */
export async function readTrace(
  path: string,
  options: ReadTraceOptions,
  hooks: ReadTraceHooks = {},
): Promise<Trace> {
  const settings = parseOptions(options, path);
  const format = settings.format ?? (await detectFormat(path));
  const builder = new TraceBuilder({ keepsAdapters: settings.adapters === 'keep' });
  const read = { mooncake: readMooncake, azure: readCsv, penstock: readRecording }[format];
  const { blockTokens, warnings } = await read({ path, builder, settings, hooks });
  if (builder.count === 0) {
    throw new TraceError('trace_empty', 'there are no requests in it', { path, line: null });
  }
  const { speed } = settings;
  return builder.build({ name: basename(path), format, blockTokens, speed, warnings });
}

interface Reading {
  readonly path: string;
  readonly builder: TraceBuilder;
  readonly settings: Settings;
  readonly hooks: ReadTraceHooks;
}

interface Found {
  readonly blockTokens: number;
  readonly warnings: readonly string[];
}

async function readMooncake({ path, builder, settings, hooks }: Reading): Promise<Found> {
  const { blockTokens } = settings;
  const reader = new MooncakeReader(path, builder, { blockTokens });
  await readLines(path, (line) => readUpTo(settings.limit, builder, () => reader.read(line)), {
    ...hooks,
    countRequests: () => builder.count,
  });
  return { blockTokens, warnings: [] };
}

async function readRecording({ path, builder, settings, hooks }: Reading): Promise<Found> {
  const reader = new RecordingReader(path, builder);
  await readLines(path, (line) => readUpTo(settings.limit, builder, () => reader.read(line)), {
    ...hooks,
    countRequests: () => builder.count,
  });
  const warnings = reader.end();
  return { blockTokens: reader.blockTokens, warnings };
}

async function readCsv({ path, builder, settings, hooks }: Reading): Promise<Found> {
  await readAzure(path, builder, { ...hooks, limit: settings.limit });
  return { blockTokens: 1, warnings: [] };
}

function readUpTo(limit: number, builder: TraceBuilder, read: () => void): boolean {
  read();
  return builder.count < limit;
}

function parseOptions(options: ReadTraceOptions, path: string): Settings {
  const settings: Settings = {
    format: options.format ?? null,
    speed: options.speed ?? 1,
    limit: options.limit ?? Number.POSITIVE_INFINITY,
    adapters: options.adapters ?? 'keep',
    blockTokens: options.blockTokens ?? MOONCAKE_BLOCK_TOKENS,
  };
  const { speed, limit, blockTokens } = settings;
  const refuse = (message: string): never => {
    throw new TraceError('trace_option_invalid', message, { path, line: null });
  };
  if (!Number.isFinite(speed) || speed <= 0) refuse(`speed must be above 0, not ${speed}`);
  if (!(limit >= 1)) refuse(`the limit must be at least 1 request, not ${limit}`);
  if (!Number.isSafeInteger(blockTokens) || blockTokens < 1) {
    refuse(`a block must have at least 1 token, not ${blockTokens}`);
  }
  return settings;
}

async function detectFormat(path: string): Promise<TraceFormat> {
  let found: TraceFormat | null = null;
  let isEmpty = true;
  const inspect = ({ text }: { readonly text: string }): boolean => {
    isEmpty = false;
    found = formatOf(text);
    return false;
  };
  await readLines(path, inspect, { countRequests: () => 0 });
  if (found !== null) return found;
  const place = { path, line: isEmpty ? null : 1 };
  if (isEmpty) throw new TraceError('trace_empty', 'the file is empty', place);
  const known = TRACE_FORMATS.map(({ format, shape }) => `${format} (${shape})`).join('; ');
  const message = `the first line is of no known format; known are ${known}`;
  throw new TraceError('trace_format_unknown', message, place);
}

function formatOf(firstLine: string): TraceFormat | null {
  if (isAzureHead(firstLine)) return 'azure';
  if (!firstLine.trimStart().startsWith('{')) return null;
  // A single line that broke off is still told by what it begins with.
  if (/"penstockRecording"\s*:/.test(firstLine)) return 'penstock';
  return /"(timestamp|input_length|output_length|hash_ids)"\s*:/.test(firstLine)
    ? 'mooncake'
    : null;
}
