import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parse, YAMLError } from 'yaml';

import { BUILTIN_PLUGINS } from '../../scheduler/framework/builtins.ts';
import { checkProfileSpec } from '../../scheduler/framework/check-profile.ts';
import type { PluginInstance, ProfileSpec } from '../../scheduler/framework/plugin.ts';
import type { Registry } from '../../scheduler/framework/registry.ts';
import { createRegistry } from '../../scheduler/framework/registry.ts';
import { importEndpointPickerConfig } from '../../scheduler/import/endpoint-picker-config.ts';
import { formatImportProblem } from '../../scheduler/import/import-problem.ts';
import { DEFAULT_PRESET, DEFAULT_RANKED_COUNT, PRESETS } from '../../scheduler/presets.ts';
import type { PluginModule, SchedulingConfig } from './config.ts';
import type { FilePlugin, FileProfile, FileScheduling } from './file-config.ts';
import type { ConfigPath } from './problem.ts';
import type { ReportProblem } from './references.ts';
import { reasonOf } from './tls-files.ts';

const AT: ConfigPath = ['scheduling'];
/** Larger files are not configurations that anybody wrote. */
const MOST_BYTES = 1_048_576;

/** What the `scheduling` of a file is read with. */
export interface SchedulingContext {
  /** Paths are relative to it. */
  readonly directory: string;
  /** The modules under `plugins`, already loaded. */
  readonly modules: readonly PluginModule[];
  readonly report: ReportProblem;
}

/** A policy, and what of the file it comes from means nothing here. */
interface Policy {
  readonly profile: ProfileSpec;
  readonly endpointPickerConfig: string | null;
  readonly notes: readonly string[];
}

/** Turns `scheduling` into profiles whose plugins and options were checked. */
export function assembleScheduling(
  written: FileScheduling,
  { directory, modules, report }: SchedulingContext,
): SchedulingConfig {
  const definitions = modules.flatMap((module) => module.definitions);
  const registry = createRegistry([...BUILTIN_PLUGINS, ...definitions]);
  const reader = new PolicyReader(directory, registry, report);
  const { shadow } = written;
  return {
    ...reader.read(written),
    shadow: shadow === null ? null : reader.read({ ...shadow, endpointPickerConfig: null }).profile,
    plugins: modules,
  };
}

class PolicyReader {
  readonly #directory: string;
  readonly #registry: Registry;
  readonly #report: ReportProblem;

  constructor(directory: string, registry: Registry, report: ReportProblem) {
    this.#directory = directory;
    this.#registry = registry;
    this.#report = report;
  }

  read(
    written: Pick<FileScheduling, 'preset' | 'profile' | 'endpointPickerConfig'> & {
      readonly shadow?: unknown;
    },
  ): Policy {
    const at: ConfigPath = written.shadow === undefined ? [...AT, 'shadow'] : AT;
    const { preset, profile, endpointPickerConfig } = written;
    const given = Object.entries({ preset, profile, endpointPickerConfig })
      .filter(([, value]) => value !== null)
      .map(([key]) => `"${key}"`);
    if (given.length > 1) this.#report(at, `${given.join(' and ')} exclude each other`, 'keep one');
    if (endpointPickerConfig !== null) return this.#import(endpointPickerConfig);
    if (profile !== null) return plain(this.#profile(profile, [...at, 'profile']));
    return plain(PRESETS[preset ?? DEFAULT_PRESET]);
  }

  #profile({ filters, scorers, picker }: FileProfile, path: ConfigPath): ProfileSpec {
    const paths = new Map<PluginInstance, ConfigPath>();
    const add = (plugin: FilePlugin & { readonly weight?: number }, at: ConfigPath): void => {
      const { type, name, options, weight } = plugin;
      paths.set({ type, name: name ?? type, options: options ?? {}, weight: weight ?? 1 }, at);
    };
    for (const [index, filter] of filters.entries()) add(filter, [...path, 'filters', index]);
    for (const [index, scorer] of scorers.entries()) add(scorer, [...path, 'scorers', index]);
    if (picker !== null) add(picker, [...path, 'picker']);
    const spec = {
      name: 'custom',
      plugins: [...paths.keys()],
      rankedCount: DEFAULT_RANKED_COUNT,
    };
    this.#check(spec, [...paths.values()], path);
    return spec;
  }

  #check(spec: ProfileSpec, paths: readonly ConfigPath[], path: ConfigPath): void {
    for (const { index, option, message } of checkProfileSpec(spec, this.#registry)) {
      const at = paths[index] ?? path;
      if (option === '') this.#report(at, `the plugin ${message}`);
      else this.#report([...at, 'options', option], `the option ${message}`);
    }
    for (const [index, { type }] of spec.plugins.entries()) {
      const at = paths[index] ?? path;
      const kind = this.#registry.find(type)?.kind;
      const place = placeOf(at);
      if (kind !== undefined && kind !== place) {
        const where = kind === 'picker' ? '"picker"' : `"${kind}s"`;
        this.#report(at, `"${type}" is a ${kind}, no ${place}`, `move it to ${where}`);
      }
    }
  }

  #import(written: string): Policy {
    const file = resolve(this.#directory, written);
    const at: ConfigPath = [...AT, 'endpointPickerConfig'];
    const policy: Policy = { ...plain(PRESETS[DEFAULT_PRESET]), endpointPickerConfig: file };
    const document = this.#readDocument(file, written);
    if (document === undefined) return policy;
    const imported = importEndpointPickerConfig(document, this.#registry);
    if (!imported.ok) {
      for (const problem of imported.error) {
        this.#report(at, `${written}: ${formatImportProblem(problem)}`);
      }
      return policy;
    }
    const { profile, notes } = imported.value;
    for (const { message } of checkProfileSpec(profile, this.#registry)) {
      this.#report(at, `${written}: ${message}`);
    }
    return { profile, endpointPickerConfig: file, notes };
  }

  /** Undefined when a problem was reported. */
  #readDocument(file: string, written: string): unknown {
    const at: ConfigPath = [...AT, 'endpointPickerConfig'];
    try {
      const content = readFileSync(file);
      if (content.length > MOST_BYTES) this.#report(at, `${written} is larger than 1 MiB`);
      else
        return parse(content.toString('utf8'), { prettyErrors: false, logLevel: 'error' }) ?? null;
    } catch (cause) {
      const reason =
        cause instanceof YAMLError || cause instanceof ReferenceError
          ? `is not valid YAML: ${cause.message}`
          : `cannot be read: ${reasonOf(cause)}`;
      this.#report(at, `${written} ${reason}`);
    }
    return undefined;
  }
}

function plain(profile: ProfileSpec): Policy {
  return { profile, endpointPickerConfig: null, notes: [] };
}

/** The kind of plugin that belongs at a path of a profile. */
function placeOf(path: ConfigPath): 'filter' | 'scorer' | 'picker' {
  if (path.includes('filters')) return 'filter';
  return path.includes('scorers') ? 'scorer' : 'picker';
}
