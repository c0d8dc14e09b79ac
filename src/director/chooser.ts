import type { Rng } from '../core/rng.ts';
import type { LoadTable } from '../pool/load-table.ts';
import type { Fleet, Served } from '../pool/fleet.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';
import type { EndpointTraits, LatencyObjective, PickInput, Ranking } from '../scheduler/types.ts';
import type { ShadowRecord } from '../telemetry/decision-log.ts';
import { cacheSaltOf } from './cache-salt.ts';
import { numberOrNull } from './decision.ts';
import type { TokenEstimate } from './ports.ts';
import type { Route, RouteTarget, RouteTier } from './routes.ts';
import { drawTarget, findTier } from './routes.ts';
import type { RequestHead } from './types.ts';

/** The endpoints a request may go to, best first, and what they serve it as. */
export interface Choice {
  readonly served: Served;
  readonly ranking: Ranking;
  /** What the ranking was made from. */
  readonly input: PickInput;
  /** Index of the tier that was used. */
  readonly tier: number;
  /** What the shadow policy would have done; null without one. */
  readonly shadow: ShadowRecord | null;
}

/** A choice within one tier. */
type TierChoice = Omit<Choice, 'tier' | 'shadow'>;

/** A request and what is known of where it may go. */
export interface ChoiceRequest {
  readonly head: RequestHead;
  readonly route: Route;
  readonly estimate: TokenEstimate;
  /** `Clock.now` of the pick. */
  readonly nowMs: number;
}

/** What choosing takes. */
export interface ChooserOptions {
  readonly fleet: Fleet;
  readonly scheduler: Scheduler;
  readonly rng: Rng;
}

/**
 * An endpoint with this many requests waiting in its engine, or this full a KV cache, is saturated:
 * the defaults of the field (queue depth 5, KV-cache use 0.8).
 */
const SATURATED_WAITING = 5;
const SATURATED_KV_CACHE_USAGE = 0.8;

/**
 * Finds endpoints for a request: the tier for its size, a target of it by weight, and the ranking
 * of the target's endpoints. Other targets stand in for one without available endpoints, and the
 * next tiers for one whose first choice is saturated.
 */
export class Chooser {
  readonly #options: ChooserOptions;
  readonly #traits: EndpointTraits;

  constructor(options: ChooserOptions) {
    const { fleet } = options;
    this.#options = options;
    this.#traits = {
      idOf: (slot) => fleet.endpointAt(slot).id,
      labelsOf: (slot) => fleet.endpointAt(slot).spec.labels,
    };
  }

  /** Null when no endpoint of any tier is available. */
  choose(request: ChoiceRequest): Choice | null {
    const { head, route, estimate, nowMs } = request;
    const { promptTokens } = estimate;
    const objective = mergeObjective(head.objective, route.objective);
    const first = findTier(route, { promptTokens, maxTokens: head.maxTokens });
    let saturated: (TierChoice & { readonly tier: number }) | null = null;
    for (let tier = first; tier < route.tiers.length; tier += 1) {
      const found = this.#chooseIn(route.tiers[tier] as RouteTier, {
        head,
        estimate,
        objective,
        nowMs,
      });
      if (found === null) continue;
      const choice = { ...found, tier };
      if (!isSaturated(choice)) return this.#withShadow(choice);
      saturated ??= choice;
    }
    return saturated === null ? null : this.#withShadow(saturated);
  }

  #withShadow(choice: Omit<Choice, 'shadow'>): Choice {
    const { fleet, scheduler } = this.#options;
    const { shadowName } = scheduler;
    const ranking = shadowName === null ? null : scheduler.pickShadow(choice.input);
    if (shadowName === null || ranking === null) return { ...choice, shadow: null };
    const [best] = ranking.ranked;
    const shadow: ShadowRecord = {
      profile: shadowName,
      endpoint: best === undefined ? null : fleet.endpointAt(best.slot).id,
      predictedTtftMs: best === undefined ? null : numberOrNull(best.predictedTtftMs),
      matchedBlocks: best === undefined ? 0 : best.matchedBlocks,
    };
    return { ...choice, shadow };
  }

  #chooseIn(tier: RouteTier, request: SizedRequest): TierChoice | null {
    const { targets } = tier;
    const drawn = drawTarget(tier, this.#options.rng);
    for (let i = 0; i < targets.length; i += 1) {
      const { served, weight } = targets[(drawn + i) % targets.length] as RouteTarget;
      if (i > 0 && weight === 0) continue;
      const input = this.#createInput(served, request);
      const ranking = this.#options.scheduler.pick(input);
      if (ranking.ranked.length > 0) return { served, ranking, input };
    }
    return null;
  }

  #createInput(served: Served, { head, estimate, objective, nowMs }: SizedRequest): PickInput {
    const { fleet } = this.#options;
    return {
      load: fleet.load,
      members: this.#membersFor(head, served),
      residency: served.residency,
      promptTokens: estimate.promptTokens,
      outputTokens: estimate.outputTokens,
      nowMs,
      blocks: head.promptBlocks(cacheSaltOf(served)),
      objective,
      traits: this.#traits,
      header: head.header,
    };
  }

  #membersFor(head: RequestHead, served: Served): Int32Array {
    if (head.pinnedEndpoint === null) return served.members;
    const pinned = this.#options.fleet.endpointById(head.pinnedEndpoint);
    return served.members.filter((slot) => pinned !== null && slot === pinned.slot);
  }
}

interface SizedRequest {
  readonly head: RequestHead;
  readonly estimate: TokenEstimate;
  readonly nowMs: number;
  readonly objective: LatencyObjective;
}

/** What the request asks for, or else what its model is configured with, each part by itself. */
function mergeObjective(asked: LatencyObjective, configured: LatencyObjective): LatencyObjective {
  if (asked.ttftMs === null && asked.tpotMs === null) return configured;
  return {
    ttftMs: asked.ttftMs ?? configured.ttftMs,
    tpotMs: asked.tpotMs ?? configured.tpotMs,
  };
}

function isSaturated({ ranking, input }: TierChoice): boolean {
  const [best] = ranking.ranked;
  return best !== undefined && isSaturatedSlot(input.load, best.slot);
}

function isSaturatedSlot(load: LoadTable, slot: number): boolean {
  const usage = load.kvCacheUsage[slot] as number;
  const waiting = load.reportedWaiting[slot] as number;
  return waiting >= SATURATED_WAITING || usage >= SATURATED_KV_CACHE_USAGE;
}
