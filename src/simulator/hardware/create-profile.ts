import { findNearest } from '../../core/nearest.ts';
import { fail, succeed, type Result } from '../../core/result.ts';
import { calibrateCosts, type Calibration } from '../engine/step-time.ts';
import { ACCELERATORS, findAccelerator, type Accelerator } from './accelerators.ts';
import { fitModel, possibleParallelism, type Fit, type Placement } from './fit.ts';
import { withPrecision, type ModelShape } from './model-shape.ts';
import { movingTimesOf } from './moving-weights.ts';
import type { KvPrecision, Precision } from './precision.ts';
import type { EngineProfile } from './profiles.ts';
import { startUpPhasesOf } from './start-up.ts';
import { stepCostsOf, TYPICAL_EFFICIENCY, type Efficiency } from './step-costs.ts';

/** How a model is to run; whatever is absent is as vLLM has it on such a machine. */
export interface ProfileOptions {
  /** Accelerators that share each layer; 1. Must divide the attention heads. */
  readonly tensorParallel?: number;
  /** Made from accelerator, model and precision. */
  readonly name?: string;
  /** Other names of the profile. */
  readonly aliases?: readonly string[];
  /** One sentence for help. */
  readonly summary?: string;
  /** Weights' format; the checkpoint's. */
  readonly precision?: Precision;
  /** `bf16`. */
  readonly kvPrecision?: KvPrecision;
  /** Share of memory that the engine may use; 0.9. */
  readonly memoryUtilization?: number;
  /** Longest prompt plus output; the model's own, or what fits. */
  readonly maxModelLenTokens?: number;
  /** 1,024 on accelerators of 70 GiB and more other than A100, else 256. */
  readonly maxNumSeqs?: number;
  /** 8,192 and 2,048 in the same way. */
  readonly maxNumBatchedTokens?: number;
  /** 16 tokens. */
  readonly blockSizeTokens?: number;
  readonly calibration?: Calibration;
  readonly efficiency?: Efficiency;
}

/** Why a profile cannot be made. */
export interface ProfileProblem {
  readonly kind:
    | 'accelerator_unknown'
    | 'number_invalid'
    | 'parallelism_invalid'
    | 'model_too_large'
    | 'context_too_long';
  /** One sentence for people, with the way out where there is one. */
  readonly message: string;
  /** Missing memory on each accelerator, in GiB; null when memory is not the problem. */
  readonly missingGib: number | null;
}

/** Uncalibrated. */
export const NO_CALIBRATION: Calibration = Object.freeze({ prefill: 1, decode: 1, overhead: 1 });

interface Plan extends Placement {
  readonly shape: ModelShape;
  readonly calibration: Calibration;
  readonly efficiency: Efficiency;
  readonly maxNumSeqs: number;
  readonly maxNumBatchedTokens: number;
  /** null: the model's own, or what fits. */
  readonly maxModelLenTokens: number | null;
}

const GIB = 2 ** 30;

const DEFAULTS = Object.freeze({
  tensorParallel: 1,
  kvPrecision: 'bf16',
  blockSizeTokens: 16,
  memoryUtilization: 0.9,
  maxModelLenTokens: null,
  calibration: NO_CALIBRATION,
  efficiency: TYPICAL_EFFICIENCY,
} as const);
const LARGE_BATCH = Object.freeze({ maxNumSeqs: 1024, maxNumBatchedTokens: 8192 });
const SMALL_BATCH = Object.freeze({ maxNumSeqs: 256, maxNumBatchedTokens: 2048 });

/**
 * Puts a model on accelerators: how fast steps are, how much fits, how long starting and waking
 * take. Refuses numbers that mean nothing, accelerators it does not know, a tensor parallelism that
 * does not divide the heads, and what does not fit, saying by how much and what would.
 */
export function createProfile(
  shape: ModelShape,
  accelerator: Accelerator | string,
  options: ProfileOptions,
): Result<EngineProfile, ProfileProblem> {
  const machine = machineOf(accelerator);
  if (!machine.ok) return machine;
  const plan = planOf(shape, machine.value, options);
  const broken = numberProblem(plan) ?? parallelismProblem(plan);
  if (broken !== null) return fail(broken);
  const fit = fitModel(plan.shape, plan);
  if (fit.missingBytes > 0) return fail(tooLarge(plan, fit));
  const heldTokens = fit.kvBlocks * plan.blockSizeTokens;
  const wantedTokens = plan.maxModelLenTokens;
  if (wantedTokens !== null && wantedTokens > heldTokens) {
    return fail(contextProblem(wantedTokens, heldTokens));
  }
  const maxModelLenTokens = wantedTokens ?? Math.min(plan.shape.maxPositionTokens, heldTokens);
  return succeed(assemble(plan, fit, { ...options, maxModelLenTokens }));
}

