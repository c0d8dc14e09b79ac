import { findNearest } from '../../core/nearest.ts';
import type { Result } from '../../core/result.ts';
import { fail, succeed } from '../../core/result.ts';
import { isRecord } from '../framework/options.ts';
import type { PluginInstance, ProfileSpec } from '../framework/plugin.ts';
import type { Registry } from '../framework/registry.ts';
import { DEFAULT_RANKED_COUNT, PRESETS } from '../presets.ts';
import { FOREIGN_TYPES } from './foreign-types.ts';
import type { ImportedPlugin } from './import-plugins.ts';
import { importPlugins } from './import-plugins.ts';
import type { ImportProblem } from './import-problem.ts';
import { ImportReport } from './import-problem.ts';
import { checkSections } from './import-sections.ts';

/** What a document of the endpoint picker means here. */
export interface ImportedConfig {
  readonly profile: ProfileSpec;
  /** What was accepted and means nothing here, one line each with the reason. */
  readonly notes: readonly string[];
}

const API_VERSIONS: readonly string[] = [
  'llm-d.ai/v1alpha1',
  'inference.networking.x-k8s.io/v1alpha1',
];
const KIND = 'EndpointPickerConfig';
const KEYS: readonly string[] = [
  'apiVersion',
  'kind',
  'metadata',
  'featureGates',
  'plugins',
  'schedulingProfiles',
  'dataLayer',
  'data',
  'flowControl',
  'requestHandler',
  'saturationDetector',
  'parser',
];

/**
 * Reads an `EndpointPickerConfig` (already parsed from YAML) of llm-d's endpoint picker or of the
 * Gateway API Inference Extension before it. Plugins and their parameters mean what they mean
 * there; data that they need is always there. What cannot be honoured is a problem.
 */
export function importEndpointPickerConfig(
  document: unknown,
  registry: Registry,
): Result<ImportedConfig, readonly ImportProblem[]> {
  if (!isRecord(document)) return fail([{ path: '', message: `is no mapping with a "kind"` }]);
  const report = new ImportReport();
  checkHead(document, report);
  report.checkKeys('', document, KEYS);
  const plugins = importPlugins(document['plugins'], registry, report);
  const known = new Set([...plugins.keys(), ...builtInTypes()]);
  checkSections(document, known, report);
  const profile = importProfile(document['schedulingProfiles'], plugins, report);
  if (report.problems.length > 0) return fail(report.problems);
  return succeed({ profile, notes: report.notes });
}

function checkHead(document: Readonly<Record<string, unknown>>, report: ImportReport): void {
  const { apiVersion, kind } = document;
  if (kind !== KIND) report.fail('kind', `must be ${KIND}`);
  if (!API_VERSIONS.includes(String(apiVersion))) {
    report.fail('apiVersion', `must be ${API_VERSIONS.join(' or ')}`);
  }
}

function builtInTypes(): readonly string[] {
  return Object.keys(FOREIGN_TYPES).filter((type) => FOREIGN_TYPES[type]?.kind === 'built-in');
}

function importProfile(
  value: unknown,
  plugins: ReadonlyMap<string, ImportedPlugin>,
  report: ImportReport,
): ProfileSpec {
  const profiles = report.list('schedulingProfiles', value);
  const [first] = profiles;
  if (first === undefined) return createDefault(plugins);
  if (profiles.length > 1) {
    report.fail(
      'schedulingProfiles',
      `${profiles.length} profiles cannot be honoured: prefill and decode on separate endpoints ` +
        'are not supported; nearest is a single profile with "decode-filter"',
    );
  }
  const path = 'schedulingProfiles[0]';
  const written = report.mapping(path, first);
  report.checkKeys(path, written, ['name', 'plugins']);
  const name = report.text(`${path}.name`, written['name'], 'required') ?? 'default';
  const instances: PluginInstance[] = [];
  for (const [index, each] of report.list(`${path}.plugins`, written['plugins']).entries()) {
    const at = `${path}.plugins[${index}]`;
    const instance = importReference(at, report.mapping(at, each), { plugins, report });
    if (instance === null) continue;
    if (instances.some((other) => other.name === instance.name)) {
      report.fail(`${at}.pluginRef`, `"${instance.name}" is referred to twice`);
    }
    instances.push(instance);
  }
  return createProfileSpec(name, instances);
}

function importReference(
  path: string,
  written: Readonly<Record<string, unknown>>,
  {
    plugins,
    report,
  }: {
    readonly plugins: ReadonlyMap<string, ImportedPlugin>;
    readonly report: ImportReport;
  },
): PluginInstance | null {
  report.checkKeys(path, written, ['pluginRef', 'weight']);
  const reference = report.text(`${path}.pluginRef`, written['pluginRef'], 'required');
  if (reference === null) return null;
  const plugin = plugins.get(reference);
  if (plugin === undefined) {
    const nearest = findNearest(reference, plugins.keys());
    const hint = nearest === null ? '' : `; did you mean "${nearest}"?`;
    report.fail(`${path}.pluginRef`, `no plugin is named "${reference}"${hint}`);
    return null;
  }
  const weight = written['weight'] ?? 1;
  if (typeof weight !== 'number' || !(weight >= 0 && Number.isFinite(weight))) {
    report.fail(`${path}.weight`, 'must be a number of 0 or more');
    return null;
  }
  return createInstance(plugin, weight);
}

function createInstance(
  { name, type, options }: ImportedPlugin,
  weight: number,
): PluginInstance | null {
  return type === null ? null : { type, name, options, weight };
}

/**
 * Without profiles, all plugins make one; without plugins, the picker's built-in default holds. An
 * import has the prefix index that is corrected, however prefixes are known there.
 */
function createDefault(plugins: ReadonlyMap<string, ImportedPlugin>): ProfileSpec {
  const instances = [...plugins.values()].flatMap((plugin) => createInstance(plugin, 1) ?? []);
  if (instances.length === 0) return { ...PRESETS['llm-d-precise'], name: 'default' };
  return createProfileSpec('default', instances);
}

/**
 * A picker's list of one endpoint is its default there and leaves no fallbacks; a longer one was
 * asked for.
 */
function createProfileSpec(name: string, instances: readonly PluginInstance[]): ProfileSpec {
  let rankedCount = DEFAULT_RANKED_COUNT;
  const plugins = instances.map((instance) => {
    const { maxNumOfEndpoints, ...options } = instance.options;
    if (typeof maxNumOfEndpoints !== 'number') return instance;
    rankedCount = Math.max(rankedCount, maxNumOfEndpoints);
    return { ...instance, options };
  });
  return { name, plugins, rankedCount };
}
