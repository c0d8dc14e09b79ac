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

/**
 * Gives the endpoints of a pool what is usual in it: the median of every parameter over the
 * members that have samples becomes the prior of each. So a newcomer starts as the others are, and
 * one that has had no requests for long is again taken to be like them. A pool is an array of
 * slots, recognised by its first slot and its identity.
 */
export class PoolPriors {
  readonly #learners: Learners;
  /** The array last prepared, its cursor and the time of the last visit, by first slot. */
  readonly #pools: (Int32Array | undefined)[] = [];
  #cursors = new Int32Array(0);
  #visitedAtMs = new Float64Array(0);
  /** 1 for slots that have got a median. */
  #isPrimed = new Uint8Array(0);
  readonly #values = new Float64Array(MEDIAN_ENDPOINTS_MAX);
  readonly #ttftMedian: Float64Array;
  readonly #tpotMedian: Float64Array;
  #loadMedianMs = Number.NaN;

  constructor(learners: Learners) {
    this.#learners = learners;
    this.#ttftMedian = new Float64Array(learners.ttft.width);
    this.#tpotMedian = new Float64Array(learners.tpot.width);
  }

  reserve(slots: number): void {
    if (slots <= this.#isPrimed.length) return;
    this.#cursors = copyInto(new Int32Array(slots), this.#cursors);
    this.#visitedAtMs = copyInto(new Float64Array(slots), this.#visitedAtMs);
    this.#isPrimed = copyInto(new Uint8Array(slots), this.#isPrimed);
  }

  reset(slot: number): void {
    this.#isPrimed[slot] = 0;
  }

  /** Whether this array was prepared before and no other with its first slot since. */
  knows(members: Int32Array): boolean {
    const first = members[0];
    return first === undefined || this.#pools[first] === members;
  }

  /** Visits the members that are due; all newcomers when the array is new. */
  prepare(members: Int32Array, load: LoadTable, nowMs: number): void {
    const first = members[0];
    if (first === undefined) return;
    if (!this.knows(members)) this.#meet(members, nowMs);
    const elapsedMs = nowMs - (this.#visitedAtMs[first] as number);
    const due = Math.floor((members.length * elapsedMs) / ROUND_MS);
    if (due < 1) return;
    this.#visitedAtMs[first] = nowMs;
    const { seats } = this.#learners;
    let cursor = this.#cursors[first] as number;
    for (let visits = Math.min(due, VISITS_MAX, members.length); visits > 0; visits -= 1) {
      if (cursor >= members.length) cursor = 0;
      if (cursor === 0) this.#readMedians(members);
      const slot = members[cursor] as number;
      this.#visit(slot, nowMs);
      seats.observe(slot, load.lastRunning[slot] as number, load.lastWaiting[slot] as number);
      cursor += 1;
    }
    this.#cursors[first] = cursor;
  }

  #meet(members: Int32Array, nowMs: number): void {
    const first = members[0] as number;
    this.#pools[first] = members;
    this.#cursors[first] = 0;
    let hasMedians = false;
    for (const slot of members) {
      if (this.#isPrimed[slot] === 1) continue;
      if (!hasMedians) this.#readMedians(members);
      hasMedians = true;
      this.#visit(slot, nowMs);
    }
  }

  #visit(slot: number, nowMs: number): void {
    const { ttft, tpot, adapterLoad } = this.#learners;
    this.#isPrimed[slot] = 1;
    visitRegression(ttft, this.#ttftMedian, { slot, nowMs });
    visitRegression(tpot, this.#tpotMedian, { slot, nowMs });
    this.#learners.refreshStretch(slot, nowMs);
    if (this.#loadMedianMs >= 0) adapterLoad.borrow(slot, this.#loadMedianMs);
  }

  #readMedians(members: Int32Array): void {
    const { ttft, tpot, adapterLoad } = this.#learners;
    this.#readMedian(ttft, members, this.#ttftMedian);
    this.#readMedian(tpot, members, this.#tpotMedian);
    let count = 0;
    const step = Math.ceil(members.length / MEDIAN_ENDPOINTS_MAX);
    for (let at = 0; at < members.length; at += step) {
      const slot = members[at] as number;
      if (adapterLoad.samplesOf(slot) === 0) continue;
      this.#values[count++] = adapterLoad.loadMs[slot] as number;
    }
    this.#loadMedianMs = this.#medianOf(count);
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

function copyInto<T extends Int32Array | Float64Array | Uint8Array>(wider: T, column: T): T {
  wider.set(column);
  return wider;
}
