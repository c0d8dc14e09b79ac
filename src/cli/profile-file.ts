import { readFile } from 'node:fs/promises';
import { fail, succeed, type Result } from '../core/result.ts';
import { parseProfileOverride } from '../simulator/calibration/profile-override.ts';
import { findProfile, type EngineProfile } from '../simulator/hardware/profiles.ts';
import { reasonOf } from './config/tls-files.ts';

/** Whether a profile is meant by a file rather than by its name. */
export function isProfileFile(name: string): boolean {
  return name.endsWith('.json') || name.includes('/');
}

/** A profile by name, or from a file; null when there is none of that name. */
export async function readProfile(name: string): Promise<Result<EngineProfile | null, string>> {
  if (!isProfileFile(name)) return succeed(findProfile(name));
  const json = await readJson(name);
  if (!json.ok) return json;
  const profile = parseProfileOverride(json.value);
  return profile.ok ? profile : fail(`${name}: ${profile.error}`);
}

/** Content of a JSON file; the failure is a sentence with the path. */
export async function readJson(path: string): Promise<Result<unknown, string>> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    return succeed(value);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) return fail(`${path} cannot be read: ${reasonOf(cause)}`);
    const hint = /NaN|Infinity/.test(cause.message)
      ? '; NaN and Infinity are not JSON, and nothing can be fitted to them'
      : '';
    return fail(`${path} is no JSON: ${cause.message}${hint}`);
  }
}
