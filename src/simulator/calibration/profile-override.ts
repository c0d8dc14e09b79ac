import { fail, succeed, type Result } from '../../core/result.ts';
import { withCalibration } from '../hardware/create-profile.ts';
import { findProfile, PROFILE_NAMES, type EngineProfile } from '../hardware/profiles.ts';
import type { Calibration } from '../engine/step-time.ts';
import { findNearest } from '../../core/nearest.ts';
import { isJsonObject, readObject, readString } from '../server/json-value.ts';

/** Content of a profile file: a profile of ours with other factors. */
export interface ProfileOverride {
  /** Name of the profile that it is of. */
  readonly profile: string;
  readonly calibration: Calibration;
}

/**
 * Reads a profile file, such as `lab calibrate` writes. Other members are left alone. Failure is
 * one sentence.
 */
export function parseProfileOverride(json: unknown): Result<EngineProfile, string> {
  if (!isJsonObject(json)) return fail('a profile file is a JSON object');
  const name = readString(json, 'profile');
  if (name === null) return fail('a profile file needs "profile", the name of a profile');
  const profile = findProfile(name);
  if (profile === null) {
    const nearest = findNearest(name, PROFILE_NAMES);
    const hint = nearest === null ? '' : `; did you mean "${nearest}"?`;
    return fail(`"${name}" is no profile${hint}`);
  }
  const factors = readObject(json, 'calibration');
  if (factors === null) return fail('a profile file needs "calibration", an object of factors');
  const known: Partial<Record<keyof Calibration, number>> = {};
  for (const [factor, value] of Object.entries(factors)) {
    if (!(factor in profile.calibration)) return fail(`calibration has no factor ${factor}`);
    if (typeof value !== 'number') return fail(`calibration factor ${factor} must be a number`);
    known[factor as keyof Calibration] = value;
  }
  const calibrated = withCalibration(profile, { ...profile.calibration, ...known });
  return calibrated.ok ? succeed(calibrated.value) : fail(calibrated.error.message);
}
