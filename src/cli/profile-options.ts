import { fail, succeed, type Result } from '../core/result.ts';
import {
  createBasedProfile,
  type BasedProfile,
} from '../simulator/calibration/profile-override.ts';
import { isJsonObject } from '../simulator/server/json-value.ts';
import type { ParsedOptions } from './options.ts';
import { readJson, readProfile } from './profile-file.ts';

/**
 * The profile of `--model-config`, `--accelerator` and `--tensor-parallel`; null without the first.
 * The failure is a sentence for the user, such as by how many GiB the model does not fit.
 */
export async function readModelProfile(
  options: ParsedOptions,
): Promise<Result<BasedProfile | null, string>> {
  const path = options.string('model-config');
  const accelerator = options.string('accelerator');
  const tensorParallel = options.number('tensor-parallel') ?? 1;
  if (path === null) {
    const stray = ['accelerator', 'tensor-parallel'].find((flag) => options.isGiven(flag));
    return stray === undefined ? succeed(null) : fail(`--${stray} needs --model-config FILE`);
  }
  if (options.isGiven('profile')) {
    return fail('--profile and --model-config exclude each other; keep one');
  }
  if (accelerator === null) return fail('--model-config needs --accelerator, for example h100');
  const json = await readJson(path);
  if (!json.ok) return json;
  if (!isJsonObject(json.value)) return fail(`${path}: a model's config.json is a JSON object`);
  const based = createBasedProfile({ modelConfig: json.value, accelerator, tensorParallel });
  return based.ok ? based : fail(`${path}: ${based.error}`);
}

/** The profile of `--model-config` or else of `--profile`; null when neither is given. */
export async function readOneProfile(
  options: ParsedOptions,
): Promise<Result<BasedProfile | null, string>> {
  const own = await readModelProfile(options);
  if (!own.ok || own.value !== null) return own;
  const name = options.string('profile');
  if (name === null) return succeed(null);
  const named = await readProfile(name);
  return named.ok ? named : fail(`--profile: ${named.error}`);
}
