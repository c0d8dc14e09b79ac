import type { PenstockConfig } from './config.ts';

/**
 * Every file whose change calls for loading the configuration again: itself, keys,
 * certificates, the endpoint picker's configuration, and plugins.
 */
export function watchedFiles(config: PenstockConfig): readonly string[] {
  const files = [
    config.file,
    ...config.listeners.flatMap(({ tls }) => [tls?.certFile, tls?.keyFile]),
    config.scheduling.endpointPickerConfig,
    ...config.scheduling.plugins.map(({ file }) => file),
    ...config.pools.flatMap(({ tls }) => [tls?.caFile, tls?.certFile, tls?.keyFile]),
  ];
  return [...new Set(files.filter((file) => typeof file === 'string'))];
}
