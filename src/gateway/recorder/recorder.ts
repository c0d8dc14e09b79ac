import type { Clock, TimerHandle } from '../../core/clock.ts';
import type { FailureSink } from '../../core/spawn.ts';
import { spawn } from '../../core/spawn.ts';
import type { EndedFlight, RefusedRequest, RequestObserver } from '../../director/ports.ts';
import type { RequestHead } from '../../director/types.ts';
import type { PromptBlocks } from '../../protocol/request/prompt-blocks.ts';
import type { LineRecord } from '../../protocol/recording/line-input.ts';
import { RecordingLineWriter } from '../../protocol/recording/line-writer.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { MetricsRegistry } from '../../telemetry/registry.ts';
import type { CounterSeries } from '../../telemetry/series.ts';
import { LineBatch, type LineTools } from './batch.ts';
import { EndedList, type EndedRequest } from './ended-list.ts';
import { PendingHashes } from './pending-hashes.ts';
import { reasonOf } from './file-reason.ts';
import { blocksOfFlight, blocksOfRefusal, describeRefusal } from './lines.ts';
import { RecordingSecrets } from './secrets.ts';
import { Tenants } from './tenants.ts';

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

/** Requests wait no longer than this to be written: a crash loses at most a second. */
const FLUSH_MS = 500;

/**
 * Requests that are turned into lines at once. For each by itself the code would have to come from
 * far off in the processor's caches; of more, what they left behind would.
 */
const ENDED_MAX = 16;

/** Batches at once: 9 MB, what a disk may take its time for. More lines are dropped. */
const BATCHES_MAX = 16;

/** How often the file is looked at for what others do to it. */
const VERIFY_MS = 5000;

/** A request at its end. */
interface Ending {
  readonly head: RequestHead;
  readonly record: LineRecord;
  /** `Clock.now` when the director first saw it. */
  readonly startedAtMs: number;
}

/** Writes a line for every request that the director was given. Holds no prompt. */
export class Recorder implements RequestObserver {
  readonly #sink: LineSink;
  readonly #parts: RecorderParts;
  readonly #secrets: RecordingSecrets = new RecordingSecrets();
  readonly #tools: LineTools = {
    writer: new RecordingLineWriter(),
    hashes: new PendingHashes(this.#secrets),
  };
  readonly #tenants: Tenants = new Tenants(this.#secrets);
  readonly #ended: EndedList = new EndedList(ENDED_MAX);
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

  onEnded(flight: EndedFlight, served: PromptBlocks | null): void {
    this.#note(flight, blocksOfFlight(flight.head, served));
  }

  onRefused(refused: RefusedRequest): void {
    const { head, startedAtMs } = refused;
    this.#note({ head, startedAtMs, record: describeRefusal(refused) }, blocksOfRefusal(head));
  }

  /** Writes what is left and closes the file. Requests that end later are not recorded. */
  async close(): Promise<void> {
    this.#closing ??= this.#finish();
    await this.#closing;
  }

  async #finish(): Promise<void> {
    if (this.#timer !== null) this.#parts.clock.clearTimer(this.#timer);
    this.#flush();
    await this.#writing;
    await this.#sink.close();
  }

  #note({ head, record, startedAtMs }: Ending, blocks: PromptBlocks): void {
    if (this.#closing !== null) return;
    const ended = this.#ended.take();
    ended.record = record;
    ended.credential = head.credential;
    ended.blocks = blocks;
    ended.atMs = startedAtMs - this.#startedAtMs;
    ended.promptBytes = head.promptBytes;
    if (this.#ended.isFull) this.#makeLines();
    if (this.#timer === null) this.#startTimer();
  }

  /** It runs on when a batch is full before: setting one for each batch would cost more. */
  #startTimer(): void {
    this.#timer = this.#parts.clock.setTimer(FLUSH_MS, () => {
      this.#timer = null;
      this.#flush();
    });
  }

  /** Makes lines of what has ended, and has them written. */
  #flush(): void {
    this.#makeLines();
    this.#send();
  }

  #makeLines(): void {
    this.#ended.drain(this.#addLine);
    if (this.#batch?.isFull === true) this.#send();
  }

  readonly #addLine = (ended: EndedRequest): void => {
    if (this.#batch?.isFull === true) this.#send();
    this.#batch ??= this.#free.pop() ?? this.#createBatch();
    ended.tenant = this.#tenants.find(ended.credential);
    if (this.#batch === null) this.#drop();
    else if (!this.#batch.add(ended)) this.#dropped.too_long.add(1);
  };

  /** Null when all batches wait for the disk. */
  #createBatch(): LineBatch | null {
    if (this.#batchCount >= BATCHES_MAX) return null;
    this.#batchCount += 1;
    return new LineBatch(this.#tools);
  }

  #drop(): void {
    this.#dropped.slow_disk.add(1);
    if (this.#isFailing) return;
    this.#isFailing = true;
    const { path } = this.#sink;
    this.#parts.log.error({ path }, 'recording: the disk is too slow; requests are left out');
  }

  #send(): void {
    if (this.#batch === null || this.#batch.lineCount === 0) return;
    this.#batch.seal();
    this.#queue.push(this.#batch);
    this.#batch = null;
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
      await this.#sink.append(batch.bytes);
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
