// Writes the tables of docs/reference/configuration.md, cli.md and plugins.md from the code,
// between their marks; with `--check` only compares.

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { EXIT_CODE_NOTES, EXIT_CODES } from '../src/cli/command.ts';
import { COMMANDS } from '../src/cli/command-list.ts';
import { listKeys, type KnownKey } from '../src/cli/config/schema-index.ts';
import { CONFIG_SCHEMA } from '../src/cli/config/schema.ts';
import type { SchemaNode } from '../src/cli/config/schema-node.ts';
import { FORMATS } from '../src/cli/config/formats.ts';
import { unitOf } from '../src/cli/config/units.ts';
import { formatDefault, formatFlag } from '../src/cli/help.ts';
import { pluginTables } from './reference-plugins.ts';

const FOLDER = path.resolve(import.meta.dirname, '..', 'docs', 'reference');
const BEGIN = '<!-- generated from the code: begin -->';
const END = '<!-- generated from the code: end -->';

function configurationTables(): string {
  const keys = listKeys(CONFIG_SCHEMA);
  const parents = [...new Set(keys.map(({ parent }) => parent))];
  return parents.map((parent) => configurationTable(keys, parent)).join('\n');
}

function configurationTable(keys: readonly KnownKey[], parent: string): string {
  const rows = keys.filter((known) => known.parent === parent);
  const title = parent === '' ? 'Top level' : `\`${parent}\``;
  return [
    `## ${title}`,
    '',
    '| Key | Value | Default | Meaning |',
    '|---|---|---|---|',
    ...rows.map(configurationRow),
    '',
  ].join('\n');
}

function configurationRow({ key, property }: KnownKey): string {
  const unit = property.node.kind === 'integer' ? unitOf(key) : null;
  const value = `${describe(property.node)}${unit === null ? '' : ` ${unit}`}`;
  const nullable = property.isNullable ? ', or null' : '';
  return `| \`${key}\` | ${value}${nullable} | ${defaultOf(property)} | ${cell(property.doc)} |`;
}

function defaultOf({ presence }: KnownKey['property']): string {
  if (presence.kind === 'required') return 'required';
  if (presence.kind === 'section') return 'see below';
  return presence.value === null ? 'none' : `\`${JSON.stringify(presence.value)}\``;
}

function describe(node: SchemaNode): string {
  switch (node.kind) {
    case 'string':
      return FORMATS[node.format].description;
    case 'integer':
    case 'number':
      return `${node.min} to ${node.max}`;
    case 'boolean':
      return 'true or false';
    case 'choice':
      return node.choices.map((each) => `\`${each}\``).join(', ');
    case 'array':
      return `list of ${node.item.kind === 'object' ? 'mappings' : describe(node.item)}`;
    case 'map':
      return 'mapping of text to text';
    case 'free':
      return 'mapping of options';
    case 'object':
      return 'mapping';
  }
}

function cliTables(): string {
  const commands = COMMANDS.map(({ name, summary, operands, options }) => {
    const head = [`## \`${['penstock', name, ...operands].join(' ')}\``, '', summary, ''];
    if (options.length === 0) return [...head, 'No options but `--help`.', ''].join('\n');
    const rows = options.map((option) => {
      const environment = option.env === null ? '' : `\`${option.env}\``;
      const value = formatDefault(option);
      const shown = value === null ? '' : `\`${value}\``;
      const flag = `\`${cell(formatFlag(option))}\``;
      return `| ${flag} | ${environment} | ${shown} | ${cell(option.help)} |`;
    });
    const table = ['| Flag | Environment | Default | Meaning |', '|---|---|---|---|', ...rows, ''];
    return [...head, ...table].join('\n');
  });
  return [...commands, exitCodeTable()].join('\n');
}

function exitCodeTable(): string {
  const names = Object.keys(EXIT_CODES) as (keyof typeof EXIT_CODES)[];
  const rows = names.map((name) => `| ${EXIT_CODES[name]} | ${EXIT_CODE_NOTES[name]} |`);
  return ['## Exit codes', '', '| Code | Meaning |', '|---|---|', ...rows, ''].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function update(name: string, tables: string): void {
  const file = path.join(FOLDER, name);
  const page = readFileSync(file, 'utf8');
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`${name} lacks the marks of its generated part`);
  const wanted = `${page.slice(0, begin + BEGIN.length)}\n\n${tables}\n${page.slice(end)}`;
  if (wanted === page) return;
  if (process.argv.includes('--check')) {
    console.error(`docs/reference/${name} is not what the code gives`);
    process.exitCode = 1;
  } else writeFileSync(file, wanted);
}

update('configuration.md', configurationTables());
update('cli.md', cliTables());
update('plugins.md', pluginTables());