function machineOf(accelerator: Accelerator | string): Result<Accelerator, ProfileProblem> {
  if (typeof accelerator !== 'string') return succeed(accelerator);
  const known = findAccelerator(accelerator);
  return known === null ? fail(unknownAccelerator(accelerator)) : succeed(known);
}

function planOf(shape: ModelShape, accelerator: Accelerator, options: ProfileOptions): Plan {
  // vLLM's defaults (pull requests 12369, 17073 and 17885): larger batches from 70 GiB on, A100
  // excepted.
  const isLarge = accelerator.memoryBytes >= 70 * GIB && !accelerator.name.startsWith('a100');
  const given = { ...DEFAULTS, ...(isLarge ? LARGE_BATCH : SMALL_BATCH), ...options };
  const { precision = shape.precision } = options;
  return {
    shape: withPrecision(shape, precision),
    accelerator,
    tensorParallel: given.tensorParallel,
    kvPrecision: given.kvPrecision,
    blockSizeTokens: given.blockSizeTokens,
    memoryUtilization: given.memoryUtilization,
    calibration: given.calibration,
    efficiency: given.efficiency,
    maxNumSeqs: given.maxNumSeqs,
    maxNumBatchedTokens: given.maxNumBatchedTokens,
    maxModelLenTokens: given.maxModelLenTokens,
  };
}

function assemble(
  plan: Plan,
  fit: Fit,
  options: ProfileOptions & { readonly maxModelLenTokens: number },
): EngineProfile {
  const { shape, accelerator, tensorParallel } = plan;
  const startUp = startUpPhasesOf(fit.weightBytes, shape.layers);
  const machineText = tensorParallel === 1 ? 'one' : String(tensorParallel);
  const shortName = shape.name.slice(shape.name.lastIndexOf('/') + 1);
  return Object.freeze({
    name: options.name ?? profileName(plan, shortName),
    aliases: options.aliases ?? [],
    summary:
      options.summary ??
      `${shortName} in ${shape.precision} on ${machineText} ${accelerator.name.toUpperCase()}`,
    model: shape.name,
    precision: shape.precision,
    accelerator: accelerator.name,
    accelerators: tensorParallel,
    hourlyUsd: accelerator.hourlyUsd * tensorParallel,
    costs: calibrateCosts(stepCostsOf(shape, plan), plan.calibration),
    calibration: plan.calibration,
    kvBlocks: fit.kvBlocks,
    blockSizeTokens: plan.blockSizeTokens,
    weightBytes: fit.weightBytes,
    maxModelLenTokens: options.maxModelLenTokens,
    maxNumSeqs: plan.maxNumSeqs,
    maxNumBatchedTokens: plan.maxNumBatchedTokens,
    startUp,
    ...movingTimesOf(shape, {
      accelerator,
      tensorParallel,
      weightBytes: fit.weightBytes,
      startUp,
    }),
  });
}

function profileName(plan: Plan, shortName: string): string {
  const { accelerator, tensorParallel, shape } = plan;
  const machine = tensorParallel === 1 ? accelerator.name : `${accelerator.name}x${tensorParallel}`;
  const suffix = shape.precision === 'bf16' ? '' : `-${shape.precision}`;
  return `${machine}-${shortName.toLowerCase()}${suffix}`;
}

function unknownAccelerator(name: string): ProfileProblem {
  const known = ACCELERATORS.map((each) => each.name);
  const nearest = findNearest(name, known);
  const hint = nearest === null ? `known are ${known.join(', ')}` : `did you mean ${nearest}?`;
  return problem('accelerator_unknown', `unknown accelerator ${name}: ${hint}`);
}

