import { assert } from '../../core/assert.ts';
import { EngineModel } from '../engine/engine-model.ts';
import { PromptHasher } from '../engine/prompt-digest.ts';
import type { EngineRequest, Sequence } from '../engine/sequence.ts';
import { createStepCosts } from '../engine/step-time.ts';
import { modestEngine } from './closed-form.ts';
import type { ValidationRow } from './row.ts';

/** What a run of equal requests computed, counted from outside. */
interface Count {
  /** Prompt and output tokens that went through the model. */
  readonly computed: number;
  /** What the requests need if nothing is found in a cache and nothing is lost. */
  readonly needed: number;
  /** Prompt tokens that the engine says it found in its cache. */
  readonly found: number;
  /** Tokens computed before a preemption took them away. */
  readonly lost: number;
  readonly answered: number;
}

interface Crowd {
  readonly requests: number;
  readonly sharedTokens: number;
  readonly ownTokens: number;
  readonly outputTokens: number;
  readonly kvBlocks: number;
  readonly isPrefixCaching: boolean;
}

const CROWD: Crowd = {
  requests: 200,
  sharedTokens: 512,
  ownTokens: 277,
  outputTokens: 131,
  kvBlocks: 200 * 58,
  isPrefixCaching: false,
};
const MACHINE = { baseMs: 1, prefillTokenMs: 1, decodeSequenceMs: 3 } as const;

/** Every token is computed once, unless it is found in a cache, or lost to a preemption. */
export function conservationRows(): readonly ValidationRow[] {
  const plain = countTokens(CROWD);
  const shared = countTokens({ ...CROWD, isPrefixCaching: true });
  const tight = countTokens({ ...CROWD, kvBlocks: 1024 });
  assert(plain.lost === 0 && shared.lost === 0 && tight.lost > 0, 'only the small one preempts');
  const size = `${CROWD.requests} requests of ${CROWD.sharedTokens + CROWD.ownTokens} + 131 tokens`;
  const row = (where: string, reference: number, ours: number): ValidationRow => ({
    setup: `${size}, ${where}`,
    quantity: 'tokens computed',
    reference,
    ours,
    unit: 'tokens',
    digits: 0,
    tolerance: { share: 0 },
    cause: 'none: a whole number',
  });
  return [
    row('room for all: each once', plain.needed, plain.computed),
    row(
      `a shared beginning of 512: less ${shared.found} found in the cache`,
      shared.needed - shared.found,
      shared.computed,
    ),
    row(
      `memory for a fifth: ${tight.lost} lost to preemption come on top`,
      tight.needed + tight.lost,
      tight.computed,
    ),
    {
      ...row('the same three runs', 3 * CROWD.requests * CROWD.outputTokens, 0),
      quantity: 'output tokens delivered',
      ours: plain.answered + shared.answered + tight.answered,
    },
  ];
}

/**
 * Runs a crowd that arrives at once. A step of this machine takes 1 ms, 1 ms a prompt token and
 * 3 ms a decoded one, so that the time it was busy tells what it computed.
 */
function countTokens(crowd: Crowd): Count {
  const model = new EngineModel(
    modestEngine({
      costs: createStepCosts(MACHINE),
      kvBlocks: crowd.kvBlocks,
      isPrefixCaching: crowd.isPrefixCaching,
      maxQueue: crowd.requests,
    }),
  );
  let decoded = 0;
  let answered = 0;
  model.onStep = (_durationMs, decodeSequences): void => {
    decoded += decodeSequences;
  };
  const onToken = (): void => {
    answered += 1;
  };
  const sequences = Array.from({ length: crowd.requests }, (_, index) => {
    const submission = model.submit(createCrowdRequest(crowd, index, onToken), 0);
    assert(submission.ok, 'the queue is long enough');
    return submission.sequence;
  });
  const lost = runToEnd(model, sequences);
  const { busyMs, steps, prefixHitTokens } = model.counters;
  const read = Math.round(busyMs - steps * MACHINE.baseMs - decoded * MACHINE.decodeSequenceMs);
  const each = crowd.sharedTokens + crowd.ownTokens + crowd.outputTokens - 1;
  const needed = crowd.requests * each;
  return { computed: read + decoded, needed, found: prefixHitTokens, lost, answered };
}

/** Returns how many computed tokens were taken away by preemptions. */
function runToEnd(model: EngineModel, sequences: readonly Sequence[]): number {
  let lost = 0;
  while (model.nextStepAtMs() < Number.POSITIVE_INFINITY) {
    const before = sequences.map((sequence) => ({
      computedTokens: sequence.computedTokens + underWay(sequence),
      preemptions: sequence.preemptions,
    }));
    model.step(model.nextStepAtMs());
    sequences.forEach((sequence, index) => {
      const earlier = before[index];
      if (earlier === undefined || sequence.preemptions === earlier.preemptions) return;
      lost += earlier.computedTokens;
    });
  }
  return lost;
}

/** Tokens that the running step computes for a sequence. */
function underWay({ state, chunkTokens }: Sequence): number {
  return state === 'decoding' ? 1 : chunkTokens;
}

function createCrowdRequest(crowd: Crowd, index: number, onToken: () => void): EngineRequest {
  const hasher = new PromptHasher(16, '');
  const firstId = (index + 1) * 4096;
  for (let id = 0; id < crowd.sharedTokens; id += 1) hasher.add(id);
  for (let own = 0; own < crowd.ownTokens; own += 1) hasher.add(firstId + own);
  return {
    prompt: hasher.digest(),
    output: {
      length: crowd.outputTokens,
      endReason: 'length',
      idAt: (token) => firstId + crowd.ownTokens + token,
    },
    adapter: null,
    listener: { onToken, onEnd: () => undefined },
  };
}
