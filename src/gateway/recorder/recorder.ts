import type { Clock, TimerHandle } from '../../core/clock.ts';
import { ERRORS } from '../../core/errors.ts';
import type { FailureSink } from '../../core/spawn.ts';
import { spawn } from '../../core/spawn.ts';
import type { EndedFlight, RefusedRequest, RequestObserver } from '../../director/ports.ts';
import type { RequestHead } from '../../director/types.ts';
import { type RecordedLine, RecordingLineWriter } from '../../protocol/recording/line-writer.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { MetricsRegistry } from '../../telemetry/registry.ts';
import type { CounterSeries } from '../../telemetry/series.ts';
import { LineBatch, type LineTools } from './batch.ts';
import { PendingHashes } from './pending-hashes.ts';
import { reasonOf } from './file-reason.ts';
import { RecordingSecrets } from './secrets.ts';

/** Where lines go: a file. Calls do not overlap. */
export interface LineSink {
  readonly path: string;
  /** Appends whole lines; rejects when none of them was written. */
  append(lines: Uint8Array): Promise<void>;
  /** False when something else writes there too. */
  verify(): Promise<boolean>;
  close(): Promise<void>;
}

/** What a recorder uses of the process. */
export interface RecorderParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
  readonly onFailure: FailureSink;
}

/** Lines wait no longer than this before they are written: a crash loses at most a second. */
const FLUSH_MS = 500;

/** Batches at once: 10 MB, what a disk may take its time for. More lines are dropped. */
const BATCHES_MAX = 32;

/** How often the file is looked at for what others do to it. */
const VERIFY_MS = 1000;

/**
 * One salt for all models and pools: a prompt has the same hashes wherever it went, so that replay
 * may send it elsewhere. Which model it was for is in the line.
 */
const SALT = '';

/** As the estimator assumes of a model it has seen nothing of. */
const BYTES_PER_TOKEN = 4;

/** Writes a line for every request that the director was given. Holds no prompt. */
export class Recorder implements RequestObserver {
  readonly #sink: LineSink;
  readonly #parts: RecorderParts;
  readonly #secrets: RecordingSecrets = new RecordingSecrets();
  readonly #tools: LineTools = {
    writer: new RecordingLineWriter(),
    pending: new PendingHashes(this.#secrets),
  };
  /** `Clock.now` at the start of the recording. */
  readonly #startedAtMs: number;
  #batch: LineBatch | null = null;
  readonly #queue: LineBatch[] = [];
  readonly #free: LineBatch[] = [];
  #batchCount = 0;
  #timer: TimerHandle | null = null;
  #writing: Promise<void> | null = null;
  #verifiedAtMs: number;
  #isFailing = false;
  /** Somebody else writes to the file: nothing is written any more. */
  #isUsurped = false;
  /** Null until it is being closed. */
  #closing: Promise<void> | null = null;
  readonly #recorded: CounterSeries;
  readonly #dropped: Readonly<Record<'slow_disk' | 'write_failed' | 'too_long', CounterSeries>>;

