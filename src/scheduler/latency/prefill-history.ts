/** Width of one bucket and buckets kept per slot: 64 seconds. */
const BUCKET_MS = 500;
const BUCKETS = 128;

/**
 * Prompt tokens that each slot prefilled, as running totals by time: decoding stands still for
 * prompts, so that what one answer waited for is the difference of two totals. Tokens are counted
 * when the first token of their request comes.
 */
export class PrefillHistory {
  /** Totals at the end of each bucket; a ring per slot. */
  #totals = new Float64Array(0);
  #total = new Float64Array(0);
  /** Number of the newest bucket. */
  #newest = new Float64Array(0);
  #firstAtMs = new Float64Array(0);

  reserve(slots: number): void {
    if (slots <= this.#total.length) return;
    const widened = (column: Float64Array, length: number): Float64Array<ArrayBuffer> => {
      const wider = new Float64Array(length);
      wider.set(column);
      return wider;
    };
    const before = this.#total.length;
    this.#totals = widened(this.#totals, slots * BUCKETS);
    this.#total = widened(this.#total, slots);
    this.#newest = widened(this.#newest, slots);
    this.#firstAtMs = widened(this.#firstAtMs, slots).fill(Number.NaN, before);
  }

  reset(slot: number): void {
    this.#totals.fill(0, slot * BUCKETS, (slot + 1) * BUCKETS);
    this.#total[slot] = 0;
    this.#newest[slot] = 0;
    this.#firstAtMs[slot] = Number.NaN;
  }

  add(slot: number, tokens: number, nowMs: number): void {
    this.#advance(slot, nowMs);
    const total = (this.#total[slot] as number) + tokens;
    this.#total[slot] = total;
    this.#totals[slot * BUCKETS + ((this.#newest[slot] as number) % BUCKETS)] = total;
  }

  /**
   * Tokens prefilled from `fromMs` to `nowMs`, which is the present; scaled up where `fromMs` is
   * before the memory of 64 seconds.
   */
  between(slot: number, fromMs: number, nowMs: number): number {
    if (!(nowMs > fromMs)) return 0;
    this.#advance(slot, nowMs);
    const oldestMs = ((this.#newest[slot] as number) - BUCKETS + 2) * BUCKET_MS;
    const startMs = Math.max(fromMs, oldestMs, 0);
    const place = startMs / BUCKET_MS;
    const bucket = Math.floor(place);
    const from = slot * BUCKETS;
    const end = this.#totals[from + (bucket % BUCKETS)] as number;
    const begin =
      bucket === 0 ? 0 : (this.#totals[from + ((bucket - 1 + BUCKETS) % BUCKETS)] as number);
    const atStart = begin + (end - begin) * (place - bucket);
    const scale = (nowMs - fromMs) / Math.max(1, nowMs - startMs);
    return ((this.#total[slot] as number) - atStart) * scale;
  }

  #advance(slot: number, nowMs: number): void {
    const bucket = Math.floor(nowMs / BUCKET_MS);
    const newest = this.#newest[slot] as number;
    if (Number.isNaN(this.#firstAtMs[slot])) {
      this.#firstAtMs[slot] = nowMs;
      this.#newest[slot] = bucket;
      return;
    }
    if (bucket <= newest) return;
    const total = this.#total[slot] as number;
    const from = slot * BUCKETS;
    const start = Math.max(newest + 1, bucket - BUCKETS + 1);
    for (let at = start; at <= bucket; at += 1) this.#totals[from + (at % BUCKETS)] = total;
    this.#newest[slot] = bucket;
  }
}
