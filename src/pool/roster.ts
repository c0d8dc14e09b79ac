import type { EndpointId, PoolId } from '../core/ids.ts';
import type { Rng } from '../core/rng.ts';
import type { EndpointSpec } from './endpoint.ts';
import { Endpoint, isSameServer, isSameSpec } from './endpoint.ts';
import type { HealthOptions } from './health.ts';
import { Health } from './health.ts';
import type { Ledger } from './ledger.ts';
import type { LoadColumns } from './load-table.ts';

/**
 * A slot rests this long after its endpoint was removed: the list of slots that a request keeps for
 * its retries must not come to name a stranger.
 */
export const SLOT_REST_MS = 600_000;

/** A server that is declared again within this time gets its old object back. */
export const REVIVAL_MS = 60_000;

/**
 * Which servers are declared, and the slot of each. A slot goes to another endpoint only when its
 * last one is removed, has rested, and has no open booking.
 */
export class Roster {
  readonly #load: LoadColumns;
  readonly #ledger: Ledger;
  readonly #health: HealthOptions;
  readonly #rng: Rng;
  readonly #onVacated: (slot: number) => void;
  readonly #declared = new Map<PoolId | null, readonly Endpoint[]>();
  /** Index is the slot; a removed endpoint stays until its slot is given away. */
  readonly #slots: Endpoint[] = [];
  #live: readonly Endpoint[] = [];

  constructor(
    load: LoadColumns,
    ledger: Ledger,
    options: {
      readonly health: HealthOptions;
      readonly rng: Rng;
      /** A slot is about to be given to another endpoint. */
      readonly onVacated: (slot: number) => void;
    },
  ) {
    this.#load = load;
    this.#ledger = ledger;
    this.#health = options.health;
    this.#rng = options.rng;
    this.#onVacated = options.onVacated;
  }

  get declared(): ReadonlyMap<PoolId | null, readonly Endpoint[]> {
    return this.#declared;
  }

  /** Declared endpoints in slot order. */
  get live(): readonly Endpoint[] {
    return this.#live;
  }

  /** Every endpoint that still owns its slot, declared or removed; the index is the slot. */
  get slots(): readonly Endpoint[] {
    return this.#slots;
  }

  find(id: EndpointId): Endpoint | null {
    return this.#live.find((endpoint) => endpoint.id === id) ?? null;
  }

  /** Makes `specs` the servers of `pool`. Returns whether anything changed. */
  replace(pool: PoolId | null, specs: readonly EndpointSpec[], nowMs: number): boolean {
    const before = this.#declared.get(pool);
    const known = this.#knownByUrl(nowMs);
    const owners = this.#owners();
    const next: Endpoint[] = [];
    let isChanged = before === undefined;
    for (const spec of new Map(specs.map((spec) => [spec.url, spec])).values()) {
      const candidates = known.get(spec.url) ?? [];
      const kept = findKept(spec, candidates, (endpoint) =>
        (owners.get(endpoint) ?? []).every((owner) => owner === pool),
      );
      if (kept !== null && !isSameSpec(kept.spec, spec)) {
        kept.spec = spec;
        isChanged = true;
      }
      next.push(kept ?? this.#create(spec, pool, { candidates, nowMs }));
    }
    if (!isChanged && isSameMembers(before ?? [], next)) return false;
    this.#declared.set(pool, next);
    this.#settle(new Set([...(before ?? []), ...next]), nowMs);
    return true;
  }

  /** Removes `pool`. Returns whether there was one. */
  remove(pool: PoolId | null, nowMs: number): boolean {
    const before = this.#declared.get(pool);
    if (before === undefined) return false;
    this.#declared.delete(pool);
    this.#settle(new Set(before), nowMs);
    return true;
  }

  /**
   * Endpoints that may be kept, by URL: all but those removed so long ago that all has changed.
   */
  #knownByUrl(nowMs: number): Map<string, Endpoint[]> {
    const known = new Map<string, Endpoint[]>();
    for (const endpoint of this.#slots) {
      if (endpoint.isRemoved && nowMs - endpoint.removedAtMs > REVIVAL_MS) continue;
      const list = known.get(endpoint.spec.url);
      if (list === undefined) known.set(endpoint.spec.url, [endpoint]);
      else list.push(endpoint);
    }
    return known;
  }

  #create(
    spec: EndpointSpec,
    pool: PoolId | null,
    options: { readonly candidates: readonly Endpoint[]; readonly nowMs: number },
  ): Endpoint {
    const slot = this.#takeSlot(options.nowMs);
    const health = new Health(this.#health, this.#rng);
    const endpoint = new Endpoint(spec, { slot, pool, health });
    // Declared with other settings before (a new client certificate, say): the server is the same,
    // and its pool must not stand empty until the next probe.
    const twin = options.candidates.find((other) => other.spec.engine === spec.engine);
    if (twin !== undefined) {
      endpoint.facts = twin.facts;
      endpoint.reachability = twin.reachability;
      endpoint.unreachableReason = twin.unreachableReason;
      endpoint.isDraining = twin.isDraining;
    }
    this.#slots[slot] = endpoint;
    return endpoint;
  }

  #takeSlot(nowMs: number): number {
    for (const endpoint of this.#slots) {
      const { slot } = endpoint;
      if (!endpoint.isRemoved || nowMs - endpoint.removedAtMs <= SLOT_REST_MS) continue;
      if (this.#ledger.openBookings(slot) > 0) continue;
      this.#load.clear(slot);
      this.#onVacated(slot);
      return slot;
    }
    const slot = this.#slots.length;
    this.#load.reserve(slot + 1);
    return slot;
  }

  /**
   * Gives each endpoint that was touched its owner, or marks it removed when it has none left.
   */
  #settle(touched: ReadonlySet<Endpoint>, nowMs: number): void {
    const owners = this.#owners();
    for (const endpoint of touched) {
      const pools = owners.get(endpoint);
      const first = pools?.[0];
      if (pools === undefined || first === undefined) {
        endpoint.isRemoved = true;
        endpoint.removedAtMs = nowMs;
      } else {
        endpoint.isRemoved = false;
        if (!pools.includes(endpoint.pool)) endpoint.pool = first;
      }
    }
    this.#live = this.#slots.filter((endpoint) => !endpoint.isRemoved);
  }

  /** The pools that list each endpoint. */
  #owners(): Map<Endpoint, (PoolId | null)[]> {
    const owners = new Map<Endpoint, (PoolId | null)[]>();
    for (const [pool, endpoints] of this.#declared) {
      for (const endpoint of endpoints) {
        const pools = owners.get(endpoint);
        if (pools === undefined) owners.set(endpoint, [pool]);
        else pools.push(pool);
      }
    }
    return owners;
  }
}

/**
 * The endpoint that goes on under `spec`: an equal one, or else the same server with other
 * labels or models, unless another pool still lists it with the old ones.
 */
function findKept(
  spec: EndpointSpec,
  candidates: readonly Endpoint[],
  isOurs: (endpoint: Endpoint) => boolean,
): Endpoint | null {
  const equal = candidates.find((endpoint) => isSameSpec(endpoint.spec, spec));
  if (equal !== undefined) return equal;
  return (
    candidates.find((endpoint) => isSameServer(endpoint.spec, spec) && isOurs(endpoint)) ?? null
  );
}

function isSameMembers(a: readonly Endpoint[], b: readonly Endpoint[]): boolean {
  return a.length === b.length && a.every((endpoint, index) => endpoint === b[index]);
}
