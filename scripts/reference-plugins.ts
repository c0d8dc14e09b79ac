// The tables of docs/reference/plugins.md.

import { BUILTIN_PLUGINS } from '../src/scheduler/framework/builtins.ts';
import type { PluginOption } from '../src/scheduler/framework/options.ts';
import type { PluginDefinition, PluginInstance } from '../src/scheduler/framework/plugin.ts';
import { FOREIGN_TYPES } from '../src/scheduler/import/foreign-types.ts';
import {
  DEFAULT_PRESET,
  PRESET_NAMES,
  PRESET_SUMMARIES,
  PRESETS,
} from '../src/scheduler/presets.ts';

const KINDS = [
  ['filter', 'Filters'],
  ['scorer', 'Scorers'],
  ['picker', 'Pickers'],
] as const;

/** All generated sections of the page. */
export function pluginTables(): string {
  return [
    presetTable(),
    ...KINDS.map(([kind, title]) => kindSection(kind, title)),
    foreignTable(),
  ].join('\n');
}

function presetTable(): string {
  const rows = PRESET_NAMES.map((name) => {
    const marked = name === DEFAULT_PRESET ? `\`${name}\` (default)` : `\`${name}\``;
    const plugins = PRESETS[name].plugins.map(describeInstance).join(', ');
    return `| ${marked} | ${cell(PRESET_SUMMARIES[name])} | ${plugins} |`;
  });
  return table('Presets', ['Preset', 'First choice', 'Made of'], rows);
}

function describeInstance({ type, weight }: PluginInstance): string {
  const kind = BUILTIN_PLUGINS.find((definition) => definition.type === type)?.kind;
  return kind === 'scorer' ? `\`${type}\` ${weight}` : `\`${type}\``;
}

function kindSection(kind: PluginDefinition['kind'], title: string): string {
  const definitions = BUILTIN_PLUGINS.filter((definition) => definition.kind === kind);
  const rows = definitions.map(({ type, summary }) => `| \`${type}\` | ${cell(summary)} |`);
  const options = definitions.flatMap(({ type, options: known }) =>
    known.map((option) => optionRow(type, option)),
  );
  return [
    table(title, ['Type', 'What it does'], rows),
    table(
      `Options of ${title.toLowerCase()}`,
      ['Type', 'Option', 'Value', 'Default', 'Meaning'],
      options,
    ),
  ].join('\n');
}

function optionRow(type: string, option: PluginOption): string {
  const cells = [`\`${type}\``, `\`${option.name}\``, describeValue(option), defaultOf(option)];
  return `| ${cells.join(' | ')} | ${cell(option.doc)} |`;
}

function describeValue(option: PluginOption): string {
  switch (option.kind) {
    case 'number':
    case 'integer':
      return `${option.min} to ${option.max}${option.unit === '' ? '' : ` ${option.unit}`}`;
    case 'boolean':
      return 'true or false';
    case 'text':
      return 'text';
    case 'choice':
      return option.choices.map((choice) => `\`${choice}\``).join(', ');
    case 'custom':
      return cell(option.shape);
  }
}

function defaultOf(option: PluginOption): string {
  const { default: value } = option;
  const isRequired = option.kind === 'custom' ? value === undefined : value === null;
  if (isRequired) return 'required';
  return value === null || (Array.isArray(value) && value.length === 0)
    ? 'none'
    : `\`${JSON.stringify(value)}\``;
}

function foreignTable(): string {
  const rows = Object.entries(FOREIGN_TYPES).map(([type, foreign]) => {
    switch (foreign.kind) {
      case 'alias':
        return `| \`${type}\` | accepted | another name of \`${foreign.type}\` |`;
      case 'built-in':
        return `| \`${type}\` | accepted | always done here${foreign.instead === '' ? '' : `: ${cell(foreign.instead)}`} |`;
      case 'missing':
        return `| \`${type}\` | refused | ${cell(foreign.reason)}; nearest is ${cell(foreign.nearest)} |`;
    }
  });
  return table(
    'Plugins of an imported file',
    ['Plugin type', 'Import', 'What becomes of it'],
    rows,
  );
}

function table(title: string, headings: readonly string[], rows: readonly string[]): string {
  return [
    `## ${title}`,
    '',
    `| ${headings.join(' | ')} |`,
    `|${headings.map(() => '---|').join('')}`,
    ...rows,
    '',
  ].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
