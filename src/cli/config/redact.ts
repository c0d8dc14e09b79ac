import { formatHostPort } from './address.ts';
import type {
  HostPort,
  ListenerTls,
  PenstockConfig,
  PluginModule,
  PoolConfig,
  PoolSource,
  SchedulingConfig,
  UpstreamTls,
} from './config.ts';

/**
 * The configuration as the admin API shows it: plain data, addresses as text, file names instead of
 * their contents.
 */
export function redactConfig(config: PenstockConfig): Readonly<Record<string, unknown>> {
  return {
    ...config,
    listeners: config.listeners.map(({ address, isInternal, tls }) => ({
      address: formatHostPort(address),
      internal: isInternal,
      tls: tls === null ? null : redactListenerTls(tls),
    })),
    admin: { address: formatHostPort(config.admin.address) },
    pools: config.pools.map(redactPool),
    scheduling: redactScheduling(config.scheduling),
  };
}

function redactScheduling({ plugins, ...rest }: SchedulingConfig): object {
  return { ...rest, plugins: plugins.map(redactModule) };
}

function redactModule({ specifier, file, definitions }: PluginModule): object {
  return { specifier, file, types: definitions.map(({ type }) => type) };
}

function redactListenerTls({ certFile, keyFile }: ListenerTls): object {
  return { certFile, keyFile };
}

function redactUpstreamTls(tls: UpstreamTls | null): object | null {
  if (tls === null) return null;
  const { caFile, certFile, keyFile, serverName, skipVerify } = tls;
  return { caFile, certFile, keyFile, serverName, skipVerify };
}

function redactPool({ name, engine, models, tls, source }: PoolConfig): object {
  return { name, engine, models, tls: redactUpstreamTls(tls), ...redactSource(source) };
}

function redactSource(source: PoolSource): object {
  switch (source.kind) {
    case 'static':
      return {
        endpoints: source.endpoints.map(({ url, labels, engine, models }) => ({
          url,
          labels,
          engine,
          models,
        })),
      };
    case 'file':
      return { file: source.path };
    case 'dns':
      return { dns: redactDns(source) };
  }
}

function redactDns(source: Extract<PoolSource, { kind: 'dns' }>): object {
  const { kind: _kind, recordType, resolver, ...rest } = source;
  return { ...rest, type: recordType, resolver: textOrNull(resolver) };
}

function textOrNull(address: HostPort | null): string | null {
  return address === null ? null : formatHostPort(address);
}
