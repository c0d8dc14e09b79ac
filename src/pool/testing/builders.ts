import { must } from '../../core/assert.ts';
import { poolId } from '../../core/ids.ts';
import { createRng } from '../../core/rng.ts';
import { VirtualClock } from '../../core/virtual-clock.ts';
import type {
  EndpointFacts,
  EngineReport,
  ServedModelFact,
} from '../../protocol/engines/dialect.ts';
import { EMPTY_REPORT } from '../../protocol/engines/report.ts';
import type { Endpoint, EndpointSpec } from '../endpoint.ts';
import { NO_LISTENER } from '../fleet-listener.ts';
import { Fleet } from '../fleet.ts';
import { DEFAULT_HEALTH_OPTIONS } from '../health.ts';
import { DEFAULT_REPORT_OPTIONS } from '../report.ts';

/** A fleet in virtual time with the default options. */
export interface FleetWorld {
  readonly clock: VirtualClock;
  readonly fleet: Fleet;
}

export function createFleetWorld(seed = 1): FleetWorld {
  const clock = new VirtualClock();
  const fleet = new Fleet({
    listener: NO_LISTENER,
    clock,
    rng: createRng(seed),
    health: DEFAULT_HEALTH_OPTIONS,
    report: DEFAULT_REPORT_OPTIONS,
  });
  return { clock, fleet };
}

export function specOf(url: string, change: Partial<EndpointSpec> = {}): EndpointSpec {
  return { url, labels: {}, engine: null, models: null, tls: null, ...change };
}

/** `http://a1:8000`, `http://a2:8000`, … */
export function specsOf(count: number, host = 'a'): EndpointSpec[] {
  return Array.from({ length: count }, (_, index) => specOf(`http://${host}${index + 1}:8000`));
}

export function baseModel(id: string, contextTokens: number | null = null): ServedModelFact {
  return { id, baseModel: null, contextTokens };
}

export function adapter(id: string, base: string): ServedModelFact {
  return { id, baseModel: base, contextTokens: null };
}

export function factsOf(...models: readonly ServedModelFact[]): EndpointFacts {
  return {
    engine: 'vllm',
    version: '0.11.0',
    models,
    blockSizeTokens: null,
    blockCount: null,
    maxRunning: null,
  };
}

export function reportOf(change: Partial<EngineReport> = {}): EngineReport {
  return { ...EMPTY_REPORT, ...change };
}

/** Declares pool `p` with `count` endpoints that were probed and serve the base model `m`. */
export function addPool(fleet: Fleet, count: number, pool = 'p', host = 'a'): Endpoint[] {
  const specs = specsOf(count, host);
  fleet.setPool(poolId(pool), specs);
  return specs.map((spec) => {
    const endpoint = endpointByUrl(fleet, spec.url);
    fleet.setFacts(endpoint, factsOf(baseModel('m')));
    return endpoint;
  });
}

export function endpointByUrl(fleet: Fleet, url: string): Endpoint {
  return must(
    fleet.endpoints().find((endpoint) => endpoint.spec.url === url),
    `endpoint ${url}`,
  );
}

/** Fails `count` requests in a row on one slot. */
export function failTimes(fleet: Fleet, slot: number, count: number): void {
  for (let round = 0; round < count; round += 1) fleet.recordFailure(slot);
}
