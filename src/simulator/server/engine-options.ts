import { PenstockError } from '../../core/errors.ts';
import { findNearest } from '../../core/nearest.ts';
import type { EngineModelOptions } from '../engine/engine-model.ts';
import {
  engineOptionsOf,
  findProfile,
  PROFILE_NAMES,
  type EngineProfile,
} from '../hardware/profiles.ts';
import { NO_FAULTS, type FaultSettings } from './faults.ts';

/** Engines that the server can pass for. */
export type SimulatedDialect = 'vllm' | 'sglang' | 'trtllm-serve' | 'llama-cpp';

/** Every dialect, `vllm` first. */
export const SIMULATED_DIALECTS: readonly SimulatedDialect[] = Object.freeze([
  'vllm',
  'sglang',
  'trtllm-serve',
  'llama-cpp',
]);

/** Settings of a simulated model server; whatever is absent comes from the profile or a default. */
export interface EngineServerOptions {
  /** Address to listen on; 127.0.0.1. */
  readonly host?: string;
  /** 0 for any free port; 0. */
  readonly port?: number;
  /** Value of `x-engine-id`; `host:port`. */
  readonly engineId?: string;
  /** Names of the base model, its own first. */
  readonly models?: readonly string[];
  /** Engine that paths and metrics imitate; `vllm`. */
  readonly dialect?: SimulatedDialect;
  /** Name of a profile, or one made for the purpose; `demo`. */
  readonly profile?: string | EngineProfile;
  readonly maxNumSeqs?: number;
  readonly maxNumBatchedTokens?: number;
  readonly kvBlocks?: number;
  readonly blockSizeTokens?: number;
  readonly maxModelLenTokens?: number;
  /** Requests that may wait beyond those that could start at once; 1,000. */
  readonly maxQueue?: number;
  /** False turns the prefix cache off. */
  readonly prefixCaching?: boolean;
  /** Adapters offered from the start: `name`, or `name=base model`. */
  readonly adapters?: readonly string[];
  /** Adapter slots on the accelerator; 4. */
  readonly maxAdapters?: number;
  /** Adapters kept in host memory; 16. */
  readonly maxCpuAdapters?: number;
  /** From storage to the accelerator; the profile's. */
  readonly adapterLoadMs?: number;
  /** From host memory to the accelerator; the profile's. */
  readonly adapterActivateMs?: number;
  /** Seed of generated text and of injected failures; 0. */
  readonly seed?: number;
  /** Engine milliseconds per real millisecond; 1. */
  readonly speed?: number;
  /** Failures from the start. */
  readonly faults?: Partial<FaultSettings>;
}

/** An adapter to offer. */
export interface AdapterSpec {
  readonly name: string;
  readonly baseModel: string;
}

/** The same, complete. */
export interface ResolvedEngineOptions {
  readonly host: string;
  readonly port: number;
  readonly engineId: string | null;
  readonly models: readonly string[];
  readonly dialect: SimulatedDialect;
  readonly profile: EngineProfile;
  readonly engine: EngineModelOptions;
  readonly adapters: readonly AdapterSpec[];
  readonly seed: number;
  readonly speed: number;
  readonly faults: FaultSettings;
}

const DEFAULTS = Object.freeze({
  host: '127.0.0.1',
  port: 0,
  engineId: null,
  models: [] as readonly string[],
  dialect: 'vllm',
  profile: 'demo',
  maxQueue: 1000,
  prefixCaching: true,
  adapters: [] as readonly string[],
  maxAdapters: 4,
  maxCpuAdapters: 16,
  seed: 0,
  speed: 1,
} as const);
/** Longest real stretch that a busy process catches up on. */
const MAX_CATCH_UP_REAL_MS = 50;

/**
 * Completes options. Throws a `PenstockError` (`internal`) for an unknown profile or impossible
 * value.
 */
export function resolveEngineOptions(options: EngineServerOptions): ResolvedEngineOptions {
  const given = { ...DEFAULTS, ...options };
  const profile = profileOf(given.profile);
  const models = given.models.length === 0 ? [profile.model] : given.models;
  if (!(given.speed > 0)) throw invalid('speed must be above 0');
  return {
    host: given.host,
    port: given.port,
    engineId: given.engineId,
    models,
    dialect: given.dialect,
    profile,
    engine: resolveModel(options, profile),
    adapters: given.adapters.map((text) => parseAdapter(text, models[0] as string)),
    seed: given.seed,
    speed: given.speed,
    faults: { ...NO_FAULTS, ...options.faults },
  };
}

function profileOf(given: string | EngineProfile): EngineProfile {
  if (typeof given !== 'string') return given;
  const profile = findProfile(given);
  if (profile !== null) return profile;
  const nearest = findNearest(given, PROFILE_NAMES);
  const hint = nearest === null ? '' : `; did you mean ${nearest}?`;
  throw invalid(`unknown profile ${given}${hint}`);
}

function resolveModel(options: EngineServerOptions, profile: EngineProfile): EngineModelOptions {
  const given = { ...DEFAULTS, ...profile, ...options };
  const { maxNumSeqs, maxNumBatchedTokens, kvBlocks, blockSizeTokens, maxModelLenTokens } = given;
  const sizes = { maxNumSeqs, maxNumBatchedTokens, kvBlocks, blockSizeTokens, maxModelLenTokens };
  for (const [field, value] of Object.entries(sizes)) {
    if (!Number.isInteger(value) || value < 1) throw invalid(`${field} must be at least 1`);
  }
  if (maxNumBatchedTokens < maxNumSeqs) {
    throw invalid(`maxNumBatchedTokens ${maxNumBatchedTokens} is below maxNumSeqs ${maxNumSeqs}`);
  }
  return engineOptionsOf(profile, {
    ...sizes,
    maxQueue: given.maxQueue,
    isPrefixCaching: given.prefixCaching,
    adapters: {
      slots: given.maxAdapters,
      cpuSlots: given.maxCpuAdapters,
      loadMs: given.adapterLoadMs,
      activateMs: given.adapterActivateMs,
    },
    maxCatchUpMs: MAX_CATCH_UP_REAL_MS * given.speed,
  });
}

function parseAdapter(text: string, baseModel: string): AdapterSpec {
  const mark = text.indexOf('=');
  if (mark < 0) return { name: text, baseModel };
  return { name: text.slice(0, mark), baseModel: text.slice(mark + 1) };
}

function invalid(message: string): PenstockError {
  return new PenstockError('internal', `simulated engine: ${message}`);
}
