import type { ModelName, PoolId } from '../core/ids.ts';
import { modelName, poolId } from '../core/ids.ts';
import type { ServedModelFact } from '../protocol/engines/dialect.ts';
import type { Endpoint } from './endpoint.ts';

/** One name that one pool serves, and where. */
export interface Served {
  readonly pool: PoolId;
  readonly model: ModelName;
  /** For an adapter, the model it belongs to; null for a base model. */
  readonly baseModel: ModelName | null;
  /**
   * Slots that serve it, available or not. Names of the same servers share one array, so that what
   * is learned of these servers can be kept by it: an adapter's servers are mostly its model's.
   */
  readonly members: Int32Array;
  /**
   * Adapters only, aligned with `members`: 0 listed, 1 resident and idle, 2 active. Live:
   * reports and bookings change it in place. Null for base models.
   */
  readonly residency: Uint8Array | null;
  /** Longest context in tokens that every member takes; null when none reports it. */
  readonly contextTokens: number | null;
}

/** One pool as it stands. */
export interface PoolView {
  readonly id: PoolId;
  /** Slots of all its endpoints, probed or not. */
  readonly members: Int32Array;
  /** The one base model its endpoints serve; null while unknown or when they serve several. */
  readonly baseModel: ModelName | null;
  /**
   * True when it has members that were grouped by what they serve, not listed by configuration.
   */
  readonly isGrouped: boolean;
}

/** Endpoints by the pool that lists them; null lists those to be grouped by base model. */
export type Declared = ReadonlyMap<PoolId | null, readonly Endpoint[]>;

/** A place in a residency array that follows one endpoint's adapter. */
interface ResidencyCell {
  readonly adapter: string;
  readonly column: Uint8Array;
  readonly index: number;
}

/** Who offers one name in one pool, and what each says of it. */
type Offers = Map<Endpoint, ServedModelFact>;

interface PoolDraft {
  readonly members: Set<Endpoint>;
  readonly offersByModel: Map<string, Offers>;
  isGrouped: boolean;
}

const NOTHING: readonly never[] = Object.freeze([]);

/** Which pool serves which name from which endpoints; built anew when any of that changes. */
export class ServedIndex {
  readonly pools: readonly PoolView[];
  readonly all: readonly Served[];
  readonly #byPool = new Map<string, Map<string, Served>>();
  readonly #byModel = new Map<string, Served[]>();
  readonly #poolsBySlot = new Map<number, PoolView[]>();
  readonly #cellsBySlot = new Map<number, ResidencyCell[]>();
  /** One array of each content. */
  readonly #members = new Map<string, Int32Array>();

