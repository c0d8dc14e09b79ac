import assert from 'node:assert/strict';
import { EngineModel, type EngineModelOptions } from '../engine-model.ts';
import { createStepCosts } from '../step-time.ts';
import { PromptHasher, type PromptDigest } from '../prompt-digest.ts';
import type { EngineRequest, OutputPlan, Sequence, SequenceListener } from '../sequence.ts';

/** Round costs, so that tests can add them up by hand. */
const COSTS = createStepCosts({
  baseMs: 10,
  prefillTokenMs: 0.1,
  decodeSequenceMs: 1,
  decodeContextTokenMs: 0.01,
});

/** A small engine: 64 blocks of 4 tokens, 4 sequences, 64 tokens a step. */
export function createModel(options: Partial<EngineModelOptions> = {}): EngineModel {
  return new EngineModel({
    costs: COSTS,
    kvBlocks: 64,
    blockSizeTokens: 4,
    maxModelLenTokens: 256,
    maxNumSeqs: 4,
    maxNumBatchedTokens: 64,
    maxQueue: 100,
    isPrefixCaching: true,
    adapters: { slots: 2, cpuSlots: 3, loadMs: 500, activateMs: 50 },
    wakeMs: 100,
    deepWakeMs: 900,
    maxCatchUpMs: 0,
    ...options,
  });
}

/** Digest of the given token ids, salted with the adapter. */
export function promptOf(
  ids: readonly number[],
  options: { readonly blockSizeTokens?: number; readonly adapter?: string | null } = {},
): PromptDigest {
  const hasher = new PromptHasher(options.blockSizeTokens ?? 4, options.adapter ?? '');
  for (const id of ids) hasher.add(id);
  return hasher.digest();
}

/** The ids `first`, `first` + 1 and so on. */
export function idsFrom(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => first + index);
}

/** An output of `length` tokens whose ids start at `firstId`. */
export function outputOf(length: number, firstId = 1_000_000): OutputPlan {
  return { length, endReason: 'length', idAt: (index) => firstId + index };
}

/** Writes down what it hears as `time name event` lines. */
export class Recorder {
  readonly lines: string[] = [];
  ended = 0;

  listener(name: string): SequenceListener {
    return {
      onToken: (sequence, atMs) => {
        this.lines.push(`${atMs.toFixed(2)} ${name} token ${sequence.outputTokens}`);
      },
      onEnd: (_sequence, reason, atMs) => {
        this.ended += 1;
        this.lines.push(`${atMs.toFixed(2)} ${name} ${reason}`);
      },
    };
  }
}

const SILENT: SequenceListener = { onToken: () => undefined, onEnd: () => undefined };

/** A request for `length` output tokens. */
export function requestOf(
  ids: readonly number[],
  length: number,
  extra: Partial<EngineRequest> = {},
): EngineRequest {
  const adapter = extra.adapter ?? null;
  return {
    prompt: promptOf(ids, { adapter }),
    output: outputOf(length),
    adapter,
    listener: SILENT,
    ...extra,
  };
}

/** Submits and expects the request to be taken. */
export function submitOk(model: EngineModel, request: EngineRequest, nowMs: number = 0): Sequence {
  const submission = model.submit(request, nowMs);
  assert.ok(submission.ok, submission.ok ? '' : submission.reason);
  return submission.sequence;
}

/** Steps an engine exactly on time until it is idle; returns the time of the last step. */
export function runUntilIdle(
  model: EngineModel,
  untilMs: number = Number.POSITIVE_INFINITY,
): number {
  let nowMs = 0;
  for (let steps = 0; steps < 200_000; steps += 1) {
    const nextMs = model.nextStepAtMs();
    if (nextMs > untilMs || nextMs === Number.POSITIVE_INFINITY) return nowMs;
    nowMs = nextMs;
    model.step(nowMs);
  }
  throw new Error('the engine does not come to rest');
}
