import type { EndReason } from '../engine/counters.ts';
import type { ApiError, Exchange } from './exchange.ts';
import { Generation, type Choice, type GenerationUsage } from './generation.ts';
import { refusalError, type EngineHost } from './host.ts';
import type { SseStream } from './sse-stream.ts';

/** One finished choice. */
export interface ChoiceResult {
  readonly text: string;
  readonly reason: EndReason;
}

/** Usage of the generation so far. */
export type UsageReader = () => GenerationUsage;

/** Turns the progress of a generation into event frames of one API, one string per frame. */
export interface StreamEncoder {
  /** Before the first text of a choice. */
  begin(index: number): readonly string[];
  /** The text of one token, never empty. */
  text(index: number, text: string): string;
  /** After the last text of a choice. */
  finish(index: number, reason: EndReason): readonly string[];
  /** After all choices. */
  end(): readonly string[];
}

/** A request that is ready to run, and how its answer is written. */
export interface AnswerJob {
  readonly choices: readonly Choice[];
  readonly isStream: boolean;
  /** Whether usage counts the prompt of every choice, or of the first only (`n` choices of one). */
  readonly countedPrompts: 'first' | 'all';
  readonly sendError: (exchange: Exchange, error: ApiError) => void;
  createStream(usage: UsageReader): StreamEncoder;
  createBody(results: readonly ChoiceResult[], usage: GenerationUsage): object;
}

/** Runs a job and writes its answer; the generation is cancelled when the client goes away. */
export function runAnswer(exchange: Exchange, host: EngineHost, job: AnswerJob): void {
  if (job.isStream) runStream(exchange, host, job);
  else runBody(exchange, host, job);
}

function runBody(exchange: Exchange, host: EngineHost, job: AnswerJob): void {
  const results = job.choices.map(() => ({ text: '', reason: 'stop' as EndReason }));
  const generation: Generation = new Generation(host.driver, {
    onText: (index, text) => {
      const result = results[index];
      if (result !== undefined) result.text += text;
    },
    onChoiceEnd: (index, reason) => {
      const result = results[index];
      if (result !== undefined) result.reason = reason;
    },
    onEnd: () => {
      exchange.sendJson(200, job.createBody(results, generation.usage(job.countedPrompts)));
    },
  });
  start(exchange, host, { job, generation });
}

function runStream(exchange: Exchange, host: EngineHost, job: AnswerJob): void {
  // The head goes out once the engine has taken the request, and no token comes before that.
  let stream: SseStream | null = null;
  const begun = job.choices.map(() => false);
  const send = (frames: readonly string[]): void => {
    for (const frame of frames) stream?.write(frame);
  };
  const begin = (index: number): void => {
    if (begun[index] === true) return;
    begun[index] = true;
    send(encoder.begin(index));
  };
  const generation: Generation = new Generation(host.driver, {
    onText: (index, text) => {
      begin(index);
      if (text.length > 0) stream?.write(encoder.text(index, text));
    },
    onChoiceEnd: (index, reason) => {
      begin(index);
      send(encoder.finish(index, reason));
    },
    onEnd: () => {
      send(encoder.end());
      stream?.end();
    },
  });
  const encoder = job.createStream(() => generation.usage(job.countedPrompts));
  if (start(exchange, host, { job, generation })) stream = exchange.startStream();
}

function start(
  exchange: Exchange,
  host: EngineHost,
  work: { readonly job: AnswerJob; readonly generation: Generation },
): boolean {
  const refusal = work.generation.start(work.job.choices);
  if (refusal !== null) {
    work.job.sendError(exchange, refusalError(refusal, host));
    return false;
  }
  exchange.onAbort(() => {
    work.generation.cancel();
  });
  return true;
}
