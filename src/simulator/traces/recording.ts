import type { ApiId } from '../../protocol/api-table.ts';
import { decodeRecordingLine } from '../../protocol/recording/decode.ts';
import type {
  RecordedRequest,
  RecordingHeader,
  RecordingProblem,
} from '../../protocol/recording/types.ts';
import { TraceError } from './errors.ts';
import type { FileLine } from './lines.ts';
import type { TraceBuilder } from './trace-builder.ts';

/** APIs that make an engine generate. */
const GENERATES: ReadonlySet<ApiId> = new Set<ApiId>([
  'chat-completions',
  'completions',
  'responses',
  'messages',
]);
/** APIs that make an engine compute a prompt: in the lab, a generation of one token. */
const ONLY_READS: ReadonlySet<ApiId> = new Set<ApiId>(['embeddings', 'rerank', 'score']);

/** The gateway's own estimate, for recordings in which no engine counted. */
const BYTES_PER_TOKEN = 4;

interface Problem {
  readonly line: number;
  readonly problem: RecordingProblem;
}

/**
 * Reads Penstock's own recordings. Requests are written when they end, so they are sorted
 * afterwards. A line that broke off in a crash, before a new session or at the file's end, is left
 * out with a warning; any other line that cannot be read is an error.
 */
export class RecordingReader {
  readonly #path: string;
  readonly #builder: TraceBuilder;
  readonly #warnings: string[] = [];
  #header: RecordingHeader | null = null;
  #problem: Problem | null = null;
  #skipped = 0;
  #unknownOutputs = 0;
  #countedTokens = 0;
  #countedBytes = 0;

  constructor(path: string, builder: TraceBuilder) {
    this.#path = path;
    this.#builder = builder;
  }

  read({ text, number }: FileLine): void {
    const decoded = decodeRecordingLine(text);
    if (this.#problem !== null && !(decoded.ok && decoded.value.kind === 'header')) {
      throw this.#asError(this.#problem);
    }
    if (this.#problem !== null) this.#forgive();
    if (!decoded.ok) this.#problem = { line: number, problem: decoded.error };
    else if (decoded.value.kind === 'header') this.#begin(decoded.value.header, number);
    else this.#add(decoded.value.request, number);
  }

  /** What was left out or guessed; call it after the last line. */
  end(): readonly string[] {
    if (this.#problem !== null) this.#forgive();
    if (this.#skipped > 0) {
      this.#warnings.push(`${this.#skipped} requests that ask an engine for nothing left out`);
    }
    if (this.#unknownOutputs > 0) {
      const count = this.#unknownOutputs;
      this.#warnings.push(`${count} requests without a count of output tokens get the mean`);
    }
    return this.#warnings;
  }

  /** Tokens of a block: of what engines counted, as many as its bytes are on average. */
  get blockTokens(): number {
    const blockBytes = this.#header?.blockBytes ?? 0;
    const tokensPerByte =
      this.#countedBytes > 0 ? this.#countedTokens / this.#countedBytes : 1 / BYTES_PER_TOKEN;
    return Math.max(1, Math.round(blockBytes * tokensPerByte));
  }

  /** A broken line that is not JSON was cut by a crash; other faults are not forgiven. */
  #forgive(): void {
    const found = this.#problem;
    this.#problem = null;
    if (found === null) return;
    if (found.problem.field !== null) throw this.#asError(found);
    this.#warnings.push(`line ${found.line} breaks off and was left out`);
  }

  #asError({ line, problem }: Problem): TraceError {
    const message = `${problem.field ?? 'the line'} ${problem.reason}`;
    return new TraceError('trace_line_invalid', message, { path: this.#path, line });
  }

  #begin(header: RecordingHeader, line: number): void {
    const before = this.#header;
    if (before !== null && before.blockBytes !== header.blockBytes) {
      const message = `blockBytes changes from ${before.blockBytes} to ${header.blockBytes}`;
      throw new TraceError('trace_value_invalid', message, { path: this.#path, line });
    }
    // Hashes are keyed: those of another session mean other prompts.
    if (before !== null && before.session !== header.session) this.#builder.forgetBlocks();
    this.#header = header;
  }

  #add(request: RecordedRequest, line: number): void {
    if (this.#header === null) {
      const message = 'a request comes before the header that begins a recording';
      throw new TraceError('trace_line_invalid', message, { path: this.#path, line });
    }
    const isGeneration = GENERATES.has(request.api);
    if ((!isGeneration && !ONLY_READS.has(request.api)) || request.promptTokens === 0) {
      this.#skipped += 1;
      return;
    }
    if (isGeneration && request.outputTokens === null) this.#unknownOutputs += 1;
    if (request.tokensFrom === 'usage') {
      this.#countedTokens += request.promptTokens;
      this.#countedBytes += request.promptBytes;
    }
    this.#builder.add({
      atMs: this.#header.startedAtMs + request.atMs,
      promptTokens: request.promptTokens,
      outputTokens: isGeneration ? request.outputTokens : 1,
      maxTokens: request.maxTokens,
      tenant: request.tenant ?? 'none',
      adapter: request.adapter,
      blocks: request.blocks,
    });
  }
}
