import type { PresetName } from '../../scheduler/presets.ts';
import type { EngineName } from '../../protocol/engines/dialect.ts';
import type { DnsRecordType, ObjectiveConfig, PlainSettings } from './config.ts';

/** `listeners[].tls` as written. */
export interface FileListenerTls {
  readonly certFile: string;
  readonly keyFile: string;
}

/** `listeners[]` as written. */
export interface FileListener {
  readonly address: string;
  readonly internal: boolean;
  readonly tls: FileListenerTls | null;
}

/** `pools[].endpoints[]` as written; a plain URL stands for `{url}`. */
export interface FileEndpoint {
  readonly url: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly engine: EngineName | null;
  readonly models: readonly string[] | null;
}

/** `pools[].dns` as written. */
export interface FileDns {
  readonly name: string;
  readonly type: DnsRecordType;
  readonly port: number | null;
  readonly scheme: 'http' | 'https';
  readonly minTtlMs: number;
  readonly maxTtlMs: number;
  readonly resolver: string | null;
}

/** `pools[].tls` as written. */
export interface FileUpstreamTls {
  readonly caFile: string | null;
  readonly certFile: string | null;
  readonly keyFile: string | null;
  readonly serverName: string | null;
  readonly skipVerify: boolean;
}

/** `pools[]` as written; exactly one of `endpoints`, `file` and `dns` is not null. */
export interface FilePool {
  readonly name: string;
  readonly engine: EngineName | null;
  readonly models: readonly string[] | null;
  readonly endpoints: readonly FileEndpoint[] | null;
  readonly file: string | null;
  readonly dns: FileDns | null;
  readonly tls: FileUpstreamTls | null;
}

/** `models[].targets[]` as written. */
export interface FileTarget {
  readonly pool: string | null;
  readonly model: string | null;
  readonly weight: number;
}

/** `models[].tiers[]` as written. */
export interface FileTier {
  readonly maxPromptTokens: number | null;
  readonly maxOutputTokens: number | null;
  readonly targets: readonly FileTarget[];
}

/** `models[]` as written; neither targets nor tiers lead to whichever pool serves the name. */
export interface FileModel {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly targets: readonly FileTarget[] | null;
  readonly tiers: readonly FileTier[] | null;
  readonly objective: ObjectiveConfig | null;
}

/** A filter or picker as written; a plain type stands for `{type}`. */
export interface FilePlugin {
  readonly type: string;
  readonly name: string | null;
  readonly options: Readonly<Record<string, unknown>> | null;
}

/** `scheduling.profile.scorers[]` as written. */
export interface FileScorer extends FilePlugin {
  readonly weight: number;
}

/** `scheduling.profile` as written. */
export interface FileProfile {
  readonly filters: readonly FilePlugin[];
  readonly scorers: readonly FileScorer[];
  readonly picker: FilePlugin | null;
}

/** `scheduling.shadow` as written: exactly one is not null. */
export interface FileShadow {
  readonly preset: PresetName | null;
  readonly profile: FileProfile | null;
}

/** `scheduling` as written: at most one of the first three is not null. */
export interface FileScheduling {
  readonly preset: PresetName | null;
  readonly profile: FileProfile | null;
  readonly endpointPickerConfig: string | null;
  readonly shadow: FileShadow | null;
  readonly plugins: readonly string[];
}

/** The configuration file after validation: as written, with defaults filled in. */
export interface FileConfig extends PlainSettings {
  readonly listeners: readonly FileListener[];
  readonly admin: { readonly address: string };
  readonly servers: readonly string[];
  readonly pools: readonly FilePool[];
  readonly models: readonly FileModel[];
  readonly scheduling: FileScheduling;
}
