import { resolve } from 'node:path';
import { fail, succeed, type Result } from '../../core/result.ts';
import { LOG_LEVELS, type LogLevel } from '../../telemetry/log-level.ts';
import type { ParsedOptions } from '../options.ts';
import { isSameListenAddress, formatHostPort, parseHostPort, parseServerUrl } from './address.ts';
import type { HostPort, PenstockConfig } from './config.ts';
import { FORMATS, type FormatName } from './formats.ts';
import { defaultConfig, loadConfig, type LoadedConfig } from './load.ts';
import { quote, type ConfigProblem } from './problem.ts';

/** Settings of `penstock up` that win over the file. */
export interface ConfigOverrides {
  /** Added to the file's servers. */
  readonly servers: readonly string[];
  /** Address of the first listener; null keeps the file's. */
  readonly listen: HostPort | null;
  readonly admin: HostPort | null;
  readonly logLevel: LogLevel | null;
  readonly sampleRequests: number | null;
  readonly drainTimeoutMs: number | null;
  /** Absolute path of the recording; null keeps the file's. */
  readonly recordPath: string | null;
  readonly recordMaxBytes: number | null;
  readonly recordFiles: number | null;
}

/**
 * What `penstock up` runs with: the file named by `--config`, or the defaults, with flags and
 * environment on top. Call it again to reload.
 */
export async function loadUpConfig(options: ParsedOptions): Promise<LoadedConfig> {
  const overrides = readOverrides(options);
  if (!overrides.ok) return overrides;
  const file = options.string('config');
  const loaded: LoadedConfig = file === null ? succeed(defaultConfig()) : await loadConfig(file);
  if (!loaded.ok) return loaded;
  const merged = overrideConfig(loaded.value, overrides.value);
  if (!merged.ok || options.number('demo') !== null) return merged;
  const { servers, pools } = merged.value;
  return servers.length + pools.length > 0 ? merged : fail([nothingToServe(file)]);
}

function nothingToServe(file: string | null): ConfigProblem {
  return {
    file: file ?? 'penstock up',
    path: '',
    line: null,
    column: null,
    message: 'there are no model servers',
    suggestion: 'give --server URL, a --config FILE with "servers" or "pools", or --demo',
  };
}

/** Adds servers to those of the configuration, each once; the URLs must be valid. */
export function mergeServers(config: PenstockConfig, urls: readonly string[]): PenstockConfig {
  const added = urls.map((url) => parseServerUrl(url) ?? url);
  return { ...config, servers: [...new Set([...config.servers, ...added])] };
}

/** Puts settings of the command line on top of a configuration. */
function overrideConfig(config: PenstockConfig, overrides: ConfigOverrides): LoadedConfig {
  const { listen, admin, logLevel, sampleRequests, drainTimeoutMs } = overrides;
  const merged: PenstockConfig = {
    ...mergeServers(config, overrides.servers),
    listeners: config.listeners.map((listener, index) =>
      index === 0 && listen !== null ? { ...listener, address: listen } : listener,
    ),
    admin: { address: admin ?? config.admin.address },
    logging: {
      level: logLevel ?? config.logging.level,
      sampleRequests: sampleRequests ?? config.logging.sampleRequests,
    },
    drain: { timeoutMs: drainTimeoutMs ?? config.drain.timeoutMs },
    recording: {
      path: overrides.recordPath ?? config.recording.path,
      maxBytes: overrides.recordMaxBytes ?? config.recording.maxBytes,
      files: overrides.recordFiles ?? config.recording.files,
    },
  };
  const clash = findClash(merged);
  return clash === null ? succeed(merged) : fail([clash]);
}

function findClash(config: PenstockConfig): ConfigProblem | null {
  const addresses = [...config.listeners.map(({ address }) => address), config.admin.address];
  for (const [index, address] of addresses.entries()) {
    const other = addresses.slice(0, index).find((each) => isSameListenAddress(each, address));
    if (other === undefined) continue;
    const message = `${formatHostPort(address)} clashes with ${formatHostPort(other)}`;
    const suggestion = 'give --listen and --admin different ports';
    return { file: 'addresses', path: '', line: null, column: null, message, suggestion };
  }
  return null;
}

function readOverrides(options: ParsedOptions): Result<ConfigOverrides, readonly ConfigProblem[]> {
  const problems: ConfigProblem[] = [];
  const check = (flag: string, format: FormatName, text: string): void => {
    const { description, isValid, correct } = FORMATS[format];
    if (isValid(text)) return;
    const fixed = correct(text);
    problems.push({
      file: options.nameOf(flag),
      path: '',
      line: null,
      column: null,
      message: `expected ${description}, got ${quote(text)}`,
      suggestion: fixed === null ? null : `did you mean ${quote(fixed)}?`,
    });
  };
  for (const url of options.list('server')) check('server', 'url', url);
  if (options.isGiven('record')) check('record', 'path', options.string('record') ?? '');
  for (const flag of ['listen', 'admin']) {
    if (options.isGiven(flag)) check(flag, 'address', options.string(flag) ?? '');
  }
  if (problems.length > 0) return fail(problems);
  return succeed({
    servers: options.list('server'),
    listen: givenAddress(options, 'listen'),
    admin: givenAddress(options, 'admin'),
    logLevel: givenLevel(options),
    sampleRequests: givenNumber(options, 'log-sample'),
    drainTimeoutMs: givenNumber(options, 'drain-timeout-ms'),
    recordPath: givenPath(options, 'record'),
    recordMaxBytes: givenNumber(options, 'record-max-bytes'),
    recordFiles: givenNumber(options, 'record-files'),
  });
}

/** Null unless the flag or its variable is given: a default is the file's. */
function givenNumber(options: ParsedOptions, flag: string): number | null {
  return options.isGiven(flag) ? options.number(flag) : null;
}

function givenPath(options: ParsedOptions, flag: string): string | null {
  const path = options.isGiven(flag) ? options.string(flag) : null;
  return path === null ? null : resolve(path);
}

function givenAddress(options: ParsedOptions, flag: string): HostPort | null {
  return options.isGiven(flag) ? parseHostPort(options.string(flag) ?? '') : null;
}

function givenLevel(options: ParsedOptions): LogLevel | null {
  if (!options.isGiven('log-level')) return null;
  const level = options.string('log-level');
  return LOG_LEVELS.find((each) => each === level) ?? null;
}
