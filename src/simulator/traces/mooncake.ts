import { checkTime, checkTokens, TimeOrder } from './check-values.ts';
import { TraceError } from './errors.ts';
import type { FileLine } from './lines.ts';
import type { TraceBuilder } from './trace-builder.ts';

/**
 * Reads the JSON lines that the Mooncake traces introduced: timestamp (ms), input_length,
 * output_length and hash_ids, one for each 512 tokens of the prompt, equal for equal prefixes.
 */
export class MooncakeReader {
  readonly #path: string;
  readonly #builder: TraceBuilder;
  readonly #blockTokens: number;
  readonly #order = new TimeOrder();

  constructor(path: string, builder: TraceBuilder, options: { readonly blockTokens: number }) {
    this.#path = path;
    this.#builder = builder;
    this.#blockTokens = options.blockTokens;
  }

  /** Throws a `TraceError` for a line that is not one of the format. */
  read(line: FileLine): void {
    const place = { path: this.#path, line: line.number };
    const fields = parseObject(line, this.#path);
    const atMs = checkTime(fields['timestamp'], 'timestamp', place);
    this.#order.check(atMs, place);
    const promptTokens = Math.max(1, checkTokens(fields['input_length'], 'input_length', place));
    const outputTokens = checkTokens(fields['output_length'], 'output_length', place);
    const blocks = checkHashIds(fields['hash_ids'], place);
    const whole = Math.ceil(promptTokens / this.#blockTokens);
    if (blocks.length > whole) {
      const message =
        `hash_ids has ${blocks.length} blocks, but ${promptTokens} tokens are ${whole} blocks ` +
        `of ${this.#blockTokens}; does the trace have another block size?`;
      throw new TraceError('trace_value_invalid', message, place);
    }
    this.#builder.add({
      atMs,
      promptTokens,
      outputTokens,
      maxTokens: null,
      tenant: 'all',
      adapter: null,
      blocks,
    });
  }
}

/** The object that a line is; a last line that breaks off is told apart from a broken one. */
function parseObject(line: FileLine, path: string): Readonly<Record<string, unknown>> {
  const place = { path, line: line.number };
  let parsed: unknown;
  try {
    parsed = JSON.parse(line.text);
  } catch (cause) {
    if (!line.isEnded) throw truncated(place);
    throw new TraceError('trace_line_invalid', 'the line is not JSON', { ...place, cause });
  }
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) {
    return parsed as Record<string, unknown>;
  }
  throw new TraceError('trace_line_invalid', 'the line is not a JSON object', place);
}

/** The error for a last line that breaks off. */
export function truncated(place: { readonly path: string; readonly line: number }): TraceError {
  const message = 'the last line breaks off: the file is incomplete; remove the line to go without';
  return new TraceError('trace_truncated', message, place);
}

function checkHashIds(
  value: unknown,
  place: { readonly path: string; readonly line: number },
): readonly number[] {
  // Some traces of this shape have no hashes: then nothing is shared.
  if (value === undefined || value === null) return [];
  if (Array.isArray(value) && value.every((id) => Number.isSafeInteger(id) && id >= 0)) {
    return value as number[];
  }
  const message = 'hash_ids must be a list of whole numbers from 0 up';
  throw new TraceError('trace_value_invalid', message, place);
}
