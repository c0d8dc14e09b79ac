import { must } from '../../core/assert.ts';
import { parseHostPort, parseResolver, parseServerUrl } from './address.ts';
import type {
  EndpointConfig,
  HostPort,
  ListenerConfig,
  ModelConfig,
  PenstockConfig,
  PoolConfig,
  PoolSource,
  SchedulingConfig,
  UpstreamTls,
} from './config.ts';
import type { FileConfig, FileListener, FileModel, FilePool } from './file-config.ts';
import type { ConfigPath } from './problem.ts';
import type { TlsFiles } from './tls-files.ts';

/** What a configuration is put together with. */
export interface AssembleContext {
  /** Absolute path of the file. */
  readonly file: string;
  readonly tlsFiles: TlsFiles;
  readonly scheduling: SchedulingConfig;
}

/**
 * Turns a checked file into the configuration: text becomes addresses, what a pool sets goes to its
 * endpoints, and the files it names are read (problems go to where `tlsFiles` reports).
 */
export function assembleConfig(
  written: FileConfig,
  { file, tlsFiles, scheduling }: AssembleContext,
): PenstockConfig {
  const { timeouts, retry, ejection, limits, usage, headers, logging, drain, decisions } = written;
  return {
    file,
    listeners: written.listeners.map((listener, index) =>
      assembleListener(listener, ['listeners', index], tlsFiles),
    ),
    admin: { address: address(written.admin.address) },
    servers: written.servers.map(serverUrl),
    pools: written.pools.map((pool, index) => assemblePool(pool, ['pools', index], tlsFiles)),
    models: written.models.map(assembleModel),
    scheduling,
    timeouts,
    retry,
    ejection,
    limits,
    usage,
    headers,
    logging,
    drain,
    decisions,
    scrape: written.scrape,
    recording: {
      ...written.recording,
      path: written.recording.path === null ? null : tlsFiles.path(written.recording.path),
    },
  };
}

function address(text: string): HostPort {
  return must(parseHostPort(text), 'a checked address');
}

function serverUrl(text: string): string {
  return must(parseServerUrl(text), 'a checked URL');
}

function assembleListener(
  listener: FileListener,
  path: ConfigPath,
  tlsFiles: TlsFiles,
): ListenerConfig {
  return {
    address: address(listener.address),
    isInternal: listener.internal,
    tls: listener.tls === null ? null : tlsFiles.listener(listener.tls, [...path, 'tls']),
  };
}

function assemblePool(pool: FilePool, path: ConfigPath, tlsFiles: TlsFiles): PoolConfig {
  const { name, engine, models } = pool;
  const tls = pool.tls === null ? null : tlsFiles.upstream(pool.tls, [...path, 'tls']);
  return { name, engine, models, tls, source: assembleSource(pool, tls, tlsFiles) };
}

function assembleSource(pool: FilePool, tls: UpstreamTls | null, tlsFiles: TlsFiles): PoolSource {
  if (pool.endpoints !== null) {
    const endpoints = pool.endpoints.map((endpoint): EndpointConfig => ({
      url: serverUrl(endpoint.url),
      labels: endpoint.labels,
      engine: endpoint.engine ?? pool.engine,
      models: endpoint.models ?? pool.models,
      tls,
    }));
    return { kind: 'static', endpoints };
  }
  if (pool.file !== null) return { kind: 'file', path: tlsFiles.path(pool.file) };
  const { name, type, port, scheme, minTtlMs, maxTtlMs, resolver } = must(pool.dns, 'a source');
  return {
    kind: 'dns',
    name,
    recordType: type,
    port,
    scheme,
    minTtlMs,
    maxTtlMs,
    resolver: resolver === null ? null : must(parseResolver(resolver), 'a checked resolver'),
  };
}

function assembleModel({ name, aliases, targets, tiers, objective }: FileModel): ModelConfig {
  const everything = {
    maxPromptTokens: null,
    maxOutputTokens: null,
    targets: targets ?? [{ pool: null, model: null, weight: 1 }],
  };
  return {
    name,
    aliases,
    tiers: tiers ?? [everything],
    objective: objective ?? { ttftMs: null, tpotMs: null },
  };
}
