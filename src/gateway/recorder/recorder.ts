import type { Clock, TimerHandle } from '../../core/clock.ts';
import type { FailureSink } from '../../core/spawn.ts';
import { spawn } from '../../core/spawn.ts';
import type { EndedFlight, RefusedRequest, RequestObserver } from '../../director/ports.ts';
import type { PromptBlocks } from '../../protocol/request/prompt-blocks.ts';
import { RecordingLineWriter } from '../../protocol/recording/line-writer.ts';
import { LineRow } from '../../protocol/recording/row.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { MetricsRegistry } from '../../telemetry/registry.ts';
import type { CounterSeries } from '../../telemetry/series.ts';
import { LineBatch } from './batch.ts';
import { EndedList } from './ended-list.ts';
import { PendingHashes } from './pending-hashes.ts';
import type { SealedHashes } from './sealed-hashes.ts';
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

/** Requests that are turned into lines at once: 0.2 ms. More would hold up streams. */
const ENDED_MAX = 512;

/** Batches at once: 9 MB, what a disk may take its time for. More lines are dropped. */
const BATCHES_MAX = 16;

/** So many hashes are made into lines as well: 128 KiB of text. */
const HASHES_MAX = 16_384;

/** How often the file is looked at for what others do to it. */
const VERIFY_MS = 5000;

/** Writes a line for every request that the director was given. Holds no prompt. */
export class Recorder implements RequestObserver {
  readonly #sink: LineSink;
  readonly #parts: RecorderParts;
  readonly #secrets: RecordingSecrets = new RecordingSecrets();
  readonly #writer: RecordingLineWriter = new RecordingLineWriter();
  readonly #pending: PendingHashes = new PendingHashes(this.#secrets);
  readonly #tenants: Tenants = new Tenants(this.#secrets);
  readonly #ended: EndedList = new EndedList(ENDED_MAX);
  readonly #row: LineRow = new LineRow();
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
    if (this.#closing !== null) return;
    const { head } = flight;
    const blocks = blocksOfFlight(head, served);
    this.#ended.addFlight(flight, {
      originMs: this.#startedAtMs,
      tenant: this.#tenants.find(head.credential).value,
      blockCount: blocks.count,
    });
    this.#noteAdded(blocks);
  }

  onRefused(refused: RefusedRequest): void {
    if (this.#closing !== null) return;
    const { head } = refused;
    const blocks = blocksOfRefusal(head);
    const row = describeRefusal(refused, {
      originMs: this.#startedAtMs,
      blockCount: blocks.count,
    });
    this.#ended.addRefusal(row, this.#tenants.find(head.credential).value);
    this.#noteAdded(blocks);
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

  #noteAdded(blocks: PromptBlocks): void {
    if (blocks.count > 0) this.#pending.add(blocks);
    if (this.#ended.isFull || this.#pending.count >= HASHES_MAX) this.#makeLines();
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

  /**
   * Many at once, so that their hashes are encrypted in one call: between two requests all else
   * that a gateway does pushes the code for it out of the processor's caches.
   */
  #makeLines(): void {
    const ended = this.#ended;
    if (ended.count === 0) return;
    const hashes = this.#pending.take();
    for (let index = 0; index < ended.count; index += 1) {
      ended.copyTo(this.#row, index);
      this.#addLine(hashes);
    }
    ended.clear();
    if (this.#batch?.isFull === true) this.#send();
  }

  #addLine(hashes: SealedHashes): void {
    if (this.#batch?.isFull === true) this.#send();
    this.#batch ??= this.#free.pop() ?? this.#createBatch();
    if (this.#batch !== null && this.#batch.add(this.#row, hashes)) return;
    hashes.skip(this.#row.blockCount);
    if (this.#batch === null) this.#drop();
    else this.#dropped.too_long.add(1);
  }

  /** Null when all batches wait for the disk. */
  #createBatch(): LineBatch | null {
    if (this.#batchCount >= BATCHES_MAX) return null;
    this.#batchCount += 1;
    return new LineBatch(this.#writer);
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
