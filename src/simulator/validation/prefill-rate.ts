import { assert, must } from '../../core/assert.ts';
import { EngineModel } from '../engine/engine-model.ts';
import { engineOptionsOf, findProfile } from '../hardware/profiles.ts';
import { createPlainRequest } from './closed-form.ts';
import type { ValidationRow } from './row.ts';

interface PublishedPrefill {
  readonly profile: string;
  readonly tokensPerSecond: number;
  readonly cause: string;
}

// llm-d's calibration recipe for its prefix-cache-affinity-filter (August 2026), which gives the
// rate and not the length of its prompts.
const PUBLISHED: readonly PublishedPrefill[] = [
  {
    profile: 'h100x2-qwen3-32b',
    tokensPerSecond: 15_928,
    cause: '45 % of peak compute; newer engines reach 55 %',
  },
  {
    profile: 'h100-gpt-oss-120b',
    tokensPerSecond: 39_065,
    cause:
      'experts are given the same share of peak in prompts as in decoding, where tiles are empty',
  },
];
const PROMPT_TOKENS = 4096;
const PROMPTS = 32;

/** Prompt tokens a second of one server that only reads prompts. */
export function prefillRows(): readonly ValidationRow[] {
  return PUBLISHED.map(({ profile, tokensPerSecond, cause }) => ({
    setup: `\`${profile}\`, vLLM`,
    quantity: 'prompt tokens/s of a server at most',
    reference: tokensPerSecond,
    ours: measurePrefill(profile),
    unit: 'tokens/s',
    digits: 0,
    tolerance: null,
    cause,
  }));
}

function measurePrefill(name: string): number {
  const profile = must(findProfile(name), `profile ${name}`);
  const { blockSizeTokens } = profile;
  const model = new EngineModel(engineOptionsOf(profile, { isPrefixCaching: false }));
  const sizes = { promptTokens: PROMPT_TOKENS, outputTokens: 1, blockSizeTokens, firstId: 0 };
  for (let sent = 0; sent < PROMPTS; sent += 1) {
    assert(model.submit(createPlainRequest(sizes), 0).ok, 'the queue is long enough');
  }
  let nowMs = 0;
  while (model.nextStepAtMs() < Number.POSITIVE_INFINITY) {
    nowMs = model.nextStepAtMs();
    model.step(nowMs);
  }
  return (PROMPTS * PROMPT_TOKENS * 1000) / nowMs;
}
