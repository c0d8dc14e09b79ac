import type { AdapterLoadTimes } from './adapter-load-times.ts';
import type { LoadTable } from '../ports.ts';
import type { OnlineRegression } from './online-regression.ts';
import type { SeatLimits } from './seat-limits.ts';

/** An endpoint needs so many samples to have a say in what newcomers are taken to be. */
const SAY_MIN_SAMPLES = 0.5;
/** Endpoints that a median is taken over at most. */
const MEDIAN_ENDPOINTS_MAX = 63;
/** Each endpoint of a pool is visited about this often while there are picks. */
const ROUND_MS = 1000;
/** Endpoints visited in one pick at most. */
const VISITS_MAX = 32;

/** The learners of one latency model. */
export interface Learners {
  readonly ttft: OnlineRegression;
  readonly tpot: OnlineRegression;
  readonly adapterLoad: AdapterLoadTimes;
  readonly seats: SeatLimits;
  refreshStretch(slot: number, nowMs: number): void;
}

/** What is kept of one pool. */
interface PoolState {
  /** The member that is visited next. */
  cursor: number;
  visitedAtMs: number;
  readonly ttftMedian: Float64Array;
  readonly tpotMedian: Float64Array;
  adapterLoadMs: number;
}

/**
 * Gives the endpoints of a pool what is usual in it: the median of every parameter over the
 * members that have samples becomes the prior of each. So a newcomer starts as the others are, and
 * one that has had no requests for long is again taken to be like them. A pool is an array of
 * slots, recognised by its identity; pools may share members.
 */
export class PoolPriors {
  readonly #learners: Learners;
  readonly #pools = new WeakMap<Int32Array, PoolState>();
  /** The pool that was prepared last: nearly always the one that is prepared next. */
  #lastMembers: Int32Array | null = null;
  #last: PoolState | null = null;
  /** 1 for slots that have got a median. */
  #isPrimed = new Uint8Array(0);
  readonly #values = new Float64Array(MEDIAN_ENDPOINTS_MAX);

  constructor(learners: Learners) {
    this.#learners = learners;
  }

  reserve(slots: number): void {
    if (slots <= this.#isPrimed.length) return;
    const isPrimed = new Uint8Array(slots);
    isPrimed.set(this.#isPrimed);
    this.#isPrimed = isPrimed;
  }

  reset(slot: number): void {
    this.#isPrimed[slot] = 0;
  }

  /** Whether this array was prepared before. */
  knows(members: Int32Array): boolean {
    return this.#lastMembers === members || this.#pools.has(members);
  }

  /** Visits the members that are due; all newcomers when the array is new. */
  prepare(members: Int32Array, load: LoadTable, nowMs: number): void {
    if (members.length === 0) return;
    const pool = this.#open(members, nowMs);
    const elapsedMs = nowMs - pool.visitedAtMs;
    const due = Math.floor((members.length * elapsedMs) / ROUND_MS);
    if (due < 1) return;
    pool.visitedAtMs = nowMs;
    const { seats } = this.#learners;
    let { cursor } = pool;
    for (let visits = Math.min(due, VISITS_MAX, members.length); visits > 0; visits -= 1) {
      if (cursor >= members.length) cursor = 0;
      if (cursor === 0) this.#readMedians(pool, members);
      const slot = members[cursor] as number;
      this.#visit(pool, slot, nowMs);
      seats.observe(slot, load.lastRunning[slot] as number, load.lastWaiting[slot] as number);
      cursor += 1;
    }
    pool.cursor = cursor;
  }

  #open(members: Int32Array, nowMs: number): PoolState {
    if (this.#lastMembers === members && this.#last !== null) return this.#last;
    const pool = this.#pools.get(members) ?? this.#meet(members, nowMs);
    this.#lastMembers = members;
    this.#last = pool;
    return pool;
  }

  #meet(members: Int32Array, nowMs: number): PoolState {
    const pool: PoolState = {
      cursor: 0,
      visitedAtMs: 0,
      ttftMedian: new Float64Array(this.#learners.ttft.width),
      tpotMedian: new Float64Array(this.#learners.tpot.width),
      adapterLoadMs: Number.NaN,
    };
    this.#pools.set(members, pool);
    this.#readMedians(pool, members);
    for (const slot of members) if (this.#isPrimed[slot] !== 1) this.#visit(pool, slot, nowMs);
    return pool;
  }

  #visit(pool: PoolState, slot: number, nowMs: number): void {
    const { ttft, tpot, adapterLoad } = this.#learners;
    this.#isPrimed[slot] = 1;
    visitRegression(ttft, pool.ttftMedian, { slot, nowMs });
    visitRegression(tpot, pool.tpotMedian, { slot, nowMs });
    this.#learners.refreshStretch(slot, nowMs);
    if (pool.adapterLoadMs >= 0) adapterLoad.borrow(slot, pool.adapterLoadMs);
  }

  #readMedians(pool: PoolState, members: Int32Array): void {
    const { ttft, tpot, adapterLoad } = this.#learners;
    this.#readMedian(ttft, members, pool.ttftMedian);
    this.#readMedian(tpot, members, pool.tpotMedian);
    let count = 0;
    const step = Math.ceil(members.length / MEDIAN_ENDPOINTS_MAX);
    for (let at = 0; at < members.length; at += step) {
      const slot = members[at] as number;
      if (adapterLoad.samplesOf(slot) === 0) continue;
      this.#values[count++] = adapterLoad.loadMs[slot] as number;
    }
    pool.adapterLoadMs = this.#medianOf(count);
  }

  /** NaN where no member has a say. */
  #readMedian(regression: OnlineRegression, members: Int32Array, out: Float64Array): void {
    const { width } = regression;
    const step = Math.ceil(members.length / MEDIAN_ENDPOINTS_MAX);
    for (let index = 0; index < width; index += 1) {
      let count = 0;
      for (let at = 0; at < members.length; at += step) {
        const slot = members[at] as number;
        if (regression.weightOf(slot) < SAY_MIN_SAMPLES) continue;
        this.#values[count++] = regression.learnedOf(slot, index);
      }
      out[index] = this.#medianOf(count);
    }
  }

  #medianOf(count: number): number {
    if (count === 0) return Number.NaN;
    const values = this.#values.subarray(0, count).sort();
    return ((values[count >> 1] as number) + (values[(count - 1) >> 1] as number)) / 2;
  }
}

function visitRegression(
  regression: OnlineRegression,
  median: Float64Array,
  visit: { readonly slot: number; readonly nowMs: number },
): void {
  if ((median[0] as number) >= 0) regression.setPrior(visit.slot, median);
  regression.fade(visit.slot, visit.nowMs);
  regression.solve(visit.slot, visit.nowMs);
}
