import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, extname, resolve } from 'node:path';

import { parse } from 'yaml';

import { fail, succeed, type Result } from '../core/result.ts';
import { isRecord } from '../scheduler/framework/options.ts';
import { describeUnknownPreset, findPreset, PRESETS } from '../scheduler/presets.ts';
import type { LabPolicy } from '../simulator/lab/types.ts';
import type { SchedulingConfig } from './config/config.ts';
import { ConfigDocument } from './config/document.ts';
import type { FileScheduling } from './config/file-config.ts';
import { loadConfig } from './config/load.ts';
import { formatProblem, type ConfigProblem } from './config/problem.ts';
import { SCHEDULING_SCHEMA } from './config/scheduling-schema.ts';
import { assembleScheduling } from './config/scheduling.ts';
import { reasonOf } from './config/tls-files.ts';
import { validateDocument } from './config/validate.ts';
import { loadPlugins } from './plugins.ts';

/** Larger files are not policies that anybody wrote. */
const MOST_BYTES = 1_048_576;

/**
 * Reads what `--policy` names: presets, `all` of them, or files. A file is an EndpointPickerConfig,
 * a whole `penstock.yaml`, or what stands under its `scheduling`. Names are made unique.
 */
export async function readPolicies(
  names: readonly string[],
): Promise<Result<readonly LabPolicy[], string>> {
  const policies: LabPolicy[] = [];
  for (const name of names) {
    const read = await readPolicy(name);
    if (!read.ok) return read;
    policies.push(...read.value);
  }
  if (policies.length === 0) return fail('no policy is named');
  const seen = new Set<string>();
  for (const { name } of policies) {
    if (seen.has(name)) return fail(`the policy ${name} is given twice`);
    seen.add(name);
  }
  return succeed(policies);
}

async function readPolicy(name: string): Promise<Result<readonly LabPolicy[], string>> {
  if (name === 'all') {
    return succeed(Object.values(PRESETS).map((profile) => fromProfile(profile.name, profile)));
  }
  const preset = findPreset(name);
  if (preset !== null) return succeed([fromProfile(name, preset)]);
  if (!isFileName(name)) return fail(describeUnknownPreset(name));
  const scheduling = await readFileOfPolicy(name);
  if (!scheduling.ok) return scheduling;
  const { profile, plugins } = scheduling.value;
  const called = basename(name, extname(name));
  return succeed([
    {
      name: called,
      profile: { ...profile, name: called },
      plugins: plugins.flatMap(({ definitions }) => definitions),
    },
  ]);
}

function fromProfile(name: string, profile: LabPolicy['profile']): LabPolicy {
  return { name, profile, plugins: [] };
}

function isFileName(name: string): boolean {
  return /[/\\]|\.(ya?ml|json)$/.test(name) || existsSync(name);
}

async function readFileOfPolicy(path: string): Promise<Result<SchedulingConfig, string>> {
  let source: string;
  let document: unknown;
  try {
    const content = await readFile(path);
    if (content.length > MOST_BYTES) return fail(`${path} is larger than 1 MiB`);
    source = content.toString('utf8');
  } catch (cause) {
    return fail(`${path} cannot be read: ${reasonOf(cause)}`);
  }
  try {
    document = parse(source, { prettyErrors: false, logLevel: 'error' });
  } catch (cause) {
    return fail(`${path} is not valid YAML: ${reasonOf(cause)}`);
  }
  if (!isRecord(document)) return fail(`${path} is no mapping; ${FILE_HINT}`);
  if (document['kind'] !== undefined) return fromPickerConfig(path);
  if (document['scheduling'] === undefined) return fromScheduling(source, path);
  const loaded = await loadConfig(path);
  return loaded.ok ? succeed(loaded.value.scheduling) : describe(loaded.error);
}

const FILE_HINT =
  'a policy file is an EndpointPickerConfig, or has preset or profile as under "scheduling" of penstock.yaml';

async function fromPickerConfig(path: string): Promise<Result<SchedulingConfig, string>> {
  const written: FileScheduling = {
    preset: null,
    profile: null,
    endpointPickerConfig: basename(path),
    shadow: null,
    plugins: [],
  };
  return assemble(written, new ConfigDocument('', path));
}

async function fromScheduling(
  source: string,
  path: string,
): Promise<Result<SchedulingConfig, string>> {
  const document = new ConfigDocument(source, path);
  const validated = validateDocument(document, SCHEDULING_SCHEMA);
  if (!validated.ok) return describe(validated.error);
  return assemble(validated.value, document);
}

async function assemble(
  written: FileScheduling,
  document: ConfigDocument,
): Promise<Result<SchedulingConfig, string>> {
  const directory = dirname(resolve(document.file));
  const loaded = await loadPlugins(written.plugins, directory);
  if (!loaded.ok) return fail(`${document.file}: ${loaded.error[0]?.message ?? ''}`);
  const problems: ConfigProblem[] = [];
  const scheduling = assembleScheduling(written, {
    directory,
    modules: loaded.value,
    report: (at, message, suggestion) => {
      // What is reported lies under `scheduling`, which is the whole of this file.
      problems.push(document.problemAt(at.slice(1), message, suggestion ?? null));
    },
  });
  return problems.length > 0 ? describe(problems) : succeed(scheduling);
}

function describe(problems: readonly ConfigProblem[]): Result<never, string> {
  return fail(problems.map(formatProblem).join('\n'));
}
