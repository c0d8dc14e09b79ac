import { findNearest } from '../../core/nearest.ts';
import { parseOptions } from '../framework/options.ts';
import type { PluginDefinition, PluginKind } from '../framework/plugin.ts';
import type { Registry } from '../framework/registry.ts';
import { DROPPED_PARAMETERS, FOREIGN_TYPES, PRODUCER_PARAMETERS } from './foreign-types.ts';
import type { ImportReport } from './import-problem.ts';

/** A declared plugin that profiles may refer to. */
export interface ImportedPlugin {
  readonly name: string;
  /** Our type; null when what it does is always done here. */
  readonly type: string | null;
  readonly kind: PluginKind | null;
  /** For one of ours. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** Reads `plugins[]`; what cannot be honoured is reported by name with the nearest equivalent. */
export function importPlugins(
  value: unknown,
  registry: Registry,
  report: ImportReport,
): ReadonlyMap<string, ImportedPlugin> {
  const plugins = new Map<string, ImportedPlugin>();
  for (const [index, each] of report.list('plugins', value).entries()) {
    const path = `plugins[${index}]`;
    const written = report.mapping(path, each);
    report.checkKeys(path, written, ['name', 'type', 'parameters']);
    const type = report.text(`${path}.type`, written['type'], 'required');
    if (type === null) continue;
    const name = report.text(`${path}.name`, written['name'], 'optional') ?? type;
    if (plugins.has(name)) report.fail(path, `a plugin named "${name}" comes twice`);
    const parameters = report.mapping(`${path}.parameters`, written['parameters']);
    plugins.set(name, importPlugin({ path, name, type, parameters }, registry, report));
  }
  checkProducers(value, plugins, report);
  return plugins;
}

interface WrittenPlugin {
  readonly path: string;
  readonly name: string;
  readonly type: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

function importPlugin(
  plugin: WrittenPlugin,
  registry: Registry,
  report: ImportReport,
): ImportedPlugin {
  const { path, name, type, parameters } = plugin;
  const definition = registry.find(type);
  if (definition !== null) return importOwn(plugin, definition, report);
  const nothing: ImportedPlugin = { name, type: null, kind: null, options: {} };
  if (type === 'by-label') {
    return importPlugin(translateByLabel(plugin, report), registry, report);
  }
  const foreign = FOREIGN_TYPES[type];
  if (foreign === undefined) {
    const known = [...registry.definitions.map((each) => each.type), ...Object.keys(FOREIGN_TYPES)];
    const nearest = findNearest(type, known);
    const hint = nearest === null ? '' : `; did you mean "${nearest}"?`;
    report.fail(path, `plugin "${name}" is of the unknown type "${type}"${hint}`);
    return nothing;
  }
  switch (foreign.kind) {
    case 'alias':
      return importPlugin({ ...plugin, type: foreign.type }, registry, report);
    case 'missing':
      report.fail(
        path,
        `plugin "${name}" of type "${type}" cannot be honoured: ${foreign.reason}; ` +
          `nearest is ${foreign.nearest}`,
      );
      return nothing;
    case 'built-in':
      report.checkKeys(`${path}.parameters`, parameters, foreign.parameters);
      if (Object.keys(parameters).length > 0) {
        report.note(path, `parameters of "${name}" mean nothing here: ${foreign.instead}`);
      }
      return nothing;
  }
}

function importOwn(
  { path, name, type, parameters }: WrittenPlugin,
  definition: PluginDefinition,
  report: ImportReport,
): ImportedPlugin {
  const options: Record<string, unknown> = {};
  const dropped = DROPPED_PARAMETERS[type] ?? {};
  for (const [key, value] of Object.entries(parameters)) {
    if (key in PRODUCER_PARAMETERS) continue;
    const reason = dropped[key];
    if (reason !== undefined) report.note(`${path}.parameters.${key}`, `means nothing: ${reason}`);
    else if (key === 'profileName' && (value === '' || value === 'default')) continue;
    else options[key] = value;
  }
  const parsed = parseOptions(definition.options, options);
  if (!parsed.ok) {
    for (const { option, message } of parsed.error) {
      report.fail(`${path}.parameters.${option}`, `of plugin "${name}" ${message}`);
    }
  }
  return { name, type, kind: definition.kind, options };
}

/** `by-label` of old configurations is a label selector, unless it also keeps the unlabelled. */
function translateByLabel(plugin: WrittenPlugin, report: ImportReport): WrittenPlugin {
  const { path, name, parameters } = plugin;
  const at = `${path}.parameters`;
  report.checkKeys(at, parameters, ['label', 'validValues', 'allowsNoLabel']);
  const key = report.text(`${at}.label`, parameters['label'], 'required');
  const values = report.list(`${at}.validValues`, parameters['validValues']);
  const isOptional = parameters['allowsNoLabel'] === true;
  if (isOptional && values.length > 0) {
    report.fail(
      path,
      `plugin "${name}" of type "by-label" cannot be honoured with "allowsNoLabel": a selector ` +
        'has no "or"; nearest is "decode-filter" for roles, or a label on every endpoint',
    );
  }
  const expression = isOptional
    ? { key, operator: 'DoesNotExist' }
    : { key, operator: 'In', values };
  return {
    ...plugin,
    type: 'label-selector-filter',
    parameters: { matchExpressions: [expression] },
  };
}

/** A producer that a parameter names must be the kind of which there is one here. */
function checkProducers(
  value: unknown,
  plugins: ReadonlyMap<string, ImportedPlugin>,
  report: ImportReport,
): void {
  if (!Array.isArray(value)) return;
  for (const [index, each] of value.entries()) {
    const parameters = (each as { parameters?: Record<string, unknown> } | null)?.parameters ?? {};
    for (const [key, standard] of Object.entries(PRODUCER_PARAMETERS)) {
      const producer = parameters[key];
      if (producer === undefined || producer === '' || producer === standard) continue;
      if (typeof producer === 'string' && plugins.has(producer)) continue;
      const message = `no plugin is named ${JSON.stringify(producer)}; leave it out`;
      report.fail(`plugins[${index}].parameters.${key}`, message);
    }
  }
}
