import { findNearest } from '../../core/nearest.ts';
import { fail, succeed, type Result } from '../../core/result.ts';
import type { Calibration } from '../engine/step-time.ts';
import { createProfile, withCalibration } from '../hardware/create-profile.ts';
import { readModelConfig } from '../hardware/model-config.ts';
import { findProfile, PROFILE_NAMES, type EngineProfile } from '../hardware/profiles.ts';
import {
  isJsonObject,
  readCount,
  readObject,
  readString,
  type JsonObject,
} from '../server/json-value.ts';

/** What a profile is of, as a profile file says it: a profile of ours, or a model on a machine. */
export type ProfileBase =
  | { readonly profile: string }
  | {
      /** Content of a Hugging Face `config.json`. */
      readonly modelConfig: JsonObject;
      readonly accelerator: string;
      readonly tensorParallel: number;
    };

/** A profile with what a file has to say to get it again, factors excepted. */
export interface BasedProfile {
  readonly profile: EngineProfile;
  readonly base: ProfileBase;
}

/** The uncalibrated profile of a base. Failure is one sentence. */
export function createBasedProfile(base: ProfileBase): Result<BasedProfile, string> {
  if ('profile' in base) {
    const profile = findProfile(base.profile);
    return profile === null
      ? fail(describeUnknownProfile(base.profile))
      : succeed({ profile, base: { profile: profile.name } });
  }
  const shape = readModelConfig(base.modelConfig);
  if (!shape.ok) return fail(shape.error.message);
  const { accelerator, tensorParallel } = base;
  const profile = createProfile(shape.value, accelerator, { tensorParallel });
  return profile.ok ? succeed({ profile: profile.value, base }) : fail(profile.error.message);
}

function describeUnknownProfile(name: string): string {
  const nearest = findNearest(name, PROFILE_NAMES);
  const hint =
    nearest === null ? `profiles are ${PROFILE_NAMES.join(', ')}` : `did you mean "${nearest}"?`;
  return `"${name}" is no profile; ${hint}`;
}

/**
 * Reads a profile file, such as `lab calibrate` writes: a profile or model with other factors.
 * Other members are left alone. Failure is one sentence.
 */
export function parseProfileOverride(json: unknown): Result<BasedProfile, string> {
  if (!isJsonObject(json)) return fail('a profile file is a JSON object');
  const base = parseBase(json);
  if (!base.ok) return base;
  const based = createBasedProfile(base.value);
  if (!based.ok) return based;
  const { profile } = based.value;
  const factors = readObject(json, 'calibration');
  if (factors === null) return fail('a profile file needs "calibration", an object of factors');
  const known: Partial<Record<keyof Calibration, number>> = {};
  for (const [factor, value] of Object.entries(factors)) {
    if (!Object.hasOwn(profile.calibration, factor)) {
      return fail(`calibration has no factor ${factor}`);
    }
    if (typeof value !== 'number') return fail(`calibration factor ${factor} must be a number`);
    known[factor as keyof Calibration] = value;
  }
  const calibrated = withCalibration(profile, { ...profile.calibration, ...known });
  return calibrated.ok
    ? succeed({ ...based.value, profile: calibrated.value })
    : fail(calibrated.error.message);
}

function parseBase(json: JsonObject): Result<ProfileBase, string> {
  const profile = readString(json, 'profile');
  if (profile !== null) return succeed({ profile });
  const modelConfig = readObject(json, 'modelConfig');
  const accelerator = readString(json, 'accelerator');
  if (modelConfig === null || accelerator === null) {
    return fail(
      'a profile file needs "profile", the name of a profile, or "modelConfig" and "accelerator"',
    );
  }
  const tensorParallel = readCount(json, 'tensorParallel') ?? 1;
  return succeed({ modelConfig, accelerator, tensorParallel });
}
