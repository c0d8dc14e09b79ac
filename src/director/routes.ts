import type { ModelName, PoolId } from '../core/ids.ts';
import { findNearest } from '../core/nearest.ts';
import type { Rng } from '../core/rng.ts';
import type { Endpoint } from '../pool/endpoint.ts';
import type { Fleet, Served } from '../pool/fleet.ts';
import type { LatencyObjective } from '../scheduler/types.ts';
import { NO_OBJECTIVE } from '../scheduler/types.ts';

/** One place to which a model name may lead, as configured. */
export interface RouteTargetSpec {
  /** Null: every pool that serves the model. */
  readonly pool: PoolId | null;
  /** Name sent upstream; null: the route's own name. */
  readonly model: ModelName | null;
  /** Share of the traffic relative to the other targets; 0 gets none. */
  readonly weight: number;
}

/** Which requests a tier is meant for; null where it has no bound. */
export interface TierBounds {
  /** Largest estimated prompt, in tokens. */
  readonly promptTokensMax: number | null;
  /** Largest output asked for, in tokens; a request that asks for none fits. */
  readonly outputTokensMax: number | null;
}

/** Requests of a size, and where they go. */
export interface RouteTierSpec extends TierBounds {
  readonly targets: readonly RouteTargetSpec[];
}

/** A model name that clients use, with the places it leads to. */
export interface RouteSpec {
  readonly name: ModelName;
  readonly aliases: readonly ModelName[];
  /** In the order in which they are tried; at least one. */
  readonly tiers: readonly RouteTierSpec[];
  /** For requests that ask for none themselves. */
  readonly objective: LatencyObjective;
}

/** A target with the endpoints that serve it now. */
export interface RouteTarget {
  readonly served: Served;
  readonly weight: number;
}

/** Where a model name leads, at this version of the fleet. */
export interface Route {
  /** The route's own name, also when the client used an alias. */
  readonly name: ModelName;
  /** At least one. */
  readonly tiers: readonly RouteTier[];
  /** For requests that ask for none themselves. */
  readonly objective: LatencyObjective;
}

/** A tier with the endpoints that serve its targets now. */
export interface RouteTier extends TierBounds {
  /** Empty when no endpoint serves any of the configured targets now. */
  readonly targets: readonly RouteTarget[];
  readonly weightSum: number;
}

const UNBOUNDED: TierBounds = { promptTokensMax: null, outputTokensMax: null };

/**
 * Resolves client model names: configured routes first, then whatever the fleet serves under that
 * name. Resolutions are kept until the fleet or the configuration changes.
 */
export class RouteTable {
  readonly #fleet: Fleet;
  #specs: ReadonlyMap<string, RouteSpec> = new Map();
  readonly #resolved: Map<string, Route> = new Map();
  #resolvedVersion = -1;

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
  }

  /** Replaces all configured routes at once; names and aliases are distinct. */
  configure(specs: readonly RouteSpec[]): void {
    const byName = new Map<string, RouteSpec>();
    for (const spec of specs) {
      for (const name of [spec.name, ...spec.aliases]) byName.set(name, spec);
    }
    this.#specs = byName;
    this.#resolved.clear();
  }

  /** The configured routes, each once. */
  get specs(): readonly RouteSpec[] {
    return [...new Set(this.#specs.values())];
  }

  /** The route of a name, or null when nobody knows it. */
  resolve(name: string): Route | null {
    if (this.#resolvedVersion !== this.#fleet.version) {
      this.#resolved.clear();
      this.#resolvedVersion = this.#fleet.version;
    }
    const known = this.#resolved.get(name);
    if (known !== undefined) return known;
    const route = this.#build(name);
    // Unknown names come from clients without bound, so only known ones are kept.
    if (route !== null) this.#resolved.set(name, route);
    return route;
  }

  /** Every name a client may use now: configured ones, aliases, and what the fleet serves. */
  names(): ReadonlySet<string> {
    const names = new Set<string>(this.#specs.keys());
    for (const { model } of this.#fleet.servedNames()) names.add(model);
    return names;
  }

  /**
   * Servers that have never said what they serve, and of which the configuration does not say it
   * either: a name that nobody knows may be one of theirs.
   */
  get silentServerCount(): number {
    const isSilent = ({ facts, spec }: Endpoint): boolean => facts === null && spec.models === null;
    return this.#fleet.endpoints().filter(isSilent).length;
  }

  /** The known name most like `name`, for error messages. */
  nearest(name: string): string | null {
    return findNearest(name, this.names());
  }

  #build(name: string): Route | null {
    const spec = this.#specs.get(name);
    if (spec === undefined) {
      const served = this.#fleet.servedAnywhere(name);
      if (served.length === 0) return null;
      const tier = createTier(UNBOUNDED, served.map(targetByMembers));
      return { name: name as ModelName, tiers: [tier], objective: NO_OBJECTIVE };
    }
    const tiers = spec.tiers.map((tier) =>
      createTier(
        tier,
        tier.targets.flatMap((target) => this.#resolveTarget(target, spec.name)),
      ),
    );
    return { name: spec.name, tiers, objective: spec.objective };
  }

  #resolveTarget(target: RouteTargetSpec, routeName: ModelName): readonly RouteTarget[] {
    const model = target.model ?? routeName;
    if (target.pool !== null) {
      const served = this.#fleet.served(target.pool, model);
      return served === null ? [] : [{ served, weight: target.weight }];
    }
    // The target's weight is shared by the pools that serve the model, by their size.
    const pools = this.#fleet.servedAnywhere(model);
    const members = pools.reduce((sum, { members: slots }) => sum + slots.length, 0);
    return pools.map((served) => ({
      served,
      weight: (target.weight * served.members.length) / Math.max(1, members),
    }));
  }
}

function targetByMembers(served: Served): RouteTarget {
  return { served, weight: served.members.length };
}

function createTier(bounds: TierBounds, targets: readonly RouteTarget[]): RouteTier {
  const { promptTokensMax, outputTokensMax } = bounds;
  const weightSum = targets.reduce((sum, { weight }) => sum + weight, 0);
  return { promptTokensMax, outputTokensMax, targets, weightSum };
}

/** Every target of every tier. */
export function targetsOf(route: Route): readonly RouteTarget[] {
  return route.tiers.flatMap(({ targets }) => targets);
}

/** Index of the first tier that takes a request of this size; the last one takes what is left. */
export function findTier(
  route: Route,
  request: { readonly promptTokens: number; readonly maxTokens: number | null },
): number {
  const fits = route.tiers.findIndex(
    ({ promptTokensMax, outputTokensMax }) =>
      (promptTokensMax === null || request.promptTokens <= promptTokensMax) &&
      (outputTokensMax === null ||
        request.maxTokens === null ||
        request.maxTokens <= outputTokensMax),
  );
  return fits < 0 ? route.tiers.length - 1 : fits;
}

/** Index of a target drawn by weight; 0 when no target has any weight. */
export function drawTarget(tier: RouteTier, rng: Rng): number {
  if (tier.targets.length === 1) return 0;
  let left = rng.next() * tier.weightSum;
  for (let index = 0; index < tier.targets.length; index += 1) {
    left -= (tier.targets[index] as RouteTarget).weight;
    if (left < 0) return index;
  }
  return 0;
}