function numberProblem(plan: Plan): ProfileProblem | null {
  const counts = {
    tensorParallel: plan.tensorParallel,
    blockSizeTokens: plan.blockSizeTokens,
    maxNumSeqs: plan.maxNumSeqs,
    maxNumBatchedTokens: plan.maxNumBatchedTokens,
    maxModelLenTokens: plan.maxModelLenTokens ?? 1,
  };
  for (const [field, value] of Object.entries(counts)) {
    if (Number.isSafeInteger(value) && value >= 1) continue;
    return problem('number_invalid', `${field} must be a whole number of 1 or more, not ${value}`);
  }
  for (const [field, value] of Object.entries(plan.calibration)) {
    const broken = calibrationProblem(field, value);
    if (broken !== null) return broken;
  }
  const shares = { ...plan.efficiency, memoryUtilization: plan.memoryUtilization };
  for (const [field, value] of Object.entries(shares)) {
    if (value > 0 && value <= 1) continue;
    return problem('number_invalid', `${field} must be above 0 and at most 1, not ${value}`);
  }
  if (plan.maxNumBatchedTokens >= plan.maxNumSeqs) return null;
  return problem(
    'number_invalid',
    `maxNumBatchedTokens ${plan.maxNumBatchedTokens} is below maxNumSeqs ${plan.maxNumSeqs}`,
  );
}

function calibrationProblem(field: string, value: number): ProfileProblem | null {
  if (value > 0 && value < Number.POSITIVE_INFINITY) return null;
  const message = `calibration factor ${field} must be above 0 and finite, not ${value}`;
  return problem('number_invalid', message);
}

function parallelismProblem(plan: Plan): ProfileProblem | null {
  const { shape, tensorParallel } = plan;
  if (shape.heads % tensorParallel === 0) return null;
  const sizes = possibleParallelism(shape).join(', ');
  return problem(
    'parallelism_invalid',
    `tensor parallelism ${tensorParallel} does not divide the ${shape.heads} attention heads ` +
      `of ${shape.name}; ${sizes} would`,
  );
}

function tooLarge(plan: Plan, fit: Fit): ProfileProblem {
  const { accelerator, tensorParallel, shape } = plan;
  const missingGib = fit.missingBytes / GIB;
  const machine = `${tensorParallel} × ${accelerator.name}`;
  const ways = [largerMachine(plan), narrowerWeights(plan)].filter((way) => way !== null);
  const advice =
    ways.length === 0 ? 'an accelerator with more memory is needed' : `${ways.join(' or ')} would`;
  return {
    kind: 'model_too_large',
    message:
      `${shape.name} in ${shape.precision} does not fit on ${machine}: ${missingGib.toFixed(1)} ` +
      `GiB more are needed on each accelerator; ${advice}`,
    missingGib,
  };
}

/** The smallest tensor parallelism at which the model fits, as words, or null. */
function largerMachine(plan: Plan): string | null {
  const fits = (size: number): boolean =>
    size > plan.tensorParallel &&
    fitModel(plan.shape, { ...plan, tensorParallel: size }).missingBytes === 0;
  const size = possibleParallelism(plan.shape).find(fits);
  return size === undefined ? null : `${size} × ${plan.accelerator.name}`;
}

/** The widest precision at which the model fits where it is, as words, or null. */
function narrowerWeights(plan: Plan): string | null {
  const fits = (precision: Precision): boolean =>
    fitModel(withPrecision(plan.shape, precision), plan).missingBytes === 0;
  const precision = (['fp8', 'int4'] as const).find(fits);
  return precision === undefined ? null : `${precision} weights`;
}

function contextProblem(wantedTokens: number, heldTokens: number): ProfileProblem {
  return problem(
    'context_too_long',
    `maxModelLenTokens ${wantedTokens} is more than the KV cache holds (${heldTokens} tokens)`,
  );
}

/**
 * The same profile with other factors instead of the ones it has. Refused when one is NaN, 0 or
 * less, or infinite.
 */
export function withCalibration(
  profile: EngineProfile,
  calibration: Calibration,
): Result<EngineProfile, ProfileProblem> {
  for (const [field, value] of Object.entries(calibration)) {
    const broken = calibrationProblem(field, value);
    if (broken !== null) return fail(broken);
  }
  const before = profile.calibration;
  const change = {
    prefill: calibration.prefill / before.prefill,
    decode: calibration.decode / before.decode,
    overhead: calibration.overhead / before.overhead,
  };
  const costs = calibrateCosts(profile.costs, change);
  return succeed(Object.freeze({ ...profile, costs, calibration }));
}

function problem(kind: ProfileProblem['kind'], message: string): ProfileProblem {
  return { kind, message, missingGib: null };
}
