import { assert } from '../core/assert.ts';
import type { EndpointId, PoolId } from '../core/ids.ts';
import { endpointId } from '../core/ids.ts';
import type {
  EndpointFacts,
  EngineName,
  EngineReport,
  ServedModelFact,
} from '../protocol/engines/dialect.ts';
import type { CacheSize } from './fleet-listener.ts';
import type { Health } from './health.ts';
import { Correction } from './report.ts';
import { AdapterResidency } from './residency.ts';

/** TLS settings of one upstream; null fields use the platform's defaults. */
export interface EndpointTls {
  readonly caPem: string | null;
  readonly certPem: string | null;
  readonly keyPem: string | null;
  /** Name to verify and to send as SNI; null uses the address. */
  readonly serverName: string | null;
  /** True accepts any certificate. */
  readonly skipVerify: boolean;
}

/** What configuration or discovery says about one server. */
export interface EndpointSpec {
  /** Normalised origin and optional base path, without a trailing slash. */
  readonly url: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Engine, when it need not be recognised. */
  readonly engine: EngineName | null;
  /** Base models it serves, known before any probe; others it reports are then left out. */
  readonly models: readonly string[] | null;
  readonly tls: EndpointTls | null;
}

/** What active probing last said; `unknown` until the first answer. */
export type Reachability = 'unknown' | 'reachable' | 'unreachable';

/**
 * One model server. The object lives as long as the server is declared, through reloads and
 * moves between pools, and after its removal until its slot is given away. Mutable fields are
 * written by the fleet alone.
 */
export class Endpoint {
  readonly id: EndpointId;
  /** Index in the load table and in every `members` array. */
  readonly slot: number;
  /** Scheme, host and port. */
  readonly origin: string;
  /** '' or a path that starts with a slash and ends without one. */
  readonly basePath: string;
  readonly health: Health;
  readonly correction: Correction = new Correction();
  readonly residency: AdapterResidency = new AdapterResidency();
  /** Labels and models may change in place while the server stays the same. */
  spec: EndpointSpec;
  /** Configured pool, the first if several list it; null for a server grouped by base model. */
  pool: PoolId | null;
  /** What probing has taught; null before the first success. Kept while unreachable. */
  facts: EndpointFacts | null = null;
  reachability: Reachability = 'unknown';
  /** Why probing failed last; null while it succeeds. */
  unreachableReason: string | null = null;
  lastReport: EngineReport | null = null;
  /** `Clock.now` of the last report; minus infinity before the first. */
  lastReportAtMs: number = Number.NEGATIVE_INFINITY;
  /** KV cache as last reported by a probe or scrape; null while unknown. */
  cacheSize: CacheSize | null = null;
  /** Restarts of the engine's process that its reports have shown. */
  restarts = 0;
  isDraining = false;
  isRemoved = false;
  /** `Clock.now` of the removal; meaningless while declared. */
  removedAtMs = 0;

  constructor(
    spec: EndpointSpec,
    options: { readonly slot: number; readonly pool: PoolId | null; readonly health: Health },
  ) {
    assert(URL.canParse(spec.url), 'endpoint URL is not normalised');
    const url = new URL(spec.url);
    this.spec = spec;
    this.slot = options.slot;
    this.pool = options.pool;
    this.health = options.health;
    this.origin = url.origin;
    this.basePath = url.pathname.replace(/\/+$/, '');
    this.id = endpointIdFromUrl(spec.url);
  }

  /** Whether a request may be sent to it now. */
  get isAvailable(): boolean {
    if (this.isRemoved || this.isDraining || this.reachability === 'unreachable') return false;
    if (this.facts === null && this.spec.models === null) return false;
    return this.health.canTakeRequest;
  }
}

/** `host:port`, followed by the base path when there is one; the port is always shown. */
function endpointIdFromUrl(text: string): EndpointId {
  const url = new URL(text);
  const port = url.port !== '' ? url.port : url.protocol === 'https:' ? '443' : '80';
  return endpointId(`${url.hostname}:${port}${url.pathname.replace(/\/+$/, '')}`);
}

/** Whether both describe the same server, reached in the same way. */
export function isSameServer(a: EndpointSpec, b: EndpointSpec): boolean {
  return a.url === b.url && a.engine === b.engine && isSameTls(a.tls, b.tls);
}

/** Whether two specs are equal in every field. */
export function isSameSpec(a: EndpointSpec, b: EndpointSpec): boolean {
  return isSameServer(a, b) && isSameList(a.models, b.models) && isSameLabels(a.labels, b.labels);
}

/** Whether two probes have taught the same. */
export function isSameFacts(a: EndpointFacts | null, b: EndpointFacts): boolean {
  if (a === null) return false;
  return (
    a.engine === b.engine &&
    a.version === b.version &&
    a.blockSizeTokens === b.blockSizeTokens &&
    a.blockCount === b.blockCount &&
    a.maxRunning === b.maxRunning &&
    a.models.length === b.models.length &&
    a.models.every((model, index) => isSameModel(model, b.models[index]))
  );
}

function isSameModel(a: ServedModelFact, b: ServedModelFact | undefined): boolean {
  return (
    b !== undefined &&
    a.id === b.id &&
    a.baseModel === b.baseModel &&
    a.contextTokens === b.contextTokens
  );
}

function isSameTls(a: EndpointTls | null, b: EndpointTls | null): boolean {
  if (a === null || b === null) return a === b;
  return (
    a.caPem === b.caPem &&
    a.certPem === b.certPem &&
    a.keyPem === b.keyPem &&
    a.serverName === b.serverName &&
    a.skipVerify === b.skipVerify
  );
}

function isSameList(a: readonly string[] | null, b: readonly string[] | null): boolean {
  if (a === null || b === null) return a === b;
  return a.length === b.length && a.every((item, index) => item === b[index]);
}

function isSameLabels(
  a: Readonly<Record<string, string>>,
  b: Readonly<Record<string, string>>,
): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
