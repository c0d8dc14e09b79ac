import { assert, must } from '../../core/assert.ts';
import { createRng } from '../../core/rng.ts';
import { EngineModel, type EngineModelOptions } from '../engine/engine-model.ts';
import { PromptHasher } from '../engine/prompt-digest.ts';
import type { EngineRequest, Sequence } from '../engine/sequence.ts';
import { createStepCosts, type StepCosts } from '../engine/step-time.ts';
import { findAccelerator } from '../hardware/accelerators.ts';
import { findModelShape } from '../hardware/models.ts';
import { engineOptionsOf, findProfile, type EngineProfile } from '../hardware/profiles.ts';
import { FULL_EFFICIENCY, stepCostsOf, type Efficiency } from '../hardware/step-costs.ts';
import type { ValidationRow } from './row.ts';

const GIB = 2 ** 30;
const QUEUE_REQUESTS = 600_000;
const QUEUE_LOADS: readonly number[] = [0.5, 0.7, 0.9];
const SERVICE_MS = 20;

/** Rows that theory gives exactly. */
export function closedFormRows(): readonly ValidationRow[] {
  return [...queueRows(), ...rooflineRows(), ...memoryRows()];
}

/** Requests that share nothing. */
export function createPlainRequest(sizes: {
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly blockSizeTokens: number;
  readonly firstId: number;
}): EngineRequest {
  const { promptTokens, outputTokens, blockSizeTokens, firstId } = sizes;
  const hasher = new PromptHasher(blockSizeTokens, '');
  for (let index = 0; index < promptTokens; index += 1) hasher.add(firstId + index);
  return {
    prompt: hasher.digest(),
    output: {
      length: outputTokens,
      endReason: 'length',
      idAt: (index) => firstId + promptTokens + index,
    },
    adapter: null,
    listener: { onToken: () => undefined, onEnd: () => undefined },
  };
}

function queueRows(): readonly ValidationRow[] {
  return QUEUE_LOADS.map((load) => ({
    setup: `M/D/1 queue, service ${SERVICE_MS} ms, load ${load}`,
    quantity: 'mean wait',
    // Pollaczek and Khinchine, for constant service times.
    reference: (load * SERVICE_MS) / (2 * (1 - load)),
    ours: meanWaitMs(load),
    unit: 'ms',
    digits: 2,
    tolerance: { share: 0.03 },
    cause: `chance: the mean of ${QUEUE_REQUESTS.toLocaleString('en-US')} random arrivals`,
  }));
}

/** Poisson arrivals of equal one-token answers at an engine that runs one of them at a time. */
function meanWaitMs(load: number): number {
  const model = new EngineModel(
    modestEngine({
      costs: createStepCosts({ baseMs: SERVICE_MS }),
      maxNumSeqs: 1,
      maxQueue: QUEUE_REQUESTS,
    }),
  );
  const request = createPlainRequest({
    promptTokens: 16,
    outputTokens: 1,
    blockSizeTokens: 16,
    firstId: 0,
  });
  const rng = createRng(7);
  let arrivalMs = 0;
  for (let sent = 0; sent < QUEUE_REQUESTS;) {
    const stepMs = model.nextStepAtMs();
    if (stepMs <= arrivalMs) {
      model.step(stepMs);
      continue;
    }
    assert(model.submit(request, arrivalMs).ok, 'the queue is long enough');
    sent += 1;
    arrivalMs -= (Math.log(1 - rng.next()) * SERVICE_MS) / load;
  }
  const { queueTime } = model.counters;
  return (queueTime.sum / queueTime.count) * 1000;
}

/** The demo's engine without a prefix cache. */
export function modestEngine(overrides: Partial<EngineModelOptions>): EngineModelOptions {
  return engineOptionsOf(profileNamed('demo'), { isPrefixCaching: false, ...overrides });
}

function profileNamed(name: string): EngineProfile {
  return must(findProfile(name), `profile ${name}`);
}

const FLOOR = 'Llama 3.1 8B in bf16 on one H100, peak speeds, no host time';
const PARAMETERS = 8.03e9;
const EXACT = 'rounding of parameters';

function rooflineRows(): readonly ValidationRow[] {
  const decode = runAlone(FULL_EFFICIENCY, { promptTokens: 16, outputTokens: 101 });
  const half: Efficiency = { compute: 0.5, expertCompute: 0.5, memory: 1 };
  const prompt = runAlone(half, { promptTokens: 1000, outputTokens: 2 });
  // The KV of 66.5 tokens on average; attention of 1,000 tokens to those before them.
  const kvMs = (66.5 * 131_072) / 3.35e9;
  const attentionMs = (4 * 32 * 4096 * 1000 ** 2) / 2 / (989e9 * 0.5);
  const common = { setup: FLOOR, unit: 'ms', digits: 2, tolerance: { share: 0.005 }, cause: EXACT };
  return [
    {
      ...common,
      quantity: 'gap between tokens: 16.1 GB of weights by 3.35 TB/s (4.8 ms), and the KV read',
      reference: (PARAMETERS * 2) / 3.35e9 + kvMs,
      ours: decode.itlMs,
    },
    {
      ...common,
      quantity:
        'first token of 1,000 at half of peak compute: 16.1 TFLOP by 495 TFLOPS (32 ms), ' +
        'and attention',
      reference: (2 * PARAMETERS * 1000) / (989e9 * 0.5) + attentionMs,
      ours: prompt.ttftMs,
    },
  ];
}

