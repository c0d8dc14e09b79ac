import { must } from '../../core/assert.ts';
import { createRequest } from '../workloads/request.ts';
import type { LabRequest, PromptSegment } from '../workloads/types.ts';
import { NumberColumn, TextNumbers } from './columns.ts';
import type { Trace, TraceFormat, TraceStats } from './types.ts';

/** One request as a reader finds it. */
export interface TraceEntry {
  /** On any time axis; the earliest entry of all becomes 0. */
  readonly atMs: number;
  readonly promptTokens: number;
  /** Null when the trace does not say; the mean of the others is used. */
  readonly outputTokens: number | null;
  readonly maxTokens: number | null;
  readonly tenant: string;
  readonly adapter: string | null;
  /** Hashes of the prompt's blocks in order; whole numbers, equal for equal content. */
  readonly blocks: readonly number[];
}

/** What is known of a trace when all of it has been read. */
export interface TraceEnd {
  readonly name: string;
  readonly format: TraceFormat;
  /** Tokens of a block. */
  readonly blockTokens: number;
  readonly speed: number;
  readonly warnings: readonly string[];
}

/** Output of requests of a trace in which no request says any. */
const UNKNOWN_OUTPUT_TOKENS = 256;
/** In a column of numbers that are 0 or more. */
const NONE = -1;

/**
 * Collects the requests of a trace in columns: about 40 bytes a request and 4 bytes a block, and a
 * map of the distinct blocks.
 */
export class TraceBuilder {
  readonly #atMs = new NumberColumn((length) => new Float64Array(length));
  readonly #promptTokens = new NumberColumn((length) => new Uint32Array(length));
  readonly #outputTokens = new NumberColumn((length) => new Int32Array(length));
  readonly #maxTokens = new NumberColumn((length) => new Int32Array(length));
  readonly #tenant = new NumberColumn((length) => new Uint32Array(length));
  readonly #adapter = new NumberColumn((length) => new Int32Array(length));
  readonly #blocksEnd = new NumberColumn((length) => new Uint32Array(length));
  readonly #blocks = new NumberColumn((length) => new Uint32Array(length));
  readonly #tenants = new TextNumbers();
  readonly #adapters = new TextNumbers();
  readonly #blockIds = new Map<number, number>();
  readonly #keepsAdapters: boolean;
  #distinctBlocks = 0;

  constructor({ keepsAdapters }: { readonly keepsAdapters: boolean }) {
    this.#keepsAdapters = keepsAdapters;
  }

  get count(): number {
    return this.#atMs.size;
  }

  add(entry: TraceEntry): void {
    this.#atMs.push(entry.atMs);
    this.#promptTokens.push(entry.promptTokens);
    this.#outputTokens.push(entry.outputTokens ?? NONE);
    this.#maxTokens.push(entry.maxTokens ?? NONE);
    this.#tenant.push(this.#tenants.numberOf(entry.tenant));
    const adapter = this.#keepsAdapters ? entry.adapter : null;
    this.#adapter.push(adapter === null ? NONE : this.#adapters.numberOf(adapter));
    for (const hash of entry.blocks) this.#blocks.push(this.#blockIdOf(hash));
    this.#blocksEnd.push(this.#blocks.size);
  }

  /** From here on equal hashes mean nothing to those before. */
  forgetBlocks(): void {
    this.#blockIds.clear();
  }

