import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { fail, succeed, type Result } from '../core/result.ts';
import {
  createBasedProfile,
  parseProfileOverride,
  type BasedProfile,
} from '../simulator/calibration/profile-override.ts';
import { reasonOf } from './config/tls-files.ts';

/** Whether a profile is meant by a file rather than by its name. */
function isProfileFile(name: string): boolean {
  return name.endsWith('.json') || name.includes('/');
}

/**
 * A profile by name or from a file, whose name it then has, so that it can stand beside the profile
 * that it was made from. The failure is a sentence for the user.
 */
export async function readProfile(name: string): Promise<Result<BasedProfile, string>> {
  if (!isProfileFile(name)) return createBasedProfile({ profile: name });
  const json = await readJson(name);
  if (!json.ok) return json;
  const based = parseProfileOverride(json.value);
  if (!based.ok) return fail(`${name}: ${based.error}`);
  const { profile, base } = based.value;
  return succeed({ base, profile: { ...profile, name: basename(name, '.json') } });
}

/** Content of a JSON file; the failure is a sentence with the path. */
export async function readJson(path: string): Promise<Result<unknown, string>> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    return succeed(value);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) return fail(`${path} cannot be read: ${reasonOf(cause)}`);
    const hint = /NaN|Infinity/.test(cause.message) ? '; NaN and Infinity are not JSON' : '';
    return fail(`${path} is no JSON: ${cause.message}${hint}`);
  }
}