/** Time to the first token and mean gap after it of one request alone, host time taken out. */
function runAlone(
  efficiency: Efficiency,
  sizes: { readonly promptTokens: number; readonly outputTokens: number },
): { readonly ttftMs: number; readonly itlMs: number } {
  const model = new EngineModel(
    engineOptionsOf(profileNamed('h100-8b'), { costs: floorCosts(efficiency) }),
  );
  const times: number[] = [];
  const request = createPlainRequest({ ...sizes, blockSizeTokens: 16, firstId: 0 });
  const listener = {
    onToken: (_: Sequence, atMs: number): void => {
      times.push(atMs);
    },
    onEnd: (): void => undefined,
  };
  assert(model.submit({ ...request, listener }, 0).ok, 'an idle engine takes a request');
  while (model.nextStepAtMs() < Number.POSITIVE_INFINITY) model.step(model.nextStepAtMs());
  const first = must(times[0], 'a first token');
  const last = must(times.at(-1), 'a last token');
  return { ttftMs: first, itlMs: (last - first) / (times.length - 1) };
}

function floorCosts(efficiency: Efficiency): StepCosts {
  const costs = stepCostsOf(must(findModelShape('Llama-3.1-8B-Instruct'), 'the model'), {
    accelerator: must(findAccelerator('h100'), 'the accelerator'),
    tensorParallel: 1,
    kvPrecision: 'bf16',
    efficiency,
  });
  // A step may not take no time at all.
  return { ...costs, baseMs: 1e-9, decodeSequenceMs: 0 };
}

const LARGE = 'Llama 3.3 70B in fp8 on 2 H100';
const REQUEST_TOKENS = 2000;

function memoryRows(): readonly ValidationRow[] {
  const profile = profileNamed('h100x2-llama-3.3-70b-fp8');
  // A byte each, but two for embedding and output layer: 2 x 128,256 x 8,192 parameters.
  const weightGib = ((70.55e9 + 2 * 128_256 * 8192) * 1.02) / GIB;
  const kvGib = 2 * (0.9 * 79.2 - 2.3) - weightGib;
  // 2 (K and V) x 80 layers x 8 heads x 128 x 2 bytes.
  const tokens = (kvGib * GIB) / (2 * 80 * 8 * 128 * 2);
  const blocksEach = Math.ceil(REQUEST_TOKENS / profile.blockSizeTokens);
  return [
    {
      setup: LARGE,
      quantity:
        'KV tokens: 90 % of 2 × 79.2 GiB, less 69.0 GiB of weights and 2.3 GiB each, by 320 KiB',
      reference: tokens,
      ours: profile.kvBlocks * profile.blockSizeTokens,
      unit: 'tokens',
      digits: 0,
      tolerance: { share: 0.005 },
      cause: 'rounding of parameters, whole blocks',
    },
    {
      setup: LARGE,
      quantity: `requests of ${REQUEST_TOKENS} tokens that run at once`,
      reference: Math.floor(profile.kvBlocks / blocksEach),
      ours: mostRunning(profile),
      unit: 'requests',
      digits: 0,
      tolerance: { share: 0 },
      cause: 'none: a whole number of requests',
    },
  ];
}

/** Most sequences at once of an engine that has more work than it can hold. */
function mostRunning(profile: EngineProfile): number {
  // Steps long enough for every prompt, so that only memory bounds what runs.
  const unbounded = { isPrefixCaching: false, maxNumBatchedTokens: 1_000_000 };
  const model = new EngineModel(engineOptionsOf(profile, unbounded));
  const { blockSizeTokens } = profile;
  const outputTokens = 2;
  const promptTokens = REQUEST_TOKENS - outputTokens;
  const request = createPlainRequest({ promptTokens, outputTokens, blockSizeTokens, firstId: 0 });
  for (let sent = 0; sent < 400; sent += 1) model.submit(request, 0);
  let most = 0;
  while (model.nextStepAtMs() < Number.POSITIVE_INFINITY) {
    model.step(model.nextStepAtMs());
    most = Math.max(most, model.running);
  }
  assert(model.counters.preemptions === 0, 'nobody who fits is preempted');
  return most;
}
