import type { GoodputObjective, LabRequest } from '../workloads/types.ts';
import type { AnswerReader } from './answer-reader.ts';
import { FailureGroups } from './failure-groups.ts';
import type { LoadFailure } from './load-failure.ts';
import { SampleList } from './sample-list.ts';

/** A request that has ended. Times in milliseconds from the start of the run. */
export interface EndedRequest {
  readonly request: LabRequest;
  readonly sizeBytes: number;
  /** When it was to be sent. */
  readonly scheduledAtMs: number;
  /** When it was handed to the connection. */
  readonly sentAtMs: number;
  readonly endedAtMs: number;
  /** Its times are from the start of the run too. */
  readonly answer: AnswerReader;
  /** Null when it succeeded. */
  readonly failure: LoadFailure | null;
}

/** Latencies that depend on where one counts from. */
export class LatencySamples {
  readonly ttftMs: SampleList = new SampleList();
  readonly e2eMs: SampleList = new SampleList();
  readonly perTokenMs: SampleList = new SampleList();
}

/** What a run has measured; requests that begin in the warm-up are counted apart. */
export class LoadCollector {
  readonly #warmUpMs: number;
  readonly #objective: GoodputObjective;
  /** From when a request was to be sent: what a user waits who does not care for the client. */
  readonly fromSchedule: LatencySamples = new LatencySamples();
  readonly fromSending: LatencySamples = new LatencySamples();
  readonly tpotMs: SampleList = new SampleList();
  readonly itlMs: SampleList = new SampleList();
  readonly scheduleDelayMs: SampleList = new SampleList();
  readonly sizeBytes: SampleList = new SampleList();
  readonly promptTokens: SampleList = new SampleList();
  readonly outputTokens: SampleList = new SampleList();
  /** Output tokens as counted here: chunks with text. */
  readonly outputChunks: SampleList = new SampleList();
  readonly failedMs: SampleList = new SampleList();
  readonly failures: FailureGroups = new FailureGroups();
  cachedTokens = 0;
  mismatches = 0;
  goodRequests = 0;
  goodTokens = 0;
  /** Requests that counted, failed ones included. */
  counted = 0;
  warmUpRequests = 0;
  firstScheduledMs: number = Number.POSITIVE_INFINITY;
  lastScheduledMs = 0;
  firstSentMs: number = Number.POSITIVE_INFINITY;
  lastSentMs = 0;
  lastEndMs = 0;

  constructor(options: { readonly warmUpMs: number; readonly objective: GoodputObjective }) {
    this.#warmUpMs = options.warmUpMs;
    this.#objective = options.objective;
  }

  /** Requests that counted and succeeded. */
  get succeeded(): number {
    return this.fromSchedule.e2eMs.count;
  }

  /** From the first counted request's sending to the last one's end, in milliseconds. */
  get spanMs(): number {
    return this.counted === 0 ? 0 : this.lastEndMs - this.firstSentMs;
  }

  note(ended: EndedRequest): void {
    if (ended.scheduledAtMs < this.#warmUpMs) {
      this.warmUpRequests += 1;
      return;
    }
    this.counted += 1;
    this.scheduleDelayMs.add(ended.sentAtMs - ended.scheduledAtMs);
    this.firstScheduledMs = Math.min(this.firstScheduledMs, ended.scheduledAtMs);
    this.lastScheduledMs = Math.max(this.lastScheduledMs, ended.scheduledAtMs);
    this.firstSentMs = Math.min(this.firstSentMs, ended.sentAtMs);
    this.lastSentMs = Math.max(this.lastSentMs, ended.sentAtMs);
    this.lastEndMs = Math.max(this.lastEndMs, ended.endedAtMs);
    if (ended.failure === null) this.#success(ended);
    else {
      this.failures.note(ended.failure);
      this.failedMs.add(ended.endedAtMs - ended.scheduledAtMs);
    }
  }

  #success(ended: EndedRequest): void {
    const { request, answer, scheduledAtMs, sentAtMs } = ended;
    const { usage, chunks, gapsMs } = answer;
    const promptTokens = usage.promptTokens ?? request.promptTokens;
    const outputTokens = usage.completionTokens ?? chunks;
    this.sizeBytes.add(ended.sizeBytes);
    this.promptTokens.add(promptTokens);
    this.outputTokens.add(outputTokens);
    this.outputChunks.add(chunks);
    this.cachedTokens += Math.min(promptTokens, usage.cachedTokens ?? 0);
    if (usage.completionTokens !== null && usage.completionTokens !== chunks) this.mismatches += 1;
    addLatencies(this.fromSchedule, ended, { fromMs: scheduledAtMs, outputTokens });
    addLatencies(this.fromSending, ended, { fromMs: sentAtMs, outputTokens });
    const tpotMs = tpotOf(answer, outputTokens);
    if (tpotMs !== null) this.tpotMs.add(tpotMs);
    for (const gapMs of gapsMs) this.itlMs.add(gapMs);
    if (this.#isGood(ended, tpotMs)) {
      this.goodRequests += 1;
      this.goodTokens += promptTokens + outputTokens;
    }
  }

  /** A limit that cannot be judged, such as TTFT without a token, is not kept. */
  #isGood({ answer, scheduledAtMs, endedAtMs }: EndedRequest, tpotMs: number | null): boolean {
    const { ttftMs: ttftLimit, tpotMs: tpotLimit, e2eMs: e2eLimit } = this.#objective;
    const ttftMs = answer.firstAtMs === null ? null : answer.firstAtMs - scheduledAtMs;
    if (ttftLimit !== null && (ttftMs === null || ttftMs > ttftLimit)) return false;
    // An answer of one token has no gaps that could be too long.
    if (tpotLimit !== null && tpotMs !== null && tpotMs > tpotLimit) return false;
    return e2eLimit === null || endedAtMs - scheduledAtMs <= e2eLimit;
  }
}

/** From the first to the last token by the tokens after the first; null for fewer than two. */
function tpotOf(answer: AnswerReader, outputTokens: number): number | null {
  if (answer.firstAtMs === null || outputTokens < 2) return null;
  return (answer.lastAtMs - answer.firstAtMs) / (outputTokens - 1);
}

function addLatencies(
  samples: LatencySamples,
  { answer, endedAtMs }: EndedRequest,
  { fromMs, outputTokens }: { readonly fromMs: number; readonly outputTokens: number },
): void {
  const e2eMs = endedAtMs - fromMs;
  samples.e2eMs.add(e2eMs);
  if (answer.firstAtMs !== null) samples.ttftMs.add(answer.firstAtMs - fromMs);
  if (outputTokens > 0) samples.perTokenMs.add(e2eMs / outputTokens);
}
