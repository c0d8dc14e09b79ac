import { Heap } from '../../core/heap.ts';
import type { Rng } from '../../core/rng.ts';
import { describeGaps, describeUsers, type ArrivalSpec, type GapShape } from './arrival-spec.ts';
import { ArrivalTraffic } from './arrival-traffic.ts';
import { createArrivals, createStretchedArrivals, type VaryingRate } from './arrivals.ts';
import { createStream, drawExponential } from './random.ts';
import type { LabRequest, TrafficOptions, TrafficSource } from './types.ts';

/** Independent requests as a workload has them of its own. */
export interface RequestPlan {
  readonly gaps: GapShape;
  /** At a load of 1. */
  readonly perSecond: number;
  /** Makes the request that is sent then; `number` counts from 0. */
  readonly create: (atMs: number, number: number) => LabRequest;
}

// Purposes of random streams; workloads use 1 and 2 themselves.
const ARRIVALS = 0;
const USERS = 3;

/** The traffic of a plan, whose requests come as it says or, with `spec`, in another way. */
export function createRequestTraffic(
  plan: RequestPlan,
  options: TrafficOptions,
  spec: ArrivalSpec | null,
): TrafficSource {
  const { seed, load, durationMs } = options;
  const { create } = plan;
  if (spec?.kind === 'closed') {
    const users = Math.max(1, Math.round((spec.users ?? 1) * load));
    return new UserTraffic({ seed, durationMs, users, thinkMs: spec.thinkMs ?? 0, create });
  }
  const meanPerSecond = (spec?.perSecond ?? plan.perSecond) * load;
  const rng = createStream(seed, ARRIVALS);
  const arrivals = createArrivals(rng, meanPerSecond, spec?.gaps ?? plan.gaps);
  return new ArrivalTraffic(arrivals, { durationMs, meanPerSecond, create });
}

/** What a load of 1 is for independent requests, in words. */
export function describeRequestLoad(perSecond: number, spec: ArrivalSpec | null): string {
  if (spec === null) return `${perSecond} requests/s`;
  if (spec.kind === 'closed') return describeUsers(spec.users ?? 1, spec.thinkMs ?? 0);
  return `${spec.perSecond ?? perSecond} requests/s, ${describeGaps(spec.gaps)}`;
}

/** Requests at a rate that changes with time, as a workload has them of its own: Poisson. */
export interface VaryingPlan {
  /** Mean at a load of 1, which arrivals with a rate of their own take the place of. */
  readonly perSecond: number;
  /** The rate under such a load, and its mean over the run. */
  readonly rateAt: (load: number) => VaryingRate & { readonly meanPerSecond: number };
  readonly create: (atMs: number, number: number) => LabRequest;
}

/** The traffic of such a plan; `spec` changes its gaps and its mean, not how it comes and goes. */
export function createVaryingTraffic(
  plan: VaryingPlan,
  { seed, load, durationMs }: TrafficOptions,
  spec: ArrivalSpec | null,
): TrafficSource {
  const open = spec?.kind === 'open' ? spec : POISSON;
  const rate = plan.rateAt((load * (open.perSecond ?? plan.perSecond)) / plan.perSecond);
  const arrivals = createStretchedArrivals(createStream(seed, ARRIVALS), rate, open.gaps);
  const { meanPerSecond } = rate;
  return new ArrivalTraffic(arrivals, { durationMs, meanPerSecond, create: plan.create });
}

const POISSON: ArrivalSpec & { readonly kind: 'open' } = {
  kind: 'open',
  gaps: { kind: 'poisson' },
  perSecond: null,
};

/** What a load of 1 is for requests at a changing rate, in words. */
export function describeVaryingLoad(own: string, spec: ArrivalSpec | null): string {
  if (spec?.kind !== 'open') return `${own} requests/s on average`;
  return `${spec.perSecond ?? own} requests/s on average, ${describeGaps(spec.gaps)}`;
}

/** Users of a closed loop of single requests. */
interface UserTrafficOptions {
  readonly seed: number;
  readonly durationMs: number;
  readonly users: number;
  /** Mean of the exponential pauses between an answer and the next request. */
  readonly thinkMs: number;
  readonly create: (atMs: number, number: number) => LabRequest;
}

interface DueUser {
  readonly atMs: number;
  readonly order: number;
  readonly user: number;
}

/**
 * A closed loop: each user sends a request, waits for its end, thinks, and sends the next; so many
 * requests are open at most. The n-th request is the same whoever sends it. At time 0 every user
 * thinks.
 */
class UserTraffic implements TrafficSource {
  readonly expectedCount: null = null;
  readonly #options: UserTrafficOptions;
  readonly #due = new Heap<DueUser>(
    (a, b) => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order),
  );
  /** Who waits for the answer to which request. */
  readonly #waiting = new Map<number, number>();
  /** Each draws pauses of its own, so that nobody's answer changes another's next pause. */
  readonly #rngs: readonly Rng[];
  #count = 0;
  #order = 0;

  constructor(options: UserTrafficOptions) {
    const { users, seed } = options;
    this.#options = options;
    this.#rngs = Array.from({ length: users }, (_, user) => createStream(seed, USERS, user));
    for (let user = 0; user < users; user += 1) this.#think(user, 0);
  }

  nextAtMs(): number {
    return this.#due.peek()?.atMs ?? Number.POSITIVE_INFINITY;
  }

  take(): LabRequest {
    const { atMs, user } = this.#due.pop() as DueUser;
    const request = this.#options.create(atMs, this.#count);
    this.#waiting.set(request.session, user);
    this.#count += 1;
    return request;
  }

  noteEnded(request: LabRequest, atMs: number): void {
    const user = this.#waiting.get(request.session) as number;
    this.#waiting.delete(request.session);
    this.#think(user, atMs);
  }

  /** A request that would come after the end of the run is never sent. */
  #think(user: number, fromMs: number): void {
    const { thinkMs, durationMs } = this.#options;
    const atMs = fromMs + thinkMs * drawExponential(this.#rngs[user] as Rng);
    if (atMs > durationMs) return;
    this.#due.push({ atMs, order: this.#order, user });
    this.#order += 1;
  }
}
