import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EngineModel } from '../engine/engine-model.ts';
import { PromptHasher } from '../engine/prompt-digest.ts';
import type { StepCosts } from '../engine/step-time.ts';
import { findAccelerator } from './accelerators.ts';
import { findModelShape } from './models.ts';
import { engineOptionsOf, findProfile } from './profiles.ts';
import { FULL_EFFICIENCY, stepCostsOf, type Machine } from './step-costs.ts';

function costsOf(model: string, accelerator: string, machine: Partial<Machine> = {}): StepCosts {
  return stepCostsOf(findModelShape(model)!, {
    accelerator: findAccelerator(accelerator)!,
    tensorParallel: 1,
    kvPrecision: 'bf16',
    efficiency: FULL_EFFICIENCY,
    ...machine,
  });
}

/** Time to the first token and mean gap after it of one request alone, host time taken out. */
function runAlone(
  costs: StepCosts,
  sizes: { readonly promptTokens: number; readonly outputTokens: number },
): { readonly ttftMs: number; readonly itlMs: number } {
  const free = { ...costs, baseMs: 1e-9, decodeSequenceMs: 0 };
  const model = new EngineModel(engineOptionsOf(findProfile('h100-8b')!, { costs: free }));
  const hasher = new PromptHasher(16, '');
  for (let id = 0; id < sizes.promptTokens; id += 1) hasher.add(id);
  const times: number[] = [];
  model.submit(
    {
      prompt: hasher.digest(),
      output: { length: sizes.outputTokens, endReason: 'length', idAt: (index) => index },
      adapter: null,
      listener: { onToken: (_, atMs) => times.push(atMs), onEnd: () => undefined },
    },
    0,
  );
  while (model.nextStepAtMs() < Number.POSITIVE_INFINITY) model.step(model.nextStepAtMs());
  const first = times[0]!;
  return { ttftMs: first, itlMs: (times.at(-1)! - first) / (times.length - 1) };
}

describe('Llama 3.1 8B in bf16 alone on an H100', () => {
  it('decodes at the speed of memory: 4.8 ms a token', () => {
    const costs = costsOf('Llama-3.1-8B-Instruct', 'h100');
    const { itlMs } = runAlone(costs, { promptTokens: 16, outputTokens: 101 });
    const weightsMs = (8.03e9 * 2) / 3.35e9;
    assert.ok(Math.abs(weightsMs - 4.8) < 0.01);
    // The KV of 17 to 116 tokens comes on top.
    const kvMs = (66.5 * 131_072) / 3.35e9;
    assert.ok(Math.abs(itlMs - (weightsMs + kvMs)) < 0.002, `${itlMs}`);
  });

  it('reads a prompt of 1,000 tokens in 32 ms at half of the peak', () => {
    const efficiency = { compute: 0.5, expertCompute: 0.5, memory: 1 };
    const costs = costsOf('Llama-3.1-8B-Instruct', 'h100', { efficiency });
    const { ttftMs } = runAlone(costs, { promptTokens: 1000, outputTokens: 2 });
    const linearMs = (2 * 8.03e9 * 1000) / (989e9 * 0.5);
    const attentionMs = (4 * 32 * 4096 * 1000 ** 2) / 2 / (989e9 * 0.5);
    assert.ok(Math.abs(ttftMs - (linearMs + attentionMs)) < 0.01, `${ttftMs}`);
    assert.ok(Math.abs(linearMs - 32) < 0.6);
  });

  it('reads a prompt in chunks in no less time', () => {
    const costs = costsOf('Llama-3.1-8B-Instruct', 'h100');
    const { ttftMs } = runAlone(costs, { promptTokens: 32_768, outputTokens: 1 });
    const linearMs = (2 * 8.03e9 * 32_768) / 989e9;
    const attentionMs = (4 * 32 * 4096 * 32_768 ** 2) / 2 / 989e9;
    assert.ok(Math.abs(ttftMs / (linearMs + attentionMs) - 1) < 0.001, `${ttftMs}`);
  });
});

describe('costs of a step', () => {
  it('turn from memory to compute at the ridge of the roofline', () => {
    const costs = costsOf('Llama-3.1-8B-Instruct', 'h100');
    // FLOPS × 2 bytes / (2 × bandwidth) = 295 tokens on an H100 in bf16.
    const ridgeTokens = costs.weightsMs / costs.prefillTokenMs;
    assert.ok(Math.abs(ridgeTokens - 295) < 1, `${ridgeTokens}`);
  });

  it('are divided between accelerators, which exchange activations for it', () => {
    const one = costsOf('Llama-3.3-70B-Instruct', 'h200');
    const two = costsOf('Llama-3.3-70B-Instruct', 'h200', { tensorParallel: 2 });
    assert.equal(one.exchangeTokenMs, 0);
    assert.equal(two.weightsMs, one.weightsMs / 2);
    assert.equal(two.prefillTokenMs, one.prefillTokenMs / 2);
    assert.ok(Math.abs(two.baseMs - one.baseMs - 2 * 80 * 0.01) < 1e-9);
    const bytes = 2 * 80 * 8192 * 2;
    assert.ok(Math.abs(two.exchangeTokenMs - (bytes / 450e9) * 1000) < 1e-9);
  });

  it('use the fp8 unit where there is one', () => {
    const shape = { ...findModelShape('Llama-3.3-70B-Instruct')!, precision: 'fp8' as const };
    const tokenMs = (name: string): number =>
      stepCostsOf(shape, {
        accelerator: findAccelerator(name)!,
        tensorParallel: 4,
        kvPrecision: 'bf16',
        efficiency: FULL_EFFICIENCY,
      }).prefillTokenMs;
    const bf16 = costsOf('Llama-3.3-70B-Instruct', 'h100', { tensorParallel: 4 }).prefillTokenMs;
    assert.ok(Math.abs(tokenMs('h100') / bf16 - 989 / 1979) < 1e-9);
    const a100 = costsOf('Llama-3.3-70B-Instruct', 'a100-80', { tensorParallel: 4 });
    assert.equal(tokenMs('a100-80'), a100.prefillTokenMs);
  });

  it('of DeepSeek-R1 have latent vectors of 1,152 bytes a layer on every accelerator', () => {
    const costs = costsOf('DeepSeek-R1', 'h200', { tensorParallel: 8 });
    const bytes = 61 * 576 * 2;
    assert.ok(Math.abs(costs.prefillContextTokenMs - bytes / 4.8e9) < 1e-12);
    assert.equal(costs.expertMissShare, 1 - 8 / 256);
  });
});
