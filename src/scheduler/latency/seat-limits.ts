/** Reports in a row with the same running count and a queue that show a limit. */
const REPORTS_TO_SHOW = 3;

/**
 * How many requests each slot's engine runs at once (vLLM `--max-num-seqs` and the like), which few
 * engines report: seen when requests wait while the running count stands still, and forgotten when
 * more run. Infinite until seen.
 */
export class SeatLimits {
  /** By slot. */
  limits: Float64Array = new Float64Array(0);
  #running = new Float64Array(0);
  #repeats = new Uint8Array(0);

  reserve(slots: number): void {
    if (slots <= this.limits.length) return;
    const limits = new Float64Array(slots).fill(Number.POSITIVE_INFINITY);
    limits.set(this.limits);
    this.limits = limits;
    const running = new Float64Array(slots);
    running.set(this.#running);
    this.#running = running;
    const repeats = new Uint8Array(slots);
    repeats.set(this.#repeats);
    this.#repeats = repeats;
  }

  reset(slot: number): void {
    this.limits[slot] = Number.POSITIVE_INFINITY;
    this.#running[slot] = 0;
    this.#repeats[slot] = 0;
  }

  /** Takes what an engine's newest report says; meant to be called about once per report. */
  observe(slot: number, running: number, waiting: number): void {
    if (running > (this.limits[slot] as number)) this.limits[slot] = Number.POSITIVE_INFINITY;
    const isSame = waiting > 0 && running > 0 && running === this.#running[slot];
    this.#running[slot] = running;
    const repeats = isSame ? Math.min(REPORTS_TO_SHOW, (this.#repeats[slot] as number) + 1) : 1;
    this.#repeats[slot] = repeats;
    if (repeats >= REPORTS_TO_SHOW) this.limits[slot] = running;
  }
}
