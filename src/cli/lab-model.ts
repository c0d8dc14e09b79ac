import { readFile } from 'node:fs/promises';

import { fail, succeed, type Result } from '../core/result.ts';
import { createProfile } from '../simulator/hardware/create-profile.ts';
import { readModelConfig } from '../simulator/hardware/model-config.ts';
import type { EngineProfile } from '../simulator/hardware/profiles.ts';
import { reasonOf } from './config/tls-files.ts';
import type { ParsedOptions } from './options.ts';

/**
 * The profile of `--model-config`, `--accelerator` and `--tensor-parallel`; null without the first.
 * The failure is a sentence for the user, such as by how many GiB the model does not fit.
 */
export async function readModelProfile(
  options: ParsedOptions,
): Promise<Result<EngineProfile | null, string>> {
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
  let json: unknown;
  try {
    json = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    const isSyntax = cause instanceof SyntaxError;
    return fail(`${path} ${isSyntax ? 'is no JSON' : 'cannot be read'}: ${reasonOf(cause)}`);
  }
  const shape = readModelConfig(json);
  if (!shape.ok) return fail(`${path}: ${shape.error.message}`);
  const profile = createProfile(shape.value, accelerator, { tensorParallel });
  return profile.ok ? profile : fail(profile.error.message);
}
