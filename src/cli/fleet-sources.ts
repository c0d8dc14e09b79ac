import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../core/clock.ts';
import type { PoolId } from '../core/ids.ts';
import { poolId } from '../core/ids.ts';
import type { FailureSink } from '../core/spawn.ts';
import { spawn } from '../core/spawn.ts';
import { createDnsSource } from '../discovery/dns-source.ts';
import { createFileSource } from '../discovery/file-source.ts';
import type { EndpointSource } from '../discovery/sources.ts';
import type { EndpointSpec } from '../pool/endpoint.ts';
import type { Fleet } from '../pool/fleet.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { PenstockConfig, PoolConfig, UpstreamTls } from './config/config.ts';
import { awaitFirstProbes } from './first-probes.ts';

/** What feeding the fleet takes. */
export interface FleetSourcesOptions {
  readonly fleet: Fleet;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onFailure: FailureSink;
}

interface RunningSource {
  readonly config: PoolConfig;
  readonly source: EndpointSource;
}

/** How long a reload waits for the first answers of servers that are new. */
const WARM_UP_MS = 3000;

/**
 * Keeps the fleet's pools as the configuration says: static lists directly, files and DNS names by
 * sources that run until the configuration no longer has them.
 */
export class FleetSources {
  readonly #options: FleetSourcesOptions;
  readonly #running: Map<PoolId, RunningSource> = new Map();
  #pools: ReadonlySet<PoolId> = new Set();
  #isClosed = false;

  constructor(options: FleetSourcesOptions) {
    this.#options = options;
  }

  /**
   * Makes the fleet know the configuration's new servers beside the old ones, and waits until they
   * have answered or `WARM_UP_MS` are over, so that the change itself loses no request.
   */
  async warmUp(config: PenstockConfig): Promise<void> {
    const { fleet, clock } = this.#options;
    for (const { id, specs } of staticPools(config)) {
      const urls = new Set(specs.map(({ url }) => url));
      const before = fleet
        .endpoints()
        .filter(({ pool, spec }) => pool === id && !urls.has(spec.url));
      fleet.setPool(id, [...before.map(({ spec }) => spec), ...specs]);
    }
    await awaitFirstProbes(fleet, clock, { limitMs: WARM_UP_MS, isWanted: () => !this.#isClosed });
  }

  /** Makes the fleet's pools exactly those of the configuration. */
  apply(config: PenstockConfig): void {
    const { fleet } = this.#options;
    const wanted = new Set<PoolId>();
    for (const { id, specs } of staticPools(config)) {
      if (id !== null) wanted.add(id);
      if (id !== null) this.#stopSource(id);
      fleet.setPool(id, specs);
    }
    for (const pool of config.pools) {
      const id = poolId(pool.name);
      wanted.add(id);
      if (pool.source.kind !== 'static') this.#startSource(id, pool);
    }
    for (const id of this.#pools) {
      if (wanted.has(id)) continue;
      this.#stopSource(id);
      fleet.removePool(id);
    }
    this.#pools = wanted;
  }

  /** Stops all sources; the fleet keeps what they said last. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const sources = [...this.#running.values()];
    this.#running.clear();
    await Promise.all(sources.map(({ source }) => source.close()));
  }

  #startSource(id: PoolId, config: PoolConfig): void {
    if (isDeepStrictEqual(this.#running.get(id)?.config, config)) return;
    this.#stopSource(id);
    const source = this.#createSource(config);
    this.#running.set(id, { config, source });
    source.start((specs) => {
      if (this.#running.get(id)?.source !== source) return;
      this.#options.fleet.setPool(id, specs);
    });
  }

  #createSource({ name, source, engine, models, tls }: PoolConfig): EndpointSource {
    const { clock } = this.#options;
    const log = this.#options.log.child({ pool: name });
    const defaults = { labels: {}, engine, models, tls: tls === null ? null : endpointTls(tls) };
    switch (source.kind) {
      case 'file':
        return createFileSource({ path: source.path, defaults, clock, log });
      case 'dns':
        return createDnsSource({ ...source, defaults, clock, log });
      case 'static':
        throw new TypeError('a static pool has no source to run');
    }
  }

  #stopSource(id: PoolId): void {
    const running = this.#running.get(id);
    if (running === undefined) return;
    this.#running.delete(id);
    spawn('close endpoint source', running.source.close(), this.#options.onFailure);
  }
}

function staticPools(
  config: PenstockConfig,
): readonly { readonly id: PoolId | null; readonly specs: readonly EndpointSpec[] }[] {
  const grouped = config.servers.map((url) => ({
    url,
    labels: {},
    engine: null,
    models: null,
    tls: null,
  }));
  const listed = config.pools.flatMap(({ name, source }) =>
    source.kind === 'static' ? [{ id: poolId(name), specs: source.endpoints.map(specOf) }] : [],
  );
  return [{ id: null, specs: grouped }, ...listed];
}

function specOf(endpoint: Omit<EndpointSpec, 'tls'> & { readonly tls: UpstreamTls | null }) {
  const { url, labels, engine, models, tls } = endpoint;
  return { url, labels, engine, models, tls: tls === null ? null : endpointTls(tls) };
}

function endpointTls({ caPem, certPem, keyPem, serverName, skipVerify }: UpstreamTls) {
  return { caPem, certPem, keyPem, serverName, skipVerify };
}