  constructor(declared: Declared) {
    const pools: PoolView[] = [];
    const all: Served[] = [];
    for (const [id, draft] of draftPools(declared)) {
      const view = viewOf(id, draft);
      pools.push(view);
      for (const slot of view.members) append(this.#poolsBySlot, slot, view);
      const byName = new Map<string, Served>();
      this.#byPool.set(id, byName);
      for (const [model, offers] of draft.offersByModel) {
        const served = this.#addServed(id, model, offers);
        byName.set(model, served);
        append(this.#byModel, model, served);
        all.push(served);
      }
    }
    this.pools = pools;
    this.all = all;
  }

  served(pool: PoolId, model: string): Served | null {
    return this.#byPool.get(pool)?.get(model) ?? null;
  }

  servedAnywhere(model: string): readonly Served[] {
    return this.#byModel.get(model) ?? NOTHING;
  }

  /** Pools the endpoint in `slot` is a member of. */
  poolsOf(slot: number): readonly PoolView[] {
    return this.#poolsBySlot.get(slot) ?? NOTHING;
  }

  /** Copies the endpoint's adapter residency to where picks read it. */
  showResidency(endpoint: Endpoint): void {
    for (const cell of this.#cellsBySlot.get(endpoint.slot) ?? NOTHING) {
      cell.column[cell.index] = endpoint.residency.levelOf(cell.adapter);
    }
  }

  #membersOf(endpoints: readonly Endpoint[]): Int32Array {
    const slots = endpoints.map(({ slot }) => slot);
    const key = slots.join();
    let members = this.#members.get(key);
    if (members === undefined) {
      members = Int32Array.from(slots);
      this.#members.set(key, members);
    }
    return members;
  }

  #addServed(pool: PoolId, model: string, offers: Offers): Served {
    const endpoints = [...offers.keys()];
    const base = baseModelOfOffers(offers);
    const residency = base === null ? null : new Uint8Array(endpoints.length);
    if (residency !== null) {
      for (const [index, endpoint] of endpoints.entries()) {
        append(this.#cellsBySlot, endpoint.slot, { adapter: model, column: residency, index });
        residency[index] = endpoint.residency.levelOf(model);
      }
    }
    return {
      pool,
      model: modelName(model),
      baseModel: base,
      members: this.#membersOf(endpoints),
      residency,
      contextTokens: smallestContext(offers),
    };
  }
}

/**
 * The names an endpoint serves, each once. A list in its spec decides which models count; an
 * adapter counts when it is listed or its base model counts. One whose parent is not a model of
 * this server belongs to the first base model there is, as engines let an operator spell the
 * parent freely.
 */
export function modelsOf(endpoint: Endpoint): readonly ServedModelFact[] {
  const reported = new Map((endpoint.facts?.models ?? NOTHING).map((fact) => [fact.id, fact]));
  const models = new Map<string, ServedModelFact>();
  for (const fact of chosenModels(endpoint, reported)) models.set(fact.id, fact);
  const bases = [...models.values()].filter((fact) => fact.baseModel === null);
  for (const fact of reported.values()) {
    const parent = fact.baseModel;
    if (parent === null || models.has(fact.id)) continue;
    if (models.has(parent)) models.set(fact.id, fact);
    else if (!reported.has(parent)) {
      models.set(fact.id, { ...fact, baseModel: bases[0]?.id ?? parent });
    }
  }
  return [...models.values()];
}

function chosenModels(
  endpoint: Endpoint,
  reported: ReadonlyMap<string, ServedModelFact>,
): readonly ServedModelFact[] {
  const listed = endpoint.spec.models;
  if (listed !== null) return listed.map((id) => reported.get(id) ?? unprobedModel(id));
  return [...reported.values()].filter((fact) => fact.baseModel === null);
}

function unprobedModel(id: string): ServedModelFact {
  return { id, baseModel: null, contextTokens: null };
}

function draftPools(declared: Declared): Map<PoolId, PoolDraft> {
  const drafts = new Map<PoolId, PoolDraft>();
  for (const [id, endpoints] of declared) {
    if (id === null) continue;
    const draft = draftOf(drafts, id);
    for (const endpoint of endpoints) {
      draft.members.add(endpoint);
      for (const fact of modelsOf(endpoint)) addOffer(draft, endpoint, fact);
    }
  }
  for (const endpoint of declared.get(null) ?? NOTHING) groupEndpoint(drafts, endpoint);
  return drafts;
}

/** Makes the endpoint a member of the pool of each base model it serves. */
function groupEndpoint(drafts: Map<PoolId, PoolDraft>, endpoint: Endpoint): void {
  for (const fact of modelsOf(endpoint)) {
    const draft = draftOf(drafts, poolId(fact.baseModel ?? fact.id));
    draft.isGrouped = true;
    draft.members.add(endpoint);
    addOffer(draft, endpoint, fact);
  }
}

function draftOf(drafts: Map<PoolId, PoolDraft>, id: PoolId): PoolDraft {
  let draft = drafts.get(id);
  if (draft === undefined) {
    draft = { members: new Set(), offersByModel: new Map(), isGrouped: false };
    drafts.set(id, draft);
  }
  return draft;
}

function addOffer(draft: PoolDraft, endpoint: Endpoint, fact: ServedModelFact): void {
  const offers = draft.offersByModel.get(fact.id);
  if (offers === undefined) draft.offersByModel.set(fact.id, new Map([[endpoint, fact]]));
  else offers.set(endpoint, fact);
}

function viewOf(id: PoolId, draft: PoolDraft): PoolView {
  const bases = new Set<string>();
  for (const [model, offers] of draft.offersByModel) {
    for (const fact of offers.values()) bases.add(fact.baseModel ?? model);
  }
  const [only] = bases;
  return {
    id,
    members: Int32Array.from(draft.members, (endpoint) => endpoint.slot),
    baseModel: only !== undefined && bases.size === 1 ? modelName(only) : null,
    isGrouped: draft.isGrouped,
  };
}

function baseModelOfOffers(offers: Offers): ModelName | null {
  for (const fact of offers.values()) {
    if (fact.baseModel !== null) return modelName(fact.baseModel);
  }
  return null;
}

function smallestContext(offers: Offers): number | null {
  let smallest: number | null = null;
  for (const { contextTokens } of offers.values()) {
    if (contextTokens === null) continue;
    if (smallest === null || contextTokens < smallest) smallest = contextTokens;
  }
  return smallest;
}

function append<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