  /** The trace, in order of time; requests of one time stay in order of the file. */
  build(end: TraceEnd): Trace {
    this.#blockIds.clear();
    const order = Uint32Array.from({ length: this.count }, (_, index) => index);
    order.sort((a, b) => this.#atMs.at(a) - this.#atMs.at(b) || a - b);
    const startMs = this.count === 0 ? 0 : this.#atMs.at(order[0] as number);
    const typicalOutput = this.#meanOutput();
    const rowOf = (index: number): number => must(order[index], 'a request of the trace');
    const atMsOf = (index: number): number => (this.#atMs.at(rowOf(index)) - startMs) / end.speed;
    const requestAt = (index: number): LabRequest => {
      const row = rowOf(index);
      const { id, segments } = this.#promptOf(row, end.blockTokens);
      const output = this.#outputTokens.at(row);
      const maxTokens = this.#maxTokens.at(row);
      const adapter = this.#adapter.at(row);
      return createRequest({
        atMs: atMsOf(index),
        session: index,
        tenant: must(this.#tenants.texts[this.#tenant.at(row)], 'a tenant'),
        adapter: adapter === NONE ? null : must(this.#adapters.texts[adapter], 'an adapter'),
        segments,
        output: { id: id + 1, tokens: Math.max(1, output === NONE ? typicalOutput : output) },
        maxTokens: maxTokens === NONE ? null : maxTokens,
      });
    };
    return {
      name: end.name,
      format: end.format,
      count: this.count,
      requestAt,
      atMsOf,
      stats: this.#measure(end.blockTokens, this.count === 0 ? 0 : atMsOf(this.count - 1)),
      adapters: [...this.#adapters.texts].sort(),
      warnings: end.warnings,
    };
  }

  #blockIdOf(hash: number): number {
    const known = this.#blockIds.get(hash);
    if (known !== undefined) return known;
    const id = this.#distinctBlocks;
    this.#distinctBlocks += 1;
    this.#blockIds.set(hash, id);
    return id;
  }

  /** Ids of blocks come first, then two of each request: what no block covers, and its output. */
  #promptOf(row: number, blockTokens: number): { id: number; segments: PromptSegment[] } {
    const id = this.#distinctBlocks + 2 * row;
    const segments: PromptSegment[] = [];
    let left = this.#promptTokens.at(row);
    const end = this.#blocksEnd.at(row);
    for (let at = row === 0 ? 0 : this.#blocksEnd.at(row - 1); at < end && left > 0; at += 1) {
      const tokens = Math.min(blockTokens, left);
      segments.push({ id: this.#blocks.at(at), tokens });
      left -= tokens;
    }
    if (left > 0) segments.push({ id, tokens: left });
    return { id, segments };
  }

  #meanOutput(): number {
    let known = 0;
    let sum = 0;
    for (let row = 0; row < this.count; row += 1) {
      const tokens = this.#outputTokens.at(row);
      if (tokens === NONE) continue;
      known += 1;
      sum += tokens;
    }
    return known === 0 ? UNKNOWN_OUTPUT_TOKENS : Math.round(sum / known);
  }

  #measure(blockTokens: number, spanMs: number): TraceStats {
    const requests = this.count;
    const prompt = sumAndMax(requests, (row) => this.#promptTokens.at(row));
    const typical = this.#meanOutput();
    const output = sumAndMax(requests, (row) => {
      const tokens = this.#outputTokens.at(row);
      return tokens === NONE ? typical : tokens;
    });
    return {
      requests,
      spanMs,
      requestsPerSecond: spanMs > 0 ? ((requests - 1) * 1000) / spanMs : 0,
      promptTokensMean: prompt.sum / Math.max(1, requests),
      promptTokensMax: prompt.max,
      outputTokensMean: output.sum / Math.max(1, requests),
      outputTokensMax: output.max,
      repeatedShare: this.#countRepeated(blockTokens) / Math.max(1, prompt.sum),
      tenants: this.#tenants.texts.length,
    };
  }

  #countRepeated(blockTokens: number): number {
    const isSeen = new Uint8Array(this.#distinctBlocks);
    let repeated = 0;
    let at = 0;
    for (let row = 0; row < this.count; row += 1) {
      let left = this.#promptTokens.at(row);
      for (; at < this.#blocksEnd.at(row); at += 1) {
        const tokens = Math.min(blockTokens, left);
        if (isSeen[this.#blocks.at(at)] === 1) repeated += tokens;
        isSeen[this.#blocks.at(at)] = 1;
        left -= tokens;
      }
    }
    return repeated;
  }
}

function sumAndMax(
  count: number,
  valueAt: (index: number) => number,
): { readonly sum: number; readonly max: number } {
  let sum = 0;
  let max = 0;
  for (let index = 0; index < count; index += 1) {
    const value = valueAt(index);
    sum += value;
    if (value > max) max = value;
  }
  return { sum, max };
}
