import type { PluginDefinition, ProfileSpec } from '../../scheduler/framework/plugin.ts';
import type { EngineName } from '../../protocol/engines/dialect.ts';
import type { ClientLimits, UpstreamTimeouts } from '../../gateway/options.ts';
import type { LogLevel } from '../../telemetry/log-level.ts';

/** Where something listens. */
export interface HostPort {
  /** Name or address without brackets; `0.0.0.0` and `::` mean every interface. */
  readonly host: string;
  /** 0 lets the system choose a free port. */
  readonly port: number;
}

/** Certificate of a listener: the files, and what was in them when the configuration was loaded. */
export interface ListenerTls {
  readonly certFile: string;
  readonly keyFile: string;
  readonly certPem: string;
  readonly keyPem: string;
}

/** One address on which clients are served. */
export interface ListenerConfig {
  readonly address: HostPort;
  /** Clients here are trusted: their `x-penstock-*` request headers are obeyed. */
  readonly isInternal: boolean;
  /** null: plain HTTP. */
  readonly tls: ListenerTls | null;
}

/**
 * TLS towards model servers; null fields fall back to the system's own trust and to no client
 * certificate.
 */
export interface UpstreamTls {
  readonly caFile: string | null;
  readonly certFile: string | null;
  readonly keyFile: string | null;
  readonly caPem: string | null;
  readonly certPem: string | null;
  readonly keyPem: string | null;
  /** Name that the server's certificate must carry; null: the host of its URL. */
  readonly serverName: string | null;
  /** Accept any certificate. */
  readonly skipVerify: boolean;
}

/** One model server; what its pool sets for all is already filled in. */
export interface EndpointConfig {
  /** Origin and optional base path, normalised, without a trailing slash. */
  readonly url: string;
  readonly labels: Readonly<Record<string, string>>;
  /** null: found out by probing. */
  readonly engine: EngineName | null;
  /** Model names it serves; null: asked from the server. */
  readonly models: readonly string[] | null;
  readonly tls: UpstreamTls | null;
}

/** Record type of a pool found by DNS. */
export type DnsRecordType = 'A' | 'AAAA' | 'SRV';

/** Where a pool's endpoints come from. */
export type PoolSource =
  | { readonly kind: 'static'; readonly endpoints: readonly EndpointConfig[] }
  | { readonly kind: 'file'; readonly path: string }
  | {
      readonly kind: 'dns';
      readonly name: string;
      readonly recordType: DnsRecordType;
      /** null only for SRV, whose records carry the port. */
      readonly port: number | null;
      readonly scheme: 'http' | 'https';
      /** Bounds on how long an answer is used, whatever its own time to live says. */
      readonly minTtlMs: number;
      readonly maxTtlMs: number;
      /** Name server to ask; null: the system's. */
      readonly resolver: HostPort | null;
    };

/** A named set of endpoints that serve the same models. */
export interface PoolConfig {
  readonly name: string;
  readonly engine: EngineName | null;
  readonly models: readonly string[] | null;
  readonly tls: UpstreamTls | null;
  readonly source: PoolSource;
}

/** One place to which a client's model name may lead. */
export interface ModelTarget {
  /**
   * A pool under `pools`; null: whichever pool serves the model, those grouped from `servers`
   * included.
   */
  readonly pool: string | null;
  /** Name sent to the server; null: the name that the client used. */
  readonly model: string | null;
  /** Share of the traffic, relative to the other targets; 0 gets none. */
  readonly weight: number;
}

/** Requests of a size, and where they go. */
export interface ModelTier {
  /** Largest estimated prompt in tokens; null: any. */
  readonly maxPromptTokens: number | null;
  /** Largest output asked for in tokens; null: any. */
  readonly maxOutputTokens: number | null;
  readonly targets: readonly ModelTarget[];
}

/** Wanted speed of answers in milliseconds; null: nothing is asked. */
export interface ObjectiveConfig {
  readonly ttftMs: number | null;
  readonly tpotMs: number | null;
}

