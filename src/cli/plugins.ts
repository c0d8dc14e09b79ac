import { readFileSync, statSync } from 'node:fs';
import { createRequire, findPackageJSON } from 'node:module';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import type { Result } from '../core/result.ts';
import { fail, succeed } from '../core/result.ts';
import { BUILTIN_PLUGINS } from '../scheduler/framework/builtins.ts';
import { isRecord } from '../scheduler/framework/options.ts';
import type { PluginDefinition } from '../scheduler/framework/plugin.ts';
import type { PluginModule } from './config/config.ts';
import { reasonOf } from './config/tls-files.ts';

/** Why a module of plugins cannot be used. */
export interface PluginModuleProblem {
  /** Place of the module in the list. */
  readonly index: number;
  readonly message: string;
}

const KINDS: readonly unknown[] = ['filter', 'scorer', 'picker'];
const OPTION_KINDS: readonly unknown[] = [
  'number',
  'integer',
  'boolean',
  'text',
  'choice',
  'custom',
];
const TYPE = /^[a-z0-9]+(-[a-z0-9]+)*$/;

/**
 * Imports modules of third-party plugins and checks what they export: `plugins`, an array of plugin
 * definitions. A specifier that begins with `.` or `/` is a file relative to `directory`; any other
 * is a package, as found from there. They run inside the process, with all of its rights.
 */
export async function loadPlugins(
  specifiers: readonly string[],
  directory: string,
): Promise<Result<readonly PluginModule[], readonly PluginModuleProblem[]>> {
  const modules: PluginModule[] = [];
  const problems: PluginModuleProblem[] = [];
  const types = new Map(BUILTIN_PLUGINS.map(({ type }) => [type, 'Penstock']));
  for (const [index, specifier] of specifiers.entries()) {
    const file = isFile(specifier) ? resolve(directory, specifier) : null;
    const exported = await importPlugins(specifier, file, directory);
    if (!exported.ok) {
      problems.push({ index, message: exported.error });
      continue;
    }
    const wrong = findProblem(exported.value, types);
    if (wrong !== null) {
      problems.push({ index, message: `${specifier}: ${wrong}` });
      continue;
    }
    const definitions = exported.value as readonly PluginDefinition[];
    for (const { type } of definitions) types.set(type, specifier);
    modules.push({ specifier, file, definitions });
  }
  return problems.length > 0 ? fail(problems) : succeed(modules);
}

function isFile(specifier: string): boolean {
  return specifier.startsWith('.') || isAbsolute(specifier);
}

async function importPlugins(
  specifier: string,
  file: string | null,
  directory: string,
): Promise<Result<unknown, string>> {
  try {
    const url = file === null ? urlOfPackage(specifier, directory) : urlOfFile(file);
    const module = (await import(url)) as Readonly<Record<string, unknown>>;
    return succeed(module['plugins']);
  } catch (cause) {
    return fail(`${specifier} cannot be imported: ${reasonOf(cause).split('\n')[0]}`);
  }
}

/** A changed file is another module, so that a reload uses it. */
function urlOfFile(file: string): string {
  const url = pathToFileURL(file);
  url.searchParams.set('changed', String(statSync(file).mtimeMs));
  return url.href;
}

/** As Node would find it from a file in `directory`. */
function urlOfPackage(specifier: string, directory: string): string {
  const from = join(directory, 'penstock.yaml');
  try {
    return pathToFileURL(createRequire(from).resolve(specifier)).href;
  } catch (cause) {
    // A package that can only be imported, not required, is found by its manifest.
    const manifest = findPackageJSON(specifier, from);
    if (manifest === undefined) throw cause;
    const { exports } = JSON.parse(readFileSync(manifest, 'utf8')) as { exports?: unknown };
    const target = entryOf(isRecord(exports) && '.' in exports ? exports['.'] : exports);
    if (target === null) throw cause;
    return pathToFileURL(join(dirname(manifest), target)).href;
  }
}

/** The file of an entry of `exports` in package.json, for an import by Node. */
function entryOf(entry: unknown): string | null {
  if (typeof entry === 'string') return entry;
  if (!isRecord(entry)) return null;
  for (const condition of ['node', 'import', 'default']) {
    const target = entryOf(entry[condition]);
    if (target !== null) return target;
  }
  return null;
}

/** What is wrong with an export, or null. */
function findProblem(exported: unknown, types: ReadonlyMap<string, string>): string | null {
  if (exported === undefined) return 'has no export named "plugins"';
  if (!Array.isArray(exported) || exported.length === 0) {
    return 'exports no list of plugin definitions as "plugins"';
  }
  const own = new Set<unknown>();
  for (const [index, definition] of exported.entries()) {
    const wrong = findDefinitionProblem(definition);
    if (wrong !== null) return `plugins[${index}] ${wrong}`;
    const { type } = definition as PluginDefinition;
    const owner = own.has(type) ? 'this module itself' : types.get(type);
    if (owner !== undefined) return `plugins[${index}] has the type "${type}" of ${owner}`;
    own.add(type);
  }
  return null;
}

function findDefinitionProblem(definition: unknown): string | null {
  if (!isRecord(definition)) return 'is no object';
  const { type, kind, summary, options, create } = definition;
  if (typeof type !== 'string' || !TYPE.test(type)) {
    return 'needs a "type" of lower-case words joined by hyphens';
  }
  if (!KINDS.includes(kind)) return `("${type}") needs a "kind": filter, scorer or picker`;
  if (typeof summary !== 'string') return `("${type}") needs a "summary"`;
  if (typeof create !== 'function') return `("${type}") needs a function "create"`;
  if (!Array.isArray(options)) return `("${type}") needs a list "options"`;
  const isTable = options.every((option) => isOption(option));
  return isTable ? null : `("${type}") has an option without name, known kind or doc`;
}

function isOption(option: unknown): boolean {
  if (!isRecord(option)) return false;
  const { name, kind, doc, parse } = option;
  if (typeof name !== 'string' || typeof doc !== 'string' || !OPTION_KINDS.includes(kind)) {
    return false;
  }
  return kind !== 'custom' || typeof parse === 'function';
}
