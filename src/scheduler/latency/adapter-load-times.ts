/** Start value: an adapter of about 100 MB from storage, as engines report it. */
const START_MS = 500;
/** Longer is no load but something else that went wrong. */
const LONGEST_MS = 120_000;
/** A new sample weighs at least 1/8, so that eight loads forget the past. */
const WEIGHT_MIN = 1 / 8;
/** One sample may raise the estimate to at most so many times its value. */
const RISE_MAX = 4;

/**
 * Milliseconds that the first request for an adapter waits on each slot beyond its predicted time
 * to first token: an average with forgetting by samples, in which one outlier is bounded.
 */
export class AdapterLoadTimes {
  /** By slot. */
  loadMs: Float64Array = new Float64Array(0);
  #samples = new Uint32Array(0);

  reserve(slots: number): void {
    const before = this.loadMs.length;
    if (slots <= before) return;
    const loadMs = new Float64Array(slots).fill(START_MS);
    loadMs.set(this.loadMs);
    this.loadMs = loadMs;
    const samples = new Uint32Array(slots);
    samples.set(this.#samples);
    this.#samples = samples;
  }

  reset(slot: number): void {
    this.loadMs[slot] = START_MS;
    this.#samples[slot] = 0;
  }

  /** Loads seen on the slot. */
  samplesOf(slot: number): number {
    return this.#samples[slot] as number;
  }

  /** Takes what is usual elsewhere, as long as the slot has seen no load itself. */
  borrow(slot: number, loadMs: number): void {
    if (this.#samples[slot] === 0) this.loadMs[slot] = loadMs;
  }

  /** A request that needed a load got its first token `excessMs` later than predicted. */
  observe(slot: number, excessMs: number): void {
    if (Number.isNaN(excessMs)) return;
    const samples = (this.#samples[slot] as number) + 1;
    this.#samples[slot] = samples;
    const known = this.loadMs[slot] as number;
    const bound = Math.min(LONGEST_MS, RISE_MAX * Math.max(known, 1));
    const bounded = Math.min(bound, Math.max(0, excessMs));
    // The start value counts as one sample.
    this.loadMs[slot] = known + (bounded - known) * Math.max(WEIGHT_MIN, 1 / (samples + 1));
  }
}