/** A model name that clients use. */
export interface ModelConfig {
  readonly name: string;
  readonly aliases: readonly string[];
  /** At least one; without tiers in the file, one that takes every request. */
  readonly tiers: readonly ModelTier[];
  readonly objective: ObjectiveConfig;
}

/** When a failed attempt is tried on another endpoint. */
export interface RetryConfig {
  /** Attempts per request, the first included. */
  readonly attempts: number;
  /** Retries as a percentage of all requests, over a sliding window. */
  readonly budgetPercent: number;
  /** Request body bytes kept for another attempt; a longer body is sent once. */
  readonly bufferBytes: number;
}

/** When an endpoint is left out after failures. */
export interface EjectionConfig {
  readonly consecutiveFailures: number;
  /** First pause; doubles with each failed probe up to `maxMs`. */
  readonly baseMs: number;
  readonly maxMs: number;
}

/** When token usage is read from answers. */
export type UsageCapture = 'always' | 'when-asked';

/** How endpoints' metrics are read. */
export interface ScrapeConfig {
  /** Interval while an endpoint's load changes. */
  readonly fastMs: number;
  /** Interval for an idle endpoint. */
  readonly idleMs: number;
  /** Age from which a report counts less and less. */
  readonly staleMs: number;
  /** Age from which a report does not count at all. */
  readonly forgetMs: number;
}

/** A package or file of third-party plugins. */
export interface PluginModule {
  /** As written. */
  readonly specifier: string;
  /** Absolute path of a file, whose changes call for a reload; null for a package. */
  readonly file: string | null;
  readonly definitions: readonly PluginDefinition[];
}

/** How endpoints are chosen. */
export interface SchedulingConfig {
  /** Plugins and options that were checked. */
  readonly profile: ProfileSpec;
  /** Scores every request without routing it; null: none. */
  readonly shadow: ProfileSpec | null;
  /** Absolute path of the `EndpointPickerConfig` that `profile` comes from; null: none. */
  readonly endpointPickerConfig: string | null;
  /** What in that file means nothing here. */
  readonly notes: readonly string[];
  readonly plugins: readonly PluginModule[];
}

/** Where requests are recorded. */
export interface RecordingConfig {
  /** As written in a file, absolute after that; null: nothing is recorded. */
  readonly path: string | null;
  /** Size of one file. */
  readonly maxBytes: number;
  /** Files kept, the one being written included. */
  readonly files: number;
}

/** Settings that mean the same as they are written. */
export interface PlainSettings {
  readonly timeouts: UpstreamTimeouts;
  readonly retry: RetryConfig;
  readonly ejection: EjectionConfig;
  readonly limits: ClientLimits;
  readonly usage: { readonly capture: UsageCapture };
  /** `endpoint`: responses carry `x-penstock-endpoint`. */
  readonly headers: { readonly endpoint: boolean };
  readonly logging: {
    readonly level: LogLevel;
    /** Share of successful requests that are logged, 0 to 1; failures always are. */
    readonly sampleRequests: number;
  };
  readonly drain: { readonly timeoutMs: number };
  /** `keep`: decision records held for the admin API. */
  readonly decisions: { readonly keep: number };
  readonly scrape: ScrapeConfig;
  readonly recording: RecordingConfig;
}

/** The whole configuration, checked, with every default filled in. */
export interface PenstockConfig extends PlainSettings {
  /** Absolute path of the file it came from; null: none. */
  readonly file: string | null;
  /** At least one. */
  readonly listeners: readonly ListenerConfig[];
  readonly admin: { readonly address: HostPort };
  /** Normalised URLs of servers that are grouped into pools by their base model. */
  readonly servers: readonly string[];
  readonly pools: readonly PoolConfig[];
  readonly models: readonly ModelConfig[];
  readonly scheduling: SchedulingConfig;
}
