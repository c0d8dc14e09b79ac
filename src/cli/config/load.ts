import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

import { fail, succeed, type Result } from '../../core/result.ts';
import { assembleConfig } from './assemble.ts';
import { loadPlugins } from '../plugins.ts';
import type { PenstockConfig, PluginModule } from './config.ts';
import type { FileConfig } from './file-config.ts';
import { assembleScheduling } from './scheduling.ts';
import { ConfigDocument } from './document.ts';
import { sortProblems, type ConfigPath, type ConfigProblem } from './problem.ts';
import { checkReferences, type ReportProblem } from './references.ts';
import { CONFIG_SCHEMA } from './schema.ts';
import { reasonOf, TlsFiles } from './tls-files.ts';
import { validateDocument } from './validate.ts';

/** Larger files are not configurations that anybody wrote. */
const MOST_BYTES = 8_388_608;

/** A configuration, or everything that is wrong with it. */
export type LoadedConfig = Result<PenstockConfig, readonly ConfigProblem[]>;

/**
 * Reads and checks a configuration file and the certificates it names, relative to its directory.
 * Never throws for what the file or its text is.
 */
export async function loadConfig(path: string): Promise<LoadedConfig> {
  try {
    const content = await readFile(path);
    if (content.length > MOST_BYTES) return failToRead(path, 'it is larger than 8 MiB');
    return await loadSource(content.toString('utf8'), path);
  } catch (cause) {
    return failToRead(path, reasonOf(cause));
  }
}

async function loadSource(source: string, path: string): Promise<LoadedConfig> {
  const document = new ConfigDocument(source, path);
  const validated = validateDocument(document, CONFIG_SCHEMA);
  if (!validated.ok) return validated;
  const loaded = await loadPlugins(validated.value.scheduling.plugins, dirname(resolve(path)));
  if (loaded.ok) return finishConfig(document, validated.value, loaded.value);
  return fail(
    loaded.error.map(({ index, message }) =>
      document.problemAt(['scheduling', 'plugins', index], message),
    ),
  );
}

/**
 * Checks the text of a configuration file that stands at `path`. It does not load plugins, so their
 * types are unknown here.
 */
export function parseConfig(source: string, path: string): LoadedConfig {
  const document = new ConfigDocument(source, path);
  const validated = validateDocument(document, CONFIG_SCHEMA);
  return validated.ok ? finishConfig(document, validated.value, []) : validated;
}

/** Checks what the schema cannot, and puts the configuration together. */
function finishConfig(
  document: ConfigDocument,
  written: FileConfig,
  modules: readonly PluginModule[],
): LoadedConfig {
  const problems: ConfigProblem[] = [];
  const report: ReportProblem = (at: ConfigPath, message, suggestion) => {
    problems.push(document.problemAt(at, message, suggestion ?? null));
  };
  checkReferences(written, report);
  const file = resolve(document.file);
  const directory = dirname(file);
  const config = assembleConfig(written, {
    file,
    tlsFiles: new TlsFiles(directory, report),
    scheduling: assembleScheduling(written.scheduling, { directory, modules, report }),
  });
  return problems.length > 0 ? fail(sortProblems(problems)) : succeed(config);
}

/** The configuration that holds without a file. */
export function defaultConfig(): PenstockConfig {
  const loaded = parseConfig('', 'defaults');
  if (loaded.ok) return { ...loaded.value, file: null };
  throw new Error(`the defaults are not valid: ${JSON.stringify(loaded.error)}`);
}

function failToRead(path: string, reason: string): LoadedConfig {
  const message = `cannot be read: ${reason}`;
  return fail([{ file: path, path: '', line: null, column: null, message, suggestion: null }]);
}