  /** The recording starts now. */
  constructor(sink: LineSink, parts: RecorderParts) {
    const { metrics, clock } = parts;
    this.#sink = sink;
    this.#parts = parts;
    this.#startedAtMs = clock.now();
    this.#verifiedAtMs = this.#startedAtMs;
    this.#recorded = metrics.counter('penstock_recorded_requests_total');
    this.#dropped = {
      slow_disk: metrics.counter('penstock_recording_dropped_total', ['slow_disk']),
      write_failed: metrics.counter('penstock_recording_dropped_total', ['write_failed']),
      too_long: metrics.counter('penstock_recording_dropped_total', ['too_long']),
    };
  }

  onEnded({ head, record, startedAtMs }: EndedFlight): void {
    const { attempts, promptTokens } = record;
    const last = attempts[attempts.length - 1];
    const blocks = head.promptBlocks(SALT);
    const line: RecordedLine = {
      atMs: startedAtMs - this.#startedAtMs,
      api: head.api.id,
      model: head.model,
      adapter: record.adapter,
      pool: record.pool,
      endpoint: last === undefined ? null : last.endpoint,
      tenant: this.#tenantOf(head),
      stream: head.isStream,
      promptBytes: head.promptBytes,
      promptTokens: promptTokens === null ? record.promptTokensEstimate : promptTokens,
      tokensFrom: promptTokens === null ? 'estimate' : 'usage',
      maxTokens: head.maxTokens,
      outputTokens: record.completionTokens,
      cachedTokens: record.cachedTokens,
      ttftMs: head.isStream ? record.ttftMs : null,
      tpotMs: record.tpotMs,
      durationMs: record.durationMs ?? 0,
      outcome: record.outcome ?? 'completed',
      status: record.status ?? 0,
      attempts: attempts.length,
      blockCount: blocks.count,
    };
    this.#add(line, blocks.hashes);
  }

  onRefused({ head, refusal, model, pool, promptTokens, ...times }: RefusedRequest): void {
    const blocks = head.promptBlocks(SALT);
    const line: RecordedLine = {
      atMs: times.startedAtMs - this.#startedAtMs,
      api: head.api.id,
      // A name that is not known may be anything that a client has sent.
      model: model === null ? null : head.model,
      adapter: null,
      pool,
      endpoint: null,
      tenant: this.#tenantOf(head),
      stream: head.isStream,
      promptBytes: head.promptBytes,
      promptTokens: promptTokens ?? Math.ceil(head.promptBytes / BYTES_PER_TOKEN),
      tokensFrom: 'estimate',
      maxTokens: head.maxTokens,
      outputTokens: null,
      cachedTokens: null,
      ttftMs: null,
      tpotMs: null,
      durationMs: times.refusedAtMs - times.startedAtMs,
      outcome: 'rejected',
      status: ERRORS[refusal.code].status,
      attempts: 0,
      blockCount: blocks.count,
    };
    this.#add(line, blocks.hashes);
  }

  /** Writes what is left and closes the file. Requests that end later are not recorded. */
  async close(): Promise<void> {
    this.#closing ??= this.#finish();
    await this.#closing;
  }

  async #finish(): Promise<void> {
    this.#flush();
    await this.#writing;
    await this.#sink.close();
  }

  #tenantOf(head: RequestHead): string | null {
    const credential =
      head.header('authorization') ?? head.header('x-api-key') ?? head.header('api-key');
    return credential === null ? null : this.#secrets.tenantOf(credential);
  }

  #add(line: RecordedLine, hashes: Uint32Array): void {
    if (this.#closing !== null) return;
    if (this.#isUsurped) {
      this.#dropped.write_failed.add(1);
      return;
    }
    const batch = this.#batch ?? this.#startBatch();
    if (batch === null) this.#drop();
    else if (!batch.add(line, hashes, this.#tools)) this.#dropped.too_long.add(1);
    else if (batch.isFull) this.#flush();
  }

  /** Null when all batches wait for the disk. */
  #startBatch(): LineBatch | null {
    const batch = this.#free.pop() ?? this.#createBatch();
    if (batch === null) return null;
    this.#batch = batch;
    this.#timer = this.#parts.clock.setTimer(FLUSH_MS, () => {
      this.#flush();
    });
    return batch;
  }

  #createBatch(): LineBatch | null {
    if (this.#batchCount >= BATCHES_MAX) return null;
    this.#batchCount += 1;
    return new LineBatch();
  }

  #drop(): void {
    if (!this.#isFailing) {
      this.#parts.log.error(
        { path: this.#sink.path },
        'recording: the disk is too slow; requests are left out',
      );
      this.#isFailing = true;
    }
    this.#dropped.slow_disk.add(1);
  }

  #flush(): void {
    const batch = this.#batch;
    if (batch === null) return;
    if (this.#timer !== null) this.#parts.clock.clearTimer(this.#timer);
    this.#batch = null;
    batch.seal(this.#tools.pending);
    this.#queue.push(batch);
    if (this.#writing !== null) return;
    this.#writing = this.#writeAll();
    spawn('recording', this.#writing, this.#parts.onFailure);
  }

  async #writeAll(): Promise<void> {
    for (let batch = this.#queue.shift(); batch !== undefined; batch = this.#queue.shift()) {
      await this.#write(batch);
      batch.clear();
      this.#free.push(batch);
    }
    this.#writing = null;
  }

  async #write(batch: LineBatch): Promise<void> {
    try {
      if (!this.#isUsurped) await this.#verify();
      if (this.#isUsurped) {
        this.#dropped.write_failed.add(batch.lineCount);
        return;
      }
      await this.#sink.append(batch.bytes.subarray(0, batch.length));
      this.#recorded.add(batch.lineCount);
      this.#noteSuccess();
    } catch (cause) {
      this.#dropped.write_failed.add(batch.lineCount);
      this.#noteFailure(cause);
    }
  }

  async #verify(): Promise<void> {
    const { clock, log } = this.#parts;
    const nowMs = clock.now();
    if (nowMs - this.#verifiedAtMs < VERIFY_MS) return;
    this.#verifiedAtMs = nowMs;
    if (await this.#sink.verify()) return;
    this.#isUsurped = true;
    log.error(
      { path: this.#sink.path },
      'recording stopped: something else writes to the file; give every process its own',
    );
  }

  #noteFailure(cause: unknown): void {
    if (this.#isFailing) return;
    this.#isFailing = true;
    this.#parts.log.error(
      { path: this.#sink.path, reason: reasonOf(cause), err: cause },
      'recording: the file cannot be written; requests are left out until it can',
    );
  }

  #noteSuccess(): void {
    // After a slow time there is room again only when nothing waits.
    if (!this.#isFailing || this.#queue.length > 0) return;
    this.#isFailing = false;
    this.#parts.log.info({ path: this.#sink.path }, 'recording goes on');
  }
}
