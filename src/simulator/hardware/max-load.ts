import { assert } from '../../core/assert.ts';
import { EngineModel } from '../engine/engine-model.ts';
import { PromptHasher } from '../engine/prompt-digest.ts';
import type { OutputPlan } from '../engine/sequence.ts';
import { engineOptionsOf, type EngineProfile } from './profiles.ts';

/** What an engine gives when work never runs out. */
export interface MaxLoad {
  readonly outputTokensPerSecond: number;
  /** The same per accelerator, as throughput tables have it. */
  readonly perAccelerator: number;
  /** Sequences that ran at once. */
  readonly concurrency: number;
}

// Rounds of a full batch: the first and last, with the batch filling and emptying, weigh little.
const ROUNDS = 4;
const MAX_STEPS = 10_000_000;

/**
 * Throughput of one engine under endless equal requests that share no prefix, with no more of them
 * at once than surely fit (as TensorRT-LLM schedules when it is measured). Runs in virtual time.
 */
export function measureMaxLoad(
  profile: EngineProfile,
  sizes: { readonly promptTokens: number; readonly outputTokens: number },
): MaxLoad {
  const { promptTokens, outputTokens } = sizes;
  const held = profile.kvBlocks * profile.blockSizeTokens;
  const fitting = Math.floor(held / (promptTokens + outputTokens));
  const concurrency = Math.min(profile.maxNumSeqs, fitting);
  assert(concurrency > 0, 'at least one request fits');
  const count = concurrency * ROUNDS;
  const options = { isPrefixCaching: false, maxNumSeqs: concurrency, maxQueue: count };
  const model = new EngineModel(engineOptionsOf(profile, options));
  // Nothing is looked up by its contents, so that all may have the same.
  const hasher = new PromptHasher(profile.blockSizeTokens, '');
  for (let index = 0; index < promptTokens; index += 1) hasher.add(index);
  const prompt = hasher.digest();
  const output: OutputPlan = { length: outputTokens, endReason: 'length', idAt: (index) => index };
  const listener = { onToken: () => undefined, onEnd: () => undefined };
  for (let index = 0; index < count; index += 1) {
    const submission = model.submit({ prompt, output, adapter: null, listener }, 0);
    assert(submission.ok, 'the request is taken');
  }
  const tokens = count * outputTokens;
  const perSecond = (tokens * 1000) / runToEnd(model);
  return {
    outputTokensPerSecond: perSecond,
    perAccelerator: perSecond / profile.accelerators,
    concurrency,
  };
}

function runToEnd(model: EngineModel): number {
  let nowMs = 0;
  for (let steps = 0; steps < MAX_STEPS; steps += 1) {
    const nextMs = model.nextStepAtMs();
    if (nextMs === Number.POSITIVE_INFINITY) return nowMs;
    nowMs = nextMs;
    model.step(nowMs);
  }
  assert(false, 'the engine comes to rest');
  return nowMs;
}
